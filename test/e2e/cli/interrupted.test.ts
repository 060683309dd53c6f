// A command that is interrupted while ffmpeg hangs: nothing that it has started outlives it.
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { openTerminal, type Terminal } from '../../support/e2e/terminal.ts'

let terminal: Terminal
beforeAll(async () => {
  terminal = await openTerminal()
})
afterAll(() => terminal.close())

/** False for a process that has ended, also where nothing has collected it yet. */
async function isRunning(pid: number): Promise<boolean> {
  try {
    process.kill(pid, 0)
    return !/\) Z /.test(await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => ''))
  } catch {
    return false
  }
}

it.each(['doctor', 'transcribe'])('%s leaves no ffmpeg behind when it is interrupted', async command => {
  const path = join(terminal.work, `${command}-ffmpeg`)
  const ids = `${path}.ids`
  await writeFile(ids, '')
  const child = `sh -c 'echo $$ >> "${ids}"; exec sleep 60'`
  await writeFile(path, `#!/bin/sh\necho $$ >> '${ids}'\n${child}\n`, { mode: 0o755 })
  const words = command === 'doctor' ? [command] : [command, 'silence.wav']
  const { child: program, result } = terminal.start(words, { env: { FFMPEG_PATH: path } })
  const started = async () => (await readFile(ids, 'utf8')).trim().split('\n').filter(Boolean).map(Number)
  await vi.waitFor(async () => expect((await started()).length).toBeGreaterThan(1), { timeout: 20_000 })
  program.kill('SIGINT')
  await result
  await vi.waitFor(async () =>
    expect((await Promise.all((await started()).map(isRunning))).filter(Boolean)).toEqual([]),
  )
})

it('an ffmpeg that begins in the moment of the interruption does not stay behind either', async () => {
  const path = join(terminal.work, 'sudden-ffmpeg')
  const ids = `${path}.ids`
  await writeFile(path, `#!/bin/sh\nkill -INT $PPID\necho $$ >> '${ids}'\nexec sleep 60\n`, { mode: 0o755 })
  for (let i = 0; i < 5; i++) {
    await writeFile(ids, '')
    await terminal.start(['doctor'], { env: { FFMPEG_PATH: path } }).result
    const started = (await readFile(ids, 'utf8')).trim().split('\n').filter(Boolean).map(Number)
    await vi.waitFor(async () => {
      expect((await Promise.all(started.map(isRunning))).filter(Boolean)).toEqual([])
    })
  }
})
