// Doctor's check of engines of the user's own: sends a few seconds of real speech and reports what comes back, and how fast.
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { App } from '../../app.ts'
import { SpeechError } from '../../domain/errors.ts'
import { deadlines } from '../../domain/network/deadlines.ts'
import type { Recognition } from '../../domain/ports.ts'
import { readProgram } from '../../system/child-process.ts'
import type { Finding } from './formatting.ts'

const timeoutMs = deadlines.doctorSlow.totalSeconds * 1000
const seconds = 4

/** Throws why the engine does not answer. */
export async function checkOwnEngine(
  { host, recognise }: App['engines'][number],
  { ffmpeg }: Pick<App, 'ffmpeg'>,
): Promise<Finding> {
  const request = { audio: await speech((await ffmpeg()).path), mime: 'audio/mpeg', seconds }
  const started = performance.now()
  const found = await recognise(request, AbortSignal.timeout(timeoutMs)).catch(error => {
    throw (error as Error).name === 'TimeoutError' ? silent(host) : error
  })
  const took = ((performance.now() - started) / 1000).toFixed(1)
  return {
    isOn: found.text !== '',
    text: `${host} ${describe(found)}, ${took} s for ${seconds} s of speech`,
  }
}

function describe({ text, words, segments }: Recognition): string {
  if (text === '') return 'hears nothing'
  const times = words ? 'times of words' : segments ? 'times of segments' : 'no times'
  return `hears “${text.slice(0, 80)}” with ${times}`
}

/** The beginning of a recording that comes with the program. */
function speech(ffmpeg: string): Promise<Buffer> {
  const input = ['-t', String(seconds), '-i', join(packageRoot(), 'demo', 'recordings', 'jfk.ogg')]
  const output = ['-c:a', 'libmp3lame', '-b:a', '32k', '-ar', '16000', '-f', 'mp3', 'pipe:1']
  return readProgram(ffmpeg, ['-v', 'error', ...input, ...output], timeoutMs)
}

/** From the bundle or from the source. */
function packageRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url))
  while (!existsSync(join(folder, 'package.json'))) folder = dirname(folder)
  return folder
}

function silent(host: string): SpeechError {
  return new SpeechError('PROVIDER_TIMEOUT', `${host} did not respond within a minute.`, {
    hint: 'Check that the engine has loaded its model, and its address.',
  })
}
