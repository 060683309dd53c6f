// A job's end: it leaves no child process.
import { existsSync, readFileSync } from 'node:fs'
import { chmod, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { SpeechError } from '../../../../src/domain/errors.ts'
import { isAlive } from '../../../../src/system/processes.ts'
import { testFfmpeg } from '../../../support/audio/ffmpeg.ts'
import { createWorkspace, type Workspace } from '../../../support/jobs/harness.ts'

let workspace: Workspace
beforeEach(async () => {
  workspace = await createWorkspace()
})
afterEach(() => workspace.close())

const eventually = { timeout: 20_000, interval: 20 }
const refused = new SpeechError('KEY_REFUSED', 'No.', { hint: 'Ask.', scope: 'account' })

/** Decodes, encodes the first chunk, and hangs on the others after it has written its process id to a file. */
async function hangingEncoder(folder: string) {
  const [path, first, hanging] = ['ffmpeg', 'first', 'hanging'].map(name => join(folder, name)) as [
    string,
    string,
    string,
  ]
  const script = `#!/bin/sh
case "$*" in *pipe:0*) if ! mkdir '${first}' 2> /dev/null; then echo $$ > '${hanging}'; exec sleep 60; fi ;; esac
exec '${await testFfmpeg()}' "$@"
`
  await writeFile(path, script)
  await chmod(path, 0o755)
  const pid = () => (existsSync(hanging) ? Number(readFileSync(hanging, 'utf8')) : 0)
  return { path, pid }
}

it.skipIf(process.platform === 'win32')('an encoder that hangs ends with a job that has failed', async () => {
  const { path, pid } = await hangingEncoder(workspace.folder)
  const harness = await workspace.open({
    ffmpeg: async () => ({ path }),
    async recognise() {
      await vi.waitFor(() => expect(pid()).toBeGreaterThan(0), eventually)
      throw refused
    },
  })
  const { job } = await harness.transcribe()
  expect(job).toMatchObject({ state: 'failed', error: { code: 'KEY_REFUSED' } })
  await vi.waitFor(() => expect(isAlive(pid())).toBe(false), { interval: 20 })
})
