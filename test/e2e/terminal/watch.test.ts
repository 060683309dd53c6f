// The command `watch`: it does what appears in a folder, once it is whole.
import { appendFile, copyFile, mkdir, readdir, readFile, rename, rm, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, it, onTestFinished, vi } from 'vitest'
import { createAppearing } from '../../../src/cli/watch/appearing.ts'
import { createRetries } from '../../../src/cli/watch/retries.ts'
import { SpeechError } from '../../../src/domain/errors.ts'
import { fixture } from '../../support/e2e/system.ts'
import { openTerminal, type Terminal } from '../../support/e2e/terminal.ts'

let terminal: Terminal
beforeAll(async () => {
  terminal = await openTerminal()
})
afterAll(() => terminal.close())

const file = (path: string, bytes: number, modifiedAt = '1') => ({ path, bytes, modifiedAt })

it('a file is whole once it has stayed the same for the given time; one that was there is left alone', () => {
  const look = createAppearing({ settleMs: 100, existing: false })
  expect(look([file('/old.wav', 5)], 0)).toEqual([])
  expect(look([file('/old.wav', 5), file('/new.wav', 1)], 50)).toEqual([])
  expect(look([file('/old.wav', 5), file('/new.wav', 2)], 100)).toEqual([])
  expect(look([file('/old.wav', 5), file('/new.wav', 2)], 180)).toEqual([])
  expect(look([file('/old.wav', 5), file('/new.wav', 2)], 200)).toEqual(['/new.wav'])
  expect(look([file('/old.wav', 5), file('/new.wav', 2)], 400)).toEqual([])
  // A recording that was under way at the start grows; another one takes the place of the first.
  expect(look([file('/old.wav', 6), file('/new.wav', 2, '2')], 500)).toEqual([])
  expect(look([file('/old.wav', 6), file('/new.wav', 2, '2')], 600)).toEqual(['/new.wav', '/old.wav'])
})

it('a file that is gone for a while is not new when it comes back, and an empty one waits', () => {
  const look = createAppearing({ settleMs: 0, existing: true })
  const files = [file('/in/a.wav', 1), file('/in/empty.wav', 0)]
  look(files, 0)
  expect(look(files, 1)).toEqual(['/in/a.wav'])
  look([], 2)
  look(files, 3)
  expect(look(files, 4)).toEqual([])
  const old = createAppearing({ settleMs: 0, existing: false })
  for (const [time, here] of [files, [], files, files].entries()) expect(old(here, time)).toEqual([])
  // One that was still being written begins anew.
  const part = createAppearing({ settleMs: 5, existing: true })
  for (const [time, here] of [files, [], files].entries()) expect(part(here, 10 * time)).toEqual([])
  expect(part(files, 25)).toEqual(['/in/a.wav'])
})

it('what an unreachable provider has kept waiting is tried again after a minute, once', () => {
  const retries = createRetries()
  retries.add(
    {
      audio: '/first.wav',
      outcome: 'failed',
      error: new SpeechError('PROVIDER_UNREACHABLE', '', { hint: '' }),
    },
    0,
  )
  retries.add({ audio: '/second.wav', outcome: 'waiting' }, 10)
  retries.add(
    { audio: '/broken.wav', outcome: 'failed', error: new SpeechError('FILE_NOT_FOUND', '', { hint: '' }) },
    10,
  )
  expect(retries.take(59_999)).toEqual([])
  expect(retries.take(60_010)).toEqual(['/first.wav', '/second.wav'])
  expect(retries.take(200_000)).toEqual([])
})

it('watch transcribes a recording that appears, after it was written, and ends with Ctrl-C', async () => {
  const folder = join(terminal.work, 'inbox')
  await mkdir(folder)
  await copyFile(fixture('jfk.wav'), join(folder, 'old.wav'))
  const { child, result } = terminal.start(['watch', folder, '--settle', '2', '-f', 'md'])
  const said: string[] = []
  child.stderr!.on('data', piece => said.push(String(piece)))
  await vi.waitFor(() => expect(said.join('')).toContain('Watching'), { timeout: 20_000 })
  const note = await readFile(fixture('voice-note.ogg'))
  const part = join(terminal.work, 'note.ogg')
  await appendFile(part, note.subarray(0, 9_000))
  await rename(part, join(folder, 'note.ogg'))
  await appendFile(join(folder, 'note.ogg'), note.subarray(9_000))
  await vi.waitFor(
    async () => expect(await readFile(join(folder, 'note.md'), 'utf8')).toContain('Hi Greta!'),
    { timeout: 30_000 },
  )
  await vi.waitFor(() => expect(said.join('')).toMatch(/✓ note\.ogg → .*note\.md: 0:07, \$0\.0003\n/))
  child.kill('SIGINT')
  expect(await result).toMatchObject({ code: 0, stdout: '' })
  expect(terminal.dashscope.requests).toHaveLength(1)
}, 60_000)

it('watch -r names outputs by their path in the folder, however deep, and makes their folders', async () => {
  const folder = join(terminal.work, 'deep')
  const out = join(terminal.work, 'deep texts')
  const deep = 'a/b/c/d/e/f/g/h'
  await mkdir(join(folder, deep), { recursive: true })
  await mkdir(join(terminal.work, 'elsewhere'))
  await copyFile(fixture('voice-note.ogg'), join(folder, deep, 'note.ogg'))
  await copyFile(fixture('jfk.wav'), join(terminal.work, 'elsewhere', 'target.wav'))
  await symlink(join(terminal.work, 'elsewhere', 'target.wav'), join(folder, 'link.wav'))
  const args = [
    'watch',
    folder,
    '-r',
    '--out',
    out,
    '--existing',
    '--settle',
    '0',
    '--max-cost',
    '1',
    '--json',
  ]
  const env = { SPEECH_ALLOWED_DIRS: terminal.work }
  const { child, result } = terminal.start(args, { env })
  let ended = 0
  child.stdout!.on('data', piece => {
    ended += String(piece).split('"event":"recording"').length - 1
    if (ended >= 2) child.kill('SIGINT')
  })
  expect(await result).toMatchObject({ code: 0 })
  const files = (await readdir(out, { recursive: true })).filter(name => name.endsWith('.txt'))
  expect(files.sort()).toEqual([`${deep}/note.txt`, 'link.txt'])
  expect(await readdir(join(terminal.work, 'elsewhere'))).toEqual(['target.wav'])
}, 60_000)

it('watch --max-cost refuses a model without a price before anything is sent', async () => {
  const before = terminal.dashscope.requests.length
  const args = ['watch', '.', '--existing', '--settle', '0', '--max-cost', '1', '--json']
  const { code, stdout, stderr } = await terminal.run(args, { env: { ASR_MODEL: 'unpriced-asr' } })
  expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining('PRICE_UNKNOWN: ') })
  expect(stdout).toMatch(/"event":"error".*"PRICE_UNKNOWN"/)
  expect(terminal.dashscope.requests).toHaveLength(before)
})

it.each([
  [[], /^BAD_INPUT: Exactly one folder/],
  [['nowhere'], /^FILE_NOT_FOUND: No folder exists/],
  [['silence.wav'], /^BAD_INPUT: .* is no folder/],
  [['.', '--settle', 'soon'], /^BAD_INPUT: .*--settle/],
])('watch explains what is wrong with %j', async (args, told) => {
  const { code, stderr } = await terminal.run(['watch', ...args])
  expect(code).not.toBe(0)
  expect(stderr).toMatch(told)
})

it('a watch goes on behind a recording that is gone before its turn, and writes over no text of another', async () => {
  const own = await openTerminal()
  onTestFinished(() => own.close())
  const folder = join(own.work, 'mixed')
  await mkdir(folder)
  await copyFile(fixture('voice-note.ogg'), join(folder, 'talk.ogg'))
  const release = own.dashscope.fault({ kind: 'held' })
  const args = ['watch', folder, '--settle', '0', '--existing', '--overwrite', '--max-cost', '1', '--json']
  const { child, result } = own.start(args)
  onTestFinished(() => void child.kill('SIGKILL'))
  const results = new Map<string, { outcome?: string; files?: string[] }>()
  createInterface({ input: child.stdout! }).on('line', line => {
    const event = JSON.parse(line) as { name?: string; outcome?: string; files?: string[] }
    if (event.name) results.set(event.name, event)
  })
  const resultOf = (name: string) =>
    vi.waitFor(() => {
      const event = results.get(name)
      if (!event) throw new Error(`Nothing was said of ${name}.`)
      return event
    }, 30_000)
  await vi.waitFor(() => expect(own.dashscope.requests).toHaveLength(1), 30_000)
  // It waits behind the first, whose cost is not known yet; a look is not told of, so that it may come too late.
  await copyFile(fixture('clip.mp4'), join(folder, 'gone.mp4'))
  await sleep(500)
  await rm(join(folder, 'gone.mp4'))
  release()
  expect(await resultOf('talk.ogg')).toMatchObject({ files: [join(folder, 'talk.txt')] })
  await copyFile(fixture('jfk.wav'), join(folder, 'talk.wav'))
  expect(await resultOf('talk.wav')).toMatchObject({ files: [join(folder, 'talk.wav.txt')] })
  child.kill('SIGINT')
  expect(await result).toMatchObject({ code: 0 })
}, 60_000)
