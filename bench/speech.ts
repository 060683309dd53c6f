// npm run bench:speech: real prompts, joined and transcribed by the built program with PocketSphinx as its provider.
import { execFile, execFileSync, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs, promisify } from 'node:util'
import { testFfmpeg } from '../test/support/audio/ffmpeg.ts'
import { root } from './measure.ts'
import { joinPrompts, mixedPauses, writeWav } from './speech/conversation.ts'
import { timeErrors } from './speech/estimates.ts'
import {
  createVocabulary,
  type HeardWord,
  plainWords,
  recognise,
  writeGrammar,
} from './speech/pocketsphinx.ts'
import { promptRate, readPrompts } from './speech/prompts.ts'
import { type Score, sclite, score } from './speech/score.ts'
import { startServer } from './speech/server.ts'

const { values } = parseArgs({
  options: {
    transcripts: { type: 'string', default: '/usr/share/asterisk/sounds' },
    seed: { type: 'string', default: '1' },
    minutes: { type: 'string', default: '5' },
    times: { type: 'boolean', default: false },
  },
})

if (values.times) {
  console.table(await timeErrors(values.transcripts, await testFfmpeg()))
  process.exit()
}

const missing = [
  ...(spawnSync('pocketsphinx_batch', ['-help']).error ? ['pocketsphinx', 'pocketsphinx-en-us'] : []),
  ...(sclite ? [] : ['sctk']),
]
if (missing.length > 0) throw new Error(`Install what is missing: apt-get install ${missing.join(' ')}`)

/** Beyond these a word has moved. Estimated times of words are those of their sentence, shared out by letters. */
const maxMovedSeconds = { measured: 0.25, estimated: 2 }

const isKnown = createVocabulary()
const prompts = readPrompts('en', values.transcripts).filter(({ text }) => isKnown(text))
const folder = await mkdtemp(join(tmpdir(), 'speech-mcp-bench-'))
const ffmpeg = await testFfmpeg()
const seconds = 60 * Number(values.minutes)
const talk = joinPrompts(prompts, seconds, mixedPauses, Number(values.seed))
const [file, grammar] = [join(folder, 'talk.wav'), join(folder, 'prompts.fsg')]
writeWav(file, talk.samples)
const texts = talk.sentences.map(({ text }) => text)
writeGrammar(grammar, texts)
const server = await startServer(folder, grammar, texts, ffmpeg)

/** The words of each sentence, spread over it. */
const truth = talk.sentences.flatMap(({ text, start, end }) => {
  const words = plainWords(text)
  const at = (i: number) => start + ((end - start) * i) / words.length
  return words.map((word, i) => ({ text: word, start: at(i), end: at(i + 1) }))
})

/** All of the recording at once, by PocketSphinx without the program. */
async function withoutProgram(): Promise<HeardWord[]> {
  const output = ['-f', 's16le', '-ar', '16000', '-ac', '1', join(folder, 'talk.raw')]
  execFileSync(ffmpeg, ['-v', 'error', '-i', file, ...output])
  return recognise(folder, 'talk', grammar)
}

async function throughProgram(name: string, env: Record<string, string>): Promise<HeardWord[]> {
  const output = join(folder, `${name}.json`)
  const args = [join(root, 'dist/main.js'), 'transcribe', file, '--timestamps', 'word', '-o', output]
  const data = { SPEECH_DATA_DIR: join(folder, name), FFMPEG_PATH: ffmpeg }
  await promisify(execFile)(process.execPath, args, { env: { ...data, ...env } })
  const { segments } = JSON.parse(readFileSync(output, 'utf8')) as { segments: { words: HeardWord[] }[] }
  return segments.flatMap(({ words }) =>
    words.flatMap(({ text, start, end }) => plainWords(text).map(word => ({ text: word, start, end }))),
  )
}

try {
  const reference = await withoutProgram()
  const estimated = await throughProgram('estimated', {
    DASHSCOPE_API_KEY: 'sk-bench',
    DASHSCOPE_BASE_URL: server.url,
  })
  const measured = await throughProgram('measured', {
    ASR_MODEL: 'openai:pocketsphinx',
    OPENAI_BASE_URL: server.url,
  })
  // The true times of words are those that PocketSphinx finds by itself.
  const timed = reference.length === truth.length ? reference : truth
  const row = (heard: HeardWord[], maxSeconds: number) => score(timed, heard, folder, maxSeconds)
  const minutes = (talk.samples.length / promptRate / 60).toFixed(1)
  console.log(`${texts.length} sentences in ${minutes} minutes, seed ${values.seed}, pauses of 0.05 to 25 s`)
  const alone = score(truth, reference, folder, maxMovedSeconds.estimated)
  const through = {
    'through the program, times estimated': row(estimated, maxMovedSeconds.estimated),
    'through the program, times measured': row(measured, maxMovedSeconds.measured),
  }
  console.table({ 'PocketSphinx alone': alone, ...through })
  const isWorse = ({ lost, doubled, moved }: Score) =>
    lost > alone.lost || doubled > alone.doubled || moved > 0
  if (Object.values(through).some(isWorse)) process.exitCode = 1
} finally {
  server.close()
  await rm(folder, { recursive: true })
}
