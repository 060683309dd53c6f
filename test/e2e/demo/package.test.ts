// `speech-mcp demo` where the package is installed: without the recordings of a clone, with the two of its own.
import { cp, mkdir, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { root } from '../../support/e2e/system.ts'
import { openTerminal, type Terminal } from '../../support/e2e/terminal.ts'

let terminal: Terminal
let main: string
beforeAll(async () => {
  terminal = await openTerminal()
  const folder = join(terminal.work, 'package')
  await mkdir(folder)
  await symlink(join(root, 'node_modules'), join(folder, 'node_modules'))
  for (const name of ['dist', 'package.json', 'demo/recordings'])
    await cp(join(root, name), join(folder, name), { recursive: true })
  main = join(folder, 'dist', 'main.js')
})
afterAll(() => terminal.close())

it('the demo of an installed package transcribes, tells speakers apart and formats', async () => {
  const env = { DASHSCOPE_API_KEY: '' }
  const { code, stdout, stderr } = await terminal.start(['demo'], { main, env }).result
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(stdout).toContain('ask not what your country can do for you')
  expect(stdout).toMatch(/\[0:00\] Hannah: Right, it's ten past nine.*\n\[0:10\] Viktor: A quick note/)
  expect(stdout).toContain('That was the complete workflow')
})

it('demo --cluster says that it needs a clone', async () => {
  const { code, stderr } = await terminal.start(['demo', '--cluster'], { main }).result
  expect(code).toBe(2)
  expect(stderr).toMatch(/^BAD_INPUT: demo --cluster needs a longer recording .* clone of the repository/)
})
