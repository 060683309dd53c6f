// The command `speech-mcp transcribe`: inputs, output files, exit codes and interruption.
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { createReadStream } from 'node:fs'
import { copyFile, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { makeSpacedRecording } from '../../support/audio/spaced-recording.ts'
import { silentWav } from '../../support/e2e/requests.ts'
import { fixture, plainWords, truth, truthText } from '../../support/e2e/system.ts'
import { openTerminal, type Terminal } from '../../support/e2e/terminal.ts'

let terminal: Terminal
let elsewhere: Terminal

beforeAll(async () => {
  terminal = await openTerminal()
  elsewhere = await openTerminal()
})
afterAll(async () => {
  await terminal.close()
  await elsewhere.close()
})

const note = fixture('voice-note.ogg')
const pathOf = (name: string) => join(terminal.work, name)
const uri = (recording: Buffer) => `data:audio/ogg;base64,${recording.toString('base64')}`

it('transcribing the same file again sends no request', async () => {
  const args = ['transcribe', note, '-c', 'twice']
  const first = await terminal.run(args)
  const before = terminal.dashscope.requests.length
  const second = await terminal.run(args)
  expect(second.stdout).toBe(first.stdout)
  expect(first.stderr).toMatch(/^0:07, \$0\.000\d\.\nSaved as tr_\w{16}\.\n$/)
  expect(second.stderr).toBe(first.stderr.replace(/\$[\d.]+\d/, '$0.00'))
  expect(terminal.dashscope.requests.length).toBe(before)
})

it('transcribe prints the text to stdout and the id to stderr', async () => {
  const { code, stdout, stderr } = await terminal.run(['transcribe', note])
  const said = truthText(truth('voice-note'))
  expect({ code, said: plainWords(stdout) }).toEqual({ code: 0, said })
  expect(stderr).toMatch(/^0:07, \$[\d.]+\.\nSaved as tr_\w{16}\.\n$/)
})

it('transcribe prints a text that could not be stored, and does not say that it was', async () => {
  const env = { SPEECH_DATA_DIR: pathOf('silence.wav/data') }
  const { code, stdout, stderr } = await terminal.run(['transcribe', note], { env })
  expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringContaining('Hi Greta!') })
  expect(stderr).toMatch(/^Note: The transcript could not be stored/m)
  expect(stderr).not.toContain('Saved as')
})

it('transcribe passes on language, context and title, and infers the format from the file extension', async () => {
  const options = ['-l', 'English', '--context', 'Greta', '-t', 'The parcel', '-o', 'parcel.md']
  expect(await terminal.run(['transcribe', note, ...options])).toMatchObject({ code: 0, stdout: '' })
  expect(await readFile(pathOf('parcel.md'), 'utf8')).toMatch(/^# The parcel\n/)
  expect(terminal.dashscope.requests.at(-1)).toMatchObject({ language: 'en', context: 'Greta' })
})

it('transcribe names the model that answered in place of the first one, and its cost', async () => {
  const env = { ASR_MODEL: 'retired-asr,qwen3-asr-flash' }
  const { code, stdout } = await terminal.run(['transcribe', note, '-c', 'models', '-f', 'json'], { env })
  const { model, usage, warnings } = JSON.parse(stdout)
  expect({ code, model }).toEqual({ code: 0, model: 'qwen3-asr-flash' })
  expect(usage.cost_usd).toBeCloseTo(Math.ceil(usage.audio_seconds) * 0.000035, 6)
  expect(warnings).toContain('qwen3-asr-flash answered in place of retired-asr, which is not available.')
})

it('transcribe requests word times only with --timestamps word, not because of json output', async () => {
  const spoken = async (...more: string[]) => {
    const { stdout } = await terminal.run(['transcribe', note, '-c', 'times', '-f', 'json', ...more])
    return JSON.parse(stdout).segments.every(({ words }: { words?: unknown[] }) => words !== undefined)
  }
  await terminal.run(['transcribe', note, '-c', 'times'])
  const before = terminal.dashscope.requests.length
  expect(await spoken()).toBe(false)
  expect(terminal.dashscope.requests.length).toBe(before)
  expect(await spoken('--timestamps', 'segment')).toBe(false)
  expect(await spoken('--timestamps', 'word')).toBe(true)
})

it.each([
  ['a relative path', () => 'silence.wav'],
  ['a path by way of ..', () => join('..', relative(dirname(terminal.work), pathOf('silence.wav')))],
  ['a path outside the home folder', () => join(elsewhere.work, 'silence.wav')],
  ['a name with a colon', () => 'memo:1.wav'],
  ['a link to a file elsewhere', () => 'link.wav'],
  ['a data: URI', () => uri(silentWav())],
])('transcribe accepts %s', async (_, input) => {
  await copyFile(pathOf('silence.wav'), pathOf('memo:1.wav'))
  await symlink(join(elsewhere.work, 'silence.wav'), pathOf('link.wav')).catch(() => {})
  const { code, stdout, stderr } = await terminal.run(['transcribe', input()])
  expect({ code, stdout: stdout.trim() }, stderr).toEqual({ code: 0, stdout: '' })
  expect(stderr).toMatch(/(^|\n)Saved as /)
})

it('transcribe respects configured allowed folders', async () => {
  const env = { SPEECH_ALLOWED_DIRS: elsewhere.work }
  const { code, stderr } = await terminal.run(['transcribe', 'silence.wav'], { env })
  expect(code).toBe(1)
  expect(stderr).toMatch(/^OUTSIDE_ALLOWED_DIRS: /)
})

it.each(['missing/out.srt', '.'])(
  'nothing is sent if the transcript cannot be written to %s',
  async output => {
    const before = terminal.dashscope.requests.length
    const { code, stdout, stderr } = await terminal.run(['transcribe', note, '-c', output, '-o', output])
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toMatch(
      /^BAD_INPUT: The output could not be written as .*folder exists.* Nothing was sent\.\n$/,
    )
    expect(terminal.dashscope.requests.length).toBe(before)
    expect((await readdir(terminal.work)).filter(name => name.endsWith('.part'))).toEqual([])
  },
)

it.each([
  ['~ in quotes', () => '~/memo.wav'],
  ['a file:// URL', () => `file://${join(terminal.env.HOME!, 'memo.wav')}`],
  ['a path in quotes', () => `"${join(terminal.env.HOME!, 'memo.wav')}"`],
  ['a name in another Unicode form', () => '~/me\u0301mo.wav'],
])('transcribe takes %s as tools do, for input and output', async (_, input) => {
  for (const name of ['memo.wav', 'm\u00e9mo.wav'])
    await copyFile(pathOf('silence.wav'), join(terminal.env.HOME!, name))
  const output = input().replace('.wav', '.srt').normalize('NFC')
  const { code, stderr } = await terminal.run(['transcribe', input(), '-o', output])
  expect({ code, stderr }).toEqual({
    code: 0,
    stderr: expect.stringMatching(/^Wrote .*\.srt"?: 0:00, \$0\.00\.\n/),
  })
  expect((await readdir(terminal.env.HOME!)).some(name => name.endsWith('.srt'))).toBe(true)
})

it('an error repeats the path as it was given', async () => {
  const { code, stderr } = await terminal.run(['transcribe', './no/where.wav'])
  expect(code).toBe(1)
  expect(stderr).toMatch(/^FILE_NOT_FOUND: .* Given: "\.\/no\/where\.wav"\.\n$/)
})

it('a failed transcribe leaves an existing output file unchanged', async () => {
  await mkdir(pathOf('old'))
  await writeFile(pathOf('old/out.txt'), 'old')
  const env = { DASHSCOPE_API_KEY: 'sk-wrong' }
  const { code, stderr } = await terminal.run(
    ['transcribe', note, '-c', 'never cached', '-o', 'old/out.txt'],
    {
      env,
    },
  )
  expect(code).toBe(1)
  expect(stderr).toMatch(/^KEY_REFUSED: /)
  expect(await readdir(pathOf('old'))).toEqual(['out.txt'])
  expect(await readFile(pathOf('old/out.txt'), 'utf8')).toBe('old')
})

it('a successful transcribe replaces an existing output file', async () => {
  await writeFile(pathOf('again.txt'), 'old')
  expect(await terminal.run(['transcribe', 'silence.wav', '-o', 'again.txt'])).toMatchObject({ code: 0 })
  expect(await readFile(pathOf('again.txt'), 'utf8')).not.toContain('old')
})

it('transcribe exits with 3 and names the gap if text is missing', async () => {
  const refused = { status: 400, code: 'DataInspectionFailed', message: 'no' }
  terminal.dashscope.fault({ kind: 'error', times: 1, ...refused })
  const { file } = await makeSpacedRecording(terminal.work, 4)
  const { code, stdout, stderr } = await terminal.run(['transcribe', file])
  expect(code).toBe(3)
  expect(stdout.length).toBeGreaterThan(200)
  expect(stderr).toMatch(/^\d+:.*\.\nNo text from [\d.]+ s to [\d.]+ s: .*\nSaved as tr_\w+\.\n$/)
})

it('transcribe asks for the halves of an answer that was cut, and both are billed', async () => {
  const before = terminal.dashscope.requests.length
  terminal.dashscope.fault({ kind: 'length', times: 1 })
  const { code, stdout } = await terminal.run(['transcribe', fixture('jfk.wav'), '-c', 'cut', '-f', 'json'])
  const { text, usage } = JSON.parse(stdout)
  expect({ code, said: plainWords(text) }).toEqual({ code: 0, said: plainWords(truthText(truth('jfk'))) })
  const sent = terminal.dashscope.requests.slice(before)
  expect(sent.length).toBeGreaterThan(2)
  const seconds = sent.reduce((sum, request) => sum + request.seconds, 0)
  expect(Math.abs(usage.audio_seconds - seconds)).toBeLessThan(1)
})

it('transcribe reports FFMPEG_MISSING if FFMPEG_PATH is wrong', async () => {
  const env = { FFMPEG_PATH: '/nowhere/ffmpeg' }
  const { code, stderr } = await terminal.run(['transcribe', 'silence.wav', '-c', 'never cached'], { env })
  expect(code).toBe(1)
  expect(stderr).toMatch(/^FFMPEG_MISSING: .*ffmpeg-static/)
})

describe.each(['SIGINT', 'SIGTERM'] as const)('%s', signal => {
  it('the signal aborts the request, empties the scratch folder and exits with 130', async () => {
    const scratch = join(terminal.env.SPEECH_DATA_DIR!, 'scratch')
    const over = terminal.dashscope.fault({ kind: 'hang' })
    const { child, result } = terminal.start(['transcribe', uri(await readFile(note)), '-c', signal])
    await vi.waitUntil(
      () => terminal.dashscope.requests.at(-1)?.spokenText && terminal.dashscope.inFlight() > 0,
      {
        timeout: 20_000,
      },
    )
    expect(await readdir(scratch)).toHaveLength(1)
    child.kill(signal)
    expect(await result).toEqual({ code: 130, stdout: '', stderr: 'Cancelled.\n' })
    expect(await readdir(scratch)).toEqual([])
    await vi.waitUntil(() => terminal.dashscope.inFlight() === 0)
    over()
  })

  it('the signal stops ffmpeg', async () => {
    // A pipe that its writer holds open ends when the writer does.
    const pipe = pathOf(`life-${signal}`)
    execFileSync('mkfifo', [pipe])
    const life = createReadStream(pipe)
    const ended = once(life, 'end')
    const program = pathOf(`ffmpeg-${signal}`)
    await writeFile(program, `#!/bin/sh\nexec 9>'${pipe}'\necho born >&9\nexec sleep 500\n`, { mode: 0o755 })
    const { child, result } = terminal.start(['transcribe', note, '-c', `${signal} to ffmpeg`], {
      env: { FFMPEG_PATH: program },
    })
    await once(life, 'data')
    child.kill(signal)
    expect(await result).toMatchObject({ code: 130 })
    await ended
  })
})
