// Formats texts that are passed with a call: cached in memory for an hour, never stored.
import { createHash, randomUUID } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import type { Checkpoints } from '../../domain/ports.ts'
import type { Style } from '../../domain/transcript.ts'
import {
  type FormatOptions,
  type FormatPorts,
  type FormatRun,
  type FormattedText,
  formatText,
} from '../../pipeline/formatting/format-text.ts'
import { emptySummary } from '../../pipeline/formatting/summary.ts'
import type { OpenBudgets } from '../records/budgets.ts'
import type { FlightKey } from './single-flight.ts'

const maxCachedTexts = 100
const maxCachedPieces = 2_000
/** In characters (UTF-16 units), for each of the two caches. */
const maxCachedChars = 10e6
const cacheMs = 3_600_000

export function createTextFormatting(ports: FormatPorts, openBudget: OpenBudgets) {
  const texts = createCache(maxCachedTexts)
  const pieces = createCache(maxCachedPieces)
  const join = (...parts: string[]) => JSON.stringify(parts)
  const textKey = ({ owner, subject, options }: FlightKey) => join(owner, subject, options)
  const read = (json: string | undefined) => (json === undefined ? undefined : JSON.parse(json))

  const checkpointsOf = (owner: string): Checkpoints => ({
    get: async key => read(pieces.get(join(owner, key))),
    put: async (key, value) => void pieces.set(join(owner, key), JSON.stringify(value)),
    isFromThisJob: () => false,
  })

  /** The text before anything is formatted. */
  const unformatted = (text: string, style: Style): FormattedText => ({ ...emptySummary(style, []), text })

  return {
    keyOf: (owner: string, text: string, { style, language = '' }: FormatOptions): FlightKey => ({
      owner,
      subject: `text ${createHash('sha256').update(text).digest('hex')}`,
      options: join(style, language),
    }),
    /** A text that was formatted completely within the last hour: its further pages cost nothing. */
    cached: (key: FlightKey): FormattedText | undefined => read(texts.get(textKey(key))),
    unformatted,
    /** `onText` receives a function that returns the text so far, whenever a piece is done. */
    async format(
      text: string,
      options: FormatOptions,
      key: FlightKey,
      { signal, progress }: Pick<FormatRun, 'signal' | 'progress'>,
      onText: (text: () => FormattedText) => void,
    ): Promise<FormattedText> {
      const { owner } = key
      const budget = openBudget(owner, randomUUID())
      const run = { owner, signal, progress, checkpoints: checkpointsOf(owner), budget }
      const formatted = await formatText(text, options, ports, run, now =>
        onText(() => unformatted(now(), options.style)),
      ).finally(budget.close)
      // If a piece has failed, the same call again asks for that piece only.
      if (formatted.failed === 0 && formatted.pieces > 0) texts.set(textKey(key), JSON.stringify(formatted))
      return formatted
    },
  }
}

function createCache(max: number): LRUCache<string, string> {
  const sizeCalculation = (value: string) => value.length + 1
  return new LRUCache({ max, maxSize: maxCachedChars, sizeCalculation, ttl: cacheMs })
}
