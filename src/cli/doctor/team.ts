// What doctor says of what machines share: makes the tables and queues that are missing, or says which right is.
import type { App } from '../../app.ts'
import type { Config } from '../../config/config.ts'
import { SpeechError } from '../../domain/errors.ts'
import type { Finding } from './formatting.ts'

/** In milliseconds. A new table is there within seconds, a search index within a minute as a rule. */
const patience = 60_000

/** Throws what keeps the store from being used; the hint says which rights are missing. */
export async function checkStore(
  setUp: NonNullable<App['setUpStore']>,
  { tablestoreEndpoint }: Pick<Config, 'tablestoreEndpoint'>,
  limit = patience,
): Promise<string> {
  const host = hostOf(tablestoreEndpoint)
  const late = tooSlow('STORE_FAILED', host, limit, 'TABLESTORE_ENDPOINT')
  return `Tablestore at ${host}: ${told(await within(limit, setUp, late))}`
}

/** The same of the queue. Without the bucket it is there for nothing: what lies on one machine does not reach another. */
export async function checkQueue(
  setUp: NonNullable<App['setUpQueue']>,
  { mnsEndpoint }: Pick<Config, 'mnsEndpoint'>,
  isBucketGood: boolean,
  limit = patience,
): Promise<Finding> {
  const host = hostOf(mnsEndpoint)
  const late = tooSlow('QUEUE_FAILED', host, limit, 'MNS_ENDPOINT')
  const found = `MNS at ${host}: ${told(await within(limit, setUp, late))}`
  if (isBucketGood) return { isOn: true, text: found }
  const warning = 'but recordings do not reach the workers until the bucket is in order, see uploads'
  return { isOn: false, text: `${found}; ${warning}` }
}

/** Ends on time whatever becomes of the work: a client library may know no signal. */
function within<T>(limit: number, work: (signal: AbortSignal) => Promise<T>, late: SpeechError): Promise<T> {
  const signal = AbortSignal.timeout(limit)
  const over = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(late), { once: true })
  })
  const done = work(signal).catch(error => {
    throw signal.aborted ? late : error
  })
  return Promise.race([done, over])
}

function tooSlow(code: 'STORE_FAILED' | 'QUEUE_FAILED', host: string, limit: number, setting: string) {
  const within = limit < 1000 ? `${limit} milliseconds` : `${Math.round(limit / 1000)} seconds`
  return new SpeechError(code, `${host} was not ready within ${within}.`, {
    hint: `Run doctor again; if that does not help, check the network, a firewall, and ${setting}.`,
  })
}

/** Sentences as one: the doctor has a line for each thing that it looks at. */
function told(sentences: string[]): string {
  const facts = sentences.map(sentence => sentence.replace(/\.$/, ''))
  return facts.map((fact, i) => (i === 0 ? fact : lowerFirst(fact))).join('; ')
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1)
}

function hostOf(endpoint: string | undefined): string {
  return endpoint === undefined ? 'nowhere' : new URL(endpoint).host
}
