// Home of a program under trial: its folders, its settings, and files that it should have deleted.
import { mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../../test/support/e2e/system.ts'

export interface Home {
  /** Folder for recordings, readable by the program. */
  folder: string
  data: string
  env: Record<string, string>
  /** Temporary files and scratch folders that are there now. */
  scratch(): string[]
}

export interface HomeOptions {
  /** Base URL of the provider. */
  provider: string
  ffmpeg: string
  env?: Record<string, string>
}

/** Seconds that a call waits if its arguments do not say so. */
export const usualWaitSeconds = 2

export function makeHome(folder: string, { provider, ffmpeg, env }: HomeOptions): Home {
  const [data, temporary] = [join(folder, 'data'), join(folder, 'tmp')]
  for (const each of [folder, temporary]) mkdirSync(each, { recursive: true })
  const links = join(data, 'scratch', 'links')
  return {
    folder,
    data,
    env: {
      PATH: process.env.PATH ?? '',
      HOME: folder,
      TMPDIR: temporary,
      LANG: 'C.UTF-8',
      DASHSCOPE_BASE_URL: provider,
      DASHSCOPE_API_KEY: 'sk-trials-0123456789',
      FORMAT_MODELS: 'qwen-turbo',
      SPEECH_ALLOWED_DIRS: `${join(root, 'fixtures')}:${folder}`,
      SPEECH_DATA_DIR: data,
      SPEECH_POLL_SECONDS: '1',
      SPEECH_WAIT_SECONDS: String(usualWaitSeconds),
      FFMPEG_PATH: ffmpeg,
      ...env,
    },
    scratch: () => [
      ...entries(temporary),
      // This folder stays, for the links that lead a waiting ffmpeg to recordings.
      ...entries(join(data, 'scratch')).filter(path => path !== links),
      ...entries(links),
    ],
  }
}

function entries(folder: string): string[] {
  try {
    return readdirSync(folder).map(name => join(folder, name))
  } catch {
    return []
  }
}
