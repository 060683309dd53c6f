// Locates ffmpeg for tests, once a process: FFMPEG_PATH, the system's, or the npm package.
import { execFileSync } from 'node:child_process'
import type { LocateFfmpeg } from '../../../src/pipeline/audio/ffmpeg.ts'

let located: Promise<string> | undefined

export function testFfmpeg(): Promise<string> {
  located ??= locate()
  return located
}

/** For pipelines. */
export const locateTestFfmpeg: LocateFfmpeg = async () => ({ path: await testFfmpeg() })

async function locate(): Promise<string> {
  if (process.env.FFMPEG_PATH) return process.env.FFMPEG_PATH
  try {
    execFileSync('ffmpeg', ['-version'], { stdio: 'ignore' })
    return 'ffmpeg'
  } catch {
    return packagedFfmpeg()
  }
}

/** The npm package's, which is the same everywhere. */
export async function packagedFfmpeg(): Promise<string> {
  return (await import('@ffmpeg-installer/ffmpeg')).default.path
}
