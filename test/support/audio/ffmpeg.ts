// Locates ffmpeg for tests: FFMPEG_PATH, the system's, or the npm package.
import { execFileSync } from 'node:child_process'

export async function testFfmpeg(): Promise<string> {
  if (process.env.FFMPEG_PATH) return process.env.FFMPEG_PATH
  try {
    execFileSync('ffmpeg', ['-version'], { stdio: 'ignore' })
    return 'ffmpeg'
  } catch {
    const { path } = (await import('@ffmpeg-installer/ffmpeg')).default
    return path
  }
}
