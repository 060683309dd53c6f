// Doctor's checks of folders: the one for the data, and those with recordings.
import { access, constants, mkdir, stat } from 'node:fs/promises'
import type { App } from '../../app.ts'
import type { Config } from '../../config/config.ts'
import { SpeechError } from '../../domain/errors.ts'
import { localOwner } from '../../domain/job.ts'
import { isOpenToOthers } from '../../system/private-files.ts'

/** Throws why the folder cannot be used. */
export async function checkDataDir(app: App, { dataDir }: Config): Promise<string> {
  await mkdir(dataDir, { recursive: true, mode: 0o700 })
    .then(() => access(dataDir, constants.W_OK))
    .catch(cause => {
      throw new SpeechError('STORE_FAILED', `${dataDir} is not writable.`, {
        hint: 'Fix its permissions, or set SPEECH_DATA_DIR to another folder.',
        cause,
      })
    })
  // With a shared store the folder contains only scratch files.
  if (app.setUpStore) return describeAccess(dataDir)
  const { transcripts } = await app.jobs.list(localOwner, { limit: 1 })
  const warnings = app.storeWarnings()
  if (warnings.length > 0)
    throw new SpeechError('STORE_FAILED', warnings.join(' '), {
      hint: '`sqlite3 FILE .recover` may recover more from a damaged file.',
    })
  return `${describeAccess(dataDir)}${transcripts[0] ? `, newest transcript from ${transcripts[0].createdAt.slice(0, 10)}` : ', no transcripts yet'}`
}

function describeAccess(folder: string): string {
  return isOpenToOthers(folder) ? `${folder}, open to other users (\`chmod 700\` closes it)` : folder
}

export async function checkAllowedDirs({ allowedDirs }: Config): Promise<string> {
  for (const folder of allowedDirs) {
    const found = await stat(folder).catch(() => undefined)
    if (!found?.isDirectory())
      throw new SpeechError('CONFIG_INVALID', `${folder} is not a folder.`, {
        hint: 'Fix SPEECH_ALLOWED_DIRS.',
      })
  }
  return allowedDirs.join(', ')
}
