// Recognition by PocketSphinx with a grammar: any sequence of the expected sentences, which may begin or end in one.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import pLimit from 'p-limit'

export interface HeardWord {
  text: string
  /** Seconds. */
  start: number
  end: number
}

const models = '/usr/share/pocketsphinx/model/en-us'
const framesPerSecond = 100
const twoAtOnce = pLimit(2)

/** Lower case and without punctuation, as the grammar and the scores have them. */
export function plainWords(text: string): string[] {
  return text
    .toLowerCase()
    .replace(/[^a-z' ]+/g, ' ')
    .split(' ')
    .filter(Boolean)
}

/** Tells whether PocketSphinx knows all words of a text. */
export function createVocabulary(): (text: string) => boolean {
  const lines = readFileSync(join(models, 'cmudict-en-us.dict'), 'utf8').split('\n')
  const known = new Set(lines.map(line => line.split(' ', 1)[0]))
  return text => plainWords(text).every(word => known.has(word))
}

/** Writes a finite state grammar: state 0 is the start of the audio, 1 its end, 2 lies between sentences. */
export function writeGrammar(file: string, texts: string[]): void {
  const transitions = ['0 2 0.5', '2 1 0.1']
  const sentences = [...new Set(texts.map(text => plainWords(text).join(' ')))]
  let states = 3
  for (const sentence of sentences) {
    let from = 2
    const words = sentence.split(' ')
    for (const [i, word] of words.entries()) {
      const to = i + 1 === words.length ? 2 : states++
      transitions.push(`${from} ${to} ${from === 2 ? 1 / sentences.length : 1} ${word}`)
      if (from !== 2) transitions.push(`0 ${from} 0.001`)
      if (to !== 2) transitions.push(`${to} 1 0.001`)
      from = to
    }
  }
  const head = ['FSG_BEGIN prompts', `NUM_STATES ${states}`, 'START_STATE 0', 'FINAL_STATE 1']
  writeFileSync(file, [...head, ...transitions.map(one => `TRANSITION ${one}`), 'FSG_END', ''].join('\n'))
}

/** The text of recognised words, with the punctuation of the sentences that occur whole. */
export function withPunctuation(words: HeardWord[], texts: string[]): string {
  const sentences = texts.map(text => ({
    text: text.replace(/\W*$/, '.'),
    words: plainWords(text).join(' '),
  }))
  sentences.sort((a, b) => b.words.length - a.words.length)
  let left = `${words.map(({ text }) => text).join(' ')} `
  let text = ''
  while (left) {
    const found = sentences.find(({ words }) => left.startsWith(`${words} `))
    const length = found ? found.words.length + 1 : left.indexOf(' ') + 1
    text += found ? ` ${found.text}` : ` ${left.slice(0, length - 1)}`
    left = left.slice(length).trimStart()
  }
  return text.trim()
}

/** Recognises a file NAME.raw of a folder: 16-bit samples, 16 kHz mono. */
export function recognise(folder: string, name: string, grammar: string): Promise<HeardWord[]> {
  return twoAtOnce(async () => {
    const path = (kind: string) => join(folder, `${name}.${kind}`)
    writeFileSync(path('ctl'), `${name}\n`)
    const input = ['-adcin', 'yes', '-cepdir', folder, '-cepext', '.raw', '-ctl', path('ctl')]
    // By default it leaves silence out, which moves the times.
    const search = ['-remove_silence', 'no', '-beam', '1e-80', '-wbeam', '1e-60', '-fsg', grammar]
    const output = ['-hyp', path('hyp'), '-hypseg', path('seg'), '-logfn', path('log')]
    const model = ['-hmm', join(models, 'en-us'), '-dict', join(models, 'cmudict-en-us.dict')]
    const child = spawn('pocketsphinx_batch', [...input, ...output, ...search, ...model], { stdio: 'ignore' })
    const [code] = (await once(child, 'exit')) as [number]
    if (code !== 0) throw new Error(`pocketsphinx_batch ended with ${code}: see ${path('log')}`)
    return readSegments(readFileSync(path('seg'), 'utf8'))
  })
}

/** `name S scale T score A score L score`, then `start score score word` for each, then the last frame. */
function readSegments(line: string): HeardWord[] {
  const fields = line.trim().split(/\s+/).slice(9)
  const found: HeardWord[] = []
  for (let i = 0; i + 4 < fields.length; i += 4) {
    const text = fields[i + 3]!.replace(/\(\d+\)$/, '')
    const [start, end] = [Number(fields[i]), Number(fields[i + 4])].map(frame => frame / framesPerSecond)
    if (/^[a-z]/.test(text)) found.push({ text, start: start!, end: end! })
  }
  return found
}
