// Doctor's checks of the shared store and queue: creates missing tables and queues, or names the missing permission.
import type { App } from '../../app.ts'
import type { Config } from '../../config/config.ts'
import { SpeechError } from '../../domain/errors.ts'
import { deadlines } from '../../domain/network/deadlines.ts'
import type { Finding } from './formatting.ts'

const setUpTimeoutMs = deadlines.doctorSlow.totalSeconds * 1000

/** Throws why the store is not usable; the hint names missing permissions. */
export async function checkStore(
  setUp: NonNullable<App['setUpStore']>,
  { tablestoreEndpoint }: Pick<Config, 'tablestoreEndpoint'>,
  timeoutMs = setUpTimeoutMs,
): Promise<string> {
  const host = hostOf(tablestoreEndpoint)
  const timeout = timeoutError('STORE_FAILED', host, timeoutMs, 'TABLESTORE_ENDPOINT')
  return `Tablestore at ${host}: ${joinSentences(await runWithin(timeoutMs, setUp, timeout))}`
}

/** The same for the queue. Without a bucket it is useless, because recordings cannot reach the workers. */
export async function checkQueue(
  setUp: NonNullable<App['setUpQueue']>,
  { mnsEndpoint }: Pick<Config, 'mnsEndpoint'>,
  isBucketGood: boolean,
  timeoutMs = setUpTimeoutMs,
): Promise<Finding> {
  const host = hostOf(mnsEndpoint)
  const timeout = timeoutError('QUEUE_FAILED', host, timeoutMs, 'MNS_ENDPOINT')
  const text = `MNS at ${host}: ${joinSentences(await runWithin(timeoutMs, setUp, timeout))}`
  if (isBucketGood) return { isOn: true, text }
  const warning = 'but recordings do not reach the workers until the bucket works, see uploads'
  return { isOn: false, text: `${text}; ${warning}` }
}

/** Rejects with `timeout` on time, even if the work ignores its signal: client libraries may not support one. */
function runWithin<T>(
  timeoutMs: number,
  work: (signal: AbortSignal) => Promise<T>,
  timeout: SpeechError,
): Promise<T> {
  const signal = AbortSignal.timeout(timeoutMs)
  const timedOut = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(timeout), { once: true })
  })
  const done = work(signal).catch(error => {
    throw signal.aborted ? timeout : error
  })
  return Promise.race([done, timedOut])
}

function timeoutError(
  code: 'STORE_FAILED' | 'QUEUE_FAILED',
  host: string,
  timeoutMs: number,
  setting: string,
): SpeechError {
  const limit = timeoutMs < 1000 ? `${timeoutMs} milliseconds` : `${Math.round(timeoutMs / 1000)} seconds`
  return new SpeechError(code, `${host} was not ready within ${limit}.`, {
    hint: `Run doctor again; if that does not help, check the network, a firewall, and ${setting}.`,
  })
}

/** Joins sentences into one line of doctor's output. */
function joinSentences(sentences: string[]): string {
  const facts = sentences.map(sentence => sentence.replace(/\.$/, ''))
  return facts.map((fact, i) => (i === 0 ? fact : lowerFirst(fact))).join('; ')
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1)
}

function hostOf(endpoint: string | undefined): string {
  return endpoint === undefined ? 'nowhere' : new URL(endpoint).host
}
