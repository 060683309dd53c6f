// A job's end: it leaves no child process.
import { readFileSync } from 'node:fs'
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

/** An ffmpeg that notes the process id of each encoder. */
async function notingEncoders(folder: string) {
  const [path, noted] = ['ffmpeg', 'encoders'].map(name => join(folder, name)) as [string, string]
  const script = `#!/bin/sh
case "$*" in *pipe:0*) echo $$ >> '${noted}' ;; esac
exec '${await testFfmpeg()}' "$@"
`
  await writeFile(path, script)
  await chmod(path, 0o755)
  const encoders = () => readFileSync(noted, 'utf8').trim().split('\n').map(Number)
  return { path, encoders }
}

it.skipIf(process.platform === 'win32')('an encoder that hangs ends with a job that has failed', async () => {
  const { path, encoders } = await notingEncoders(workspace.folder)
  const harness = await workspace.open({
    ffmpeg: async () => ({ path }),
    async recognise() {
      for (const pid of encoders()) process.kill(pid, 'SIGSTOP')
      throw refused
    },
  })
  const { job } = await harness.transcribe()
  expect(job).toMatchObject({ state: 'failed', error: { code: 'KEY_REFUSED' } })
  await vi.waitFor(() => expect(encoders().filter(isAlive)).toEqual([]), eventually)
})
