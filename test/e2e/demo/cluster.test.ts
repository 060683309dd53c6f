// `speech-mcp demo --cluster`: a worker is killed during its job, and another one finishes it.
import { readdirSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { tempFolder } from '../../support/e2e/system.ts'
import { openTerminal, type Terminal } from '../../support/e2e/terminal.ts'

let terminal: Terminal
beforeAll(async () => {
  terminal = await openTerminal()
})
afterAll(() => terminal.close())

describe('speech-mcp demo --cluster', () => {
  it('demo --cluster kills a worker, shows that another one takes over, and checks the result', async () => {
    const folder = await tempFolder()
    const { code, stdout, stderr } = await terminal.start(['demo', '--cluster'], {
      env: { TMPDIR: folder.path },
    }).result
    expect({ code, stderr }, stdout).toEqual({ code: 0, stderr: '' })
    expect(stdout).toContain('Queue speech-jobs-brief was created.')
    const killed = /Worker (\d) runs the job and is killed/.exec(stdout)?.[1]
    const successor = /Worker (\d) takes over\./.exec(stdout)?.[1]
    expect(killed).toMatch(/[123]/)
    expect(successor).not.toBe(killed)
    expect(stdout).toMatch(/progress: Transcribed \d:\d\d of 5:42/)
    expect(stdout).toMatch(/^ok {4}all 1063 spoken words/m)
    expect(stdout).not.toMatch(/^FAIL/m)
    expect(readdirSync(folder.path)).toEqual([])
    await folder.remove()
  }, 120_000)

  it('demo --cluster cannot be combined with --serve', async () => {
    const { code, stderr } = await terminal.run(['demo', '--cluster', '--serve'])
    expect(code).toBe(2)
    expect(stderr).toMatch(/^BAD_INPUT: The demo accepts either --serve or --cluster\./)
  })
})
