// Several recordings at a terminal: the price first, each text beside its recording, and nothing over other files.
import { copyFile, mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest'
import { makeShortRecordings } from '../../support/audio/short-recordings.ts'
import { runProgramHere } from '../../support/e2e/program-here.ts'
import { fixture } from '../../support/e2e/system.ts'
import { openTerminal, type Terminal } from '../../support/e2e/terminal.ts'

let terminal: Terminal
let folder: string
let speech: string[]

beforeAll(async () => {
  terminal = await openTerminal()
  await terminal.dashscope.warmUp()
  speech = await makeShortRecordings(join(terminal.work, 'slices'), 12)
})
afterAll(() => terminal.close())
beforeEach(async () => {
  folder = join(terminal.work, 'talks')
  await mkdir(folder)
})
afterEach(() => rm(folder, { recursive: true, force: true }))

async function put(name: string, from = speech[0]!): Promise<string> {
  const path = join(folder, name)
  await mkdir(join(path, '..'), { recursive: true })
  await copyFile(from, path)
  return path
}

const asked = () => terminal.dashscope.requests.length
const texts = async () =>
  (await readdir(folder, { recursive: true })).filter(name => !/^loop|\.(?:wav|mp3|ogg)$/.test(name)).sort()

/** The JSON lines of a run. */
async function events(args: string[], env: Record<string, string> = {}) {
  const { code, stdout, stderr } = await terminal.run([...args, '--json'], { env })
  const lines = stdout
    .split('\n')
    .filter(Boolean)
    .map(line => JSON.parse(line))
  return {
    code,
    stderr,
    plan: lines[0],
    end: lines.at(-1),
    of: lines.filter(({ event }) => event === 'recording'),
  }
}

it('a batch says its price and sends nothing unless --yes, --max-cost or a person agrees', async () => {
  await put('a.wav', speech[0])
  await put('b.wav', speech[1])
  const before = asked()
  const refused = await terminal.run(['transcribe', folder])
  expect(refused).toMatchObject({ code: 2, stdout: '' })
  expect(refused.stderr).toMatch(
    /^2 recordings, 0:05\. To do: 2, 0:05, at most \$0\.000\d\.\nBAD_INPUT: .*--max-cost/,
  )
  const dear = await terminal.run(['transcribe', folder, '--max-cost', '0.0001'])
  expect(dear).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/\nCOST_TOO_HIGH: .*more than --max-cost \$0\.0001\./),
  })
  const at = { env: terminal.env, cwd: terminal.work, isTerminal: true }
  expect(await runProgramHere(['transcribe', folder], { ...at, input: 'n\n' })).toMatchObject({
    code: 1,
    stdout: '',
  })
  expect(asked()).toBe(before)
  const { code, stdout, stderr } = await runProgramHere(['transcribe', folder], { ...at, input: 'y\n' })
  expect({ code, asked: asked() - before }, stderr).toEqual({ code: 0, asked: 2 })
  expect(stderr).toMatch(/✓ a\.wav → talks\/a\.txt: 0:02, \$0\.0001\n/)
  expect(stdout).toMatch(/^recording +length +cost +result\n/)
  expect(stdout).toMatch(/\n2 recordings +0:05 +\$0\.000\d +2 done\n$/)
  expect(await texts()).toEqual(['a.txt', 'b.txt'])
  const again = await terminal.run(['transcribe', folder])
  expect(again).toMatchObject({
    code: 0,
    stderr: expect.stringContaining('2 are done already. Nothing is left to do.'),
  })
  expect(asked() - before).toBe(2)
})

it('a recording that is done is known by its content, also under another name and as a copy', async () => {
  await put('first.wav', speech[2])
  await terminal.run(['transcribe', folder, '--yes'])
  await put('renamed.wav', speech[2])
  await symlink(join(folder, 'first.wav'), join(folder, 'link.wav'))
  await symlink(folder, join(folder, 'loop'))
  const before = asked()
  const { code, plan, of } = await events(['transcribe', folder, '-r'])
  expect({ code, asked: asked() - before }).toEqual({ code: 0, asked: 0 })
  expect(plan).toMatchObject({ recordings: 1, done_before: 1, copies: 1, max_cost_usd: 0 })
  expect(of.map(({ name, status }) => [name, status])).toEqual([
    ['first.wav', 'done_before'],
    ['renamed.wav', 'copy'],
  ])
  expect(await texts()).toEqual(['first.txt', 'renamed.txt'])
})

it('no text is written over a file of the user, an edited text, or the text of another recording', async () => {
  await put('talk.wav', speech[3])
  await put('talk.mp3', speech[4])
  await put('sub/talk.wav', speech[5])
  await writeFile(join(folder, 'talk.txt'), 'my notes')
  const run = () => events(['transcribe', folder, '-r', '--yes'])
  const { code, of } = await run()
  expect(code).toBe(0)
  expect(await texts()).toEqual(['sub', 'sub/talk.txt', 'talk.mp3.txt', 'talk.txt', 'talk.wav.txt'])
  expect(await readFile(join(folder, 'talk.txt'), 'utf8')).toBe('my notes')
  expect(of.flatMap(({ files }) => files).sort()).toEqual([
    join(folder, 'sub/talk.txt'),
    join(folder, 'talk.mp3.txt'),
    join(folder, 'talk.wav.txt'),
  ])
  await writeFile(join(folder, 'sub/talk.txt'), 'corrected')
  const second = await run()
  expect(second.of.flatMap(({ warnings }) => warnings)).toEqual([expect.stringContaining('--overwrite')])
  expect(await readFile(join(folder, 'sub/talk.txt'), 'utf8')).toBe('corrected')
  expect(await texts()).toHaveLength(5)
  await events(['transcribe', folder, '-r', '--overwrite'])
  expect(await readFile(join(folder, 'sub/talk.txt'), 'utf8')).not.toBe('corrected')
  expect(await readFile(join(folder, 'talk.txt'), 'utf8')).not.toBe('my notes')
})

it('--out keeps the folders of the recordings, and takes several formats', async () => {
  for (const name of ['a/talk.wav', 'b/talk.wav']) await put(name, speech[name.startsWith('a') ? 6 : 7])
  const out = join(folder, 'out')
  const all = [join(folder, 'a'), join(folder, 'b'), '--out', out, '-f', 'srt,md', '--yes']
  expect((await terminal.run(['transcribe', ...all])).code).toBe(0)
  expect((await readdir(out)).sort()).toEqual(['talk.md', 'talk.srt', 'talk.wav.md', 'talk.wav.srt'])
  expect((await terminal.run(['transcribe', folder, '-r', '--out', out])).code).toBe(0)
  expect(await readdir(join(out, 'a'))).toEqual(['talk.txt'])
})

it('globs, names in two Unicode forms, and stdin are inputs; earlier texts among them are left out', async () => {
  await put('me\u0301mo.wav', speech[8])
  await put('m\u00e9mo.wav', speech[9])
  await put('note.ogg', fixture('voice-note.ogg'))
  const { of } = await events(['transcribe', join(folder, '*.{WAV,ogg}'), '--yes'])
  expect(of.map(({ status }) => status)).toEqual(['done', 'done', 'done'])
  expect(new Set(of.flatMap(({ files }) => files)).size).toBe(3)
  const files = (await readdir(folder)).map(name => join(folder, name))
  const again = await terminal.run(['transcribe', ...files])
  expect(again).toMatchObject({
    code: 0,
    stderr: expect.stringMatching(/^Note: 3 texts among the inputs are left out\.\n/),
  })
  const input = await readFile(fixture('voice-note.ogg'))
  const one = await terminal.run(['transcribe', '-'], { input })
  expect(one).toMatchObject({ code: 0, stdout: expect.stringContaining('Hi Greta!') })
  const both = await terminal.run(['transcribe', '-', speech[8]!, '--out', join(folder, 'out')], { input })
  expect(both.code).toBe(0)
  expect(await readdir(join(folder, 'out'))).toContain('stdin.txt')
})

it('a recording that fails does not keep the others from being done, and the exit code says so', async () => {
  await put('good.wav', speech[10])
  await writeFile(join(folder, 'bad.wav'), 'no sound')
  const { code, stdout, stderr } = await terminal.run([
    'transcribe',
    folder,
    join(folder, 'gone.wav'),
    '--yes',
  ])
  expect(code).toBe(1)
  for (const line of ['✗ talks/bad.wav: NOT_AUDIO: ', '✗ talks/gone.wav: FILE_NOT_FOUND: ', '✓ good.wav → '])
    expect(stderr).toContain(line)
  expect(stdout).toMatch(/\n3 recordings .* 1 done, 2 failed\n$/)
})

it('a wrong key stops the batch after the first recording', async () => {
  for (let i = 0; i < 12; i++) await put(`${i}.wav`, speech[i])
  const wrong = { DASHSCOPE_API_KEY: 'sk-wrong', SPEECH_DATA_DIR: join(terminal.work, 'wrong') }
  const { code, of, end } = await events(['transcribe', folder, '--yes'], wrong)
  expect(code).toBe(1)
  expect(of.filter(({ status }) => status === 'failed')).toMatchObject([{ error: { code: 'KEY_REFUSED' } }])
  expect(end).toMatchObject({ failed: 1, waiting: 11, cost_usd: 0 })
})

it.each([
  ['a folder without recordings', 1, () => [folder], /^FILE_NOT_FOUND: .*--recursive/],
  ['a pattern that fits nothing', 1, () => [join(folder, '*.mp9')], /^FILE_NOT_FOUND: .*pattern/],
  ['an output for one of several', 2, () => [speech[0]!, speech[1]!, '-o', 'a.txt'], /^BAD_INPUT: .*--out/],
  ['a title for several', 2, () => [speech[0]!, speech[1]!, '-t', 'Talk'], /^BAD_INPUT: .*--title/],
  [
    'a limit that is no amount',
    2,
    () => [speech[0]!, speech[1]!, '--max-cost', 'little'],
    /^BAD_INPUT: .*2\.50/,
  ],
  [
    'an output folder in a file',
    1,
    () => [speech[0]!, '--out', `${speech[0]}/out`],
    /FILE_NOT_WRITABLE: .*Nothing was sent/,
  ],
])('a batch refuses %s before anything is sent', async (_, code, args, told) => {
  const before = asked()
  const result = await terminal.run(['transcribe', ...args()])
  expect(result, result.stderr).toMatchObject({ code, stdout: '' })
  expect(result.stderr).toMatch(told)
  expect(asked()).toBe(before)
})
