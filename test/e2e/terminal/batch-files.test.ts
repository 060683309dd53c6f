// Files of a batch at a terminal: outputs stay in their folder, inputs stay as they are, and nothing is left behind.
import { copyFile, mkdir, mkdtemp, readdir, readFile, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { runProgramHere } from '../../support/e2e/program-here.ts'
import { fixture } from '../../support/e2e/system.ts'
import { openTerminal, type Terminal } from '../../support/e2e/terminal.ts'

let terminal: Terminal
beforeAll(async () => {
  terminal = await openTerminal()
  await terminal.dashscope.warmUp()
})
afterAll(() => terminal.close())

const freshFolder = () => mkdtemp(join(terminal.work, 'folder-'))
const asked = () => terminal.dashscope.requests.length

it('the text of a link lies in --out under the name of the link', async () => {
  const folder = await freshFolder()
  for (const name of ['in', 'outside']) await mkdir(join(folder, name))
  await copyFile(fixture('voice-note.ogg'), join(folder, 'outside', 'linked.ogg'))
  await symlink(join(folder, 'outside', 'linked.ogg'), join(folder, 'in', 'l.ogg'))
  const out = join(folder, 'out')
  const { code, stderr } = await terminal.run(['transcribe', join(folder, 'in'), '--out', out, '--yes'])
  expect({ code, out: await readdir(out) }, stderr).toEqual({ code: 0, out: ['l.txt'] })
  expect(await readdir(join(folder, 'outside'))).toEqual(['linked.ogg'])
})

it('an output that is the recording itself is refused, also through a link', async () => {
  const folder = await freshFolder()
  const recording = join(folder, 'x.wav')
  await copyFile(fixture('jfk.wav'), recording)
  await symlink(recording, join(folder, 'link.txt'))
  const before = asked()
  for (const output of [recording, join(folder, 'link.txt')]) {
    const { code, stderr } = await terminal.run(['transcribe', recording, '-f', 'txt', '-o', output])
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: expect.stringMatching(/^BAD_INPUT: .*recording itself/),
    })
  }
  expect(asked()).toBe(before)
  expect(await readFile(recording)).toEqual(await readFile(fixture('jfk.wav')))
})

it('--overwrite replaces no recording, whatever its name is', async () => {
  const folder = await freshFolder()
  const recording = join(folder, 'talk.txt')
  await copyFile(fixture('jfk.wav'), recording)
  const { code } = await terminal.run(['transcribe', recording, '--out', folder, '--overwrite', '--yes'])
  expect(code).toBe(0)
  expect(await readFile(recording)).toEqual(await readFile(fixture('jfk.wav')))
  expect((await readdir(folder)).sort()).toEqual(['talk.txt', 'talk.txt.txt'])
})

it('a pattern fits in a working folder with brackets in its name', async () => {
  const folder = join(await freshFolder(), 'calls [2026] {a,b}')
  await mkdir(join(folder, 'in'), { recursive: true })
  await copyFile(fixture('voice-note.ogg'), join(folder, 'in', 'note.ogg'))
  for (const [cwd, pattern] of [
    [folder, 'in/*.ogg'],
    [join(folder, 'in'), '../in/*.ogg'],
  ] as const) {
    const { code, stderr } = await runProgramHere(['transcribe', pattern, '--yes'], {
      env: terminal.env,
      cwd,
    })
    expect(code, stderr).toBe(0)
  }
  expect((await readdir(join(folder, 'in'))).sort()).toEqual(['note.ogg', 'note.txt'])
})

it('folders of outputs are made once the price is agreed to', async () => {
  const folder = await freshFolder()
  await copyFile(fixture('jfk.wav'), join(folder, 'a.wav'))
  const args = ['transcribe', folder, '--out', join(folder, 'out', 'texts'), '-c', 'folders']
  const at = { env: terminal.env, cwd: terminal.work, isTerminal: true, input: 'n\n' }
  expect((await runProgramHere(args, at)).code).toBe(1)
  expect(await readdir(folder)).toEqual(['a.wav'])
  expect((await terminal.run([...args, '--yes'])).code).toBe(0)
  expect(await readdir(join(folder, 'out', 'texts'))).toEqual(['a.txt'])
})

it.each([
  ['a pattern that fits nothing', 1, ['*.mp9'], 'FILE_NOT_FOUND'],
  ['a title for several', 2, ['.', '-t', 'Talk'], 'BAD_INPUT'],
  ['no recording', 2, [], 'BAD_INPUT'],
])('--json tells of %s', async (_, code, args, error) => {
  const result = await terminal.run(['transcribe', ...args, '--json'])
  expect(result.code).toBe(code)
  expect(JSON.parse(result.stdout)).toMatchObject({ event: 'error', error: { code: error } })
})

it.each([
  ['SIGINT', ['-']],
  ['SIGTERM', ['-']],
  ['SIGTERM', ['-', 'silence.wav', '--yes']],
] as const)('%s while stdin is read leaves nothing of it (%j)', async (signal, args) => {
  const temporary = await freshFolder()
  const env = { TMPDIR: temporary }
  const { child, result } = terminal.start(['transcribe', ...args], { env, input: { open: true } })
  child.stdin!.write(Buffer.alloc(1_000))
  const kept = async () =>
    (await readdir(temporary, { recursive: true })).filter(name => name.endsWith('stdin'))
  await vi.waitFor(async () => expect(await kept()).toHaveLength(1), { timeout: 20_000 })
  child.kill(signal)
  expect(await result).toMatchObject({ code: 130, stdout: '', stderr: 'Cancelled.\n' })
  expect((await readdir(temporary)).filter(name => name.includes('stdin'))).toEqual([])
})
