// Formats texts that are passed with a call: cached in memory for an hour, never stored.
import { createHash } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import type { Style } from '../../domain/transcript.ts'
import {
  type FormatOptions,
  type FormatPorts,
  type FormatRun,
  type FormattedText,
  formatText,
} from '../../pipeline/formatting/format-text.ts'
import { emptySummary } from '../../pipeline/formatting/summary.ts'
import { createCheckpoints } from '../records/checkpoints.ts'
import type { FlightKey } from './single-flight.ts'

export interface TextFormatting {
  keyOf(owner: string, text: string, options: FormatOptions): FlightKey
  /** A text that was formatted completely within the last hour: its further pages cost nothing. */
  cached(key: FlightKey): FormattedText | undefined
  /** The text before anything is formatted. */
  unformatted(text: string, style: Style): FormattedText
  /** `onText` receives a function that returns the text so far, whenever a piece is done. */
  format(
    text: string,
    options: FormatOptions,
    key: FlightKey,
    run: Omit<FormatRun, 'checkpoints'>,
    onText: (text: () => FormattedText) => void,
  ): Promise<FormattedText>
}

const maxCachedTexts = 100
const maxCachedPieces = 2_000
/** In characters (UTF-16 units), for each of the two caches. */
const maxCachedChars = 10e6
const cacheMs = 3_600_000

export function createTextFormatting(ports: FormatPorts): TextFormatting {
  const texts = createCache(maxCachedTexts)
  const pieces = createCache(maxCachedPieces)
  const join = (...parts: string[]) => JSON.stringify(parts)
  const textKey = ({ owner, subject, options }: FlightKey) => join(owner, subject, options)
  const inMemory: Parameters<typeof createCheckpoints>[0] = {
    async getCheckpoint(owner, key) {
      const stored = pieces.get(join(owner, key))
      return stored === undefined ? undefined : JSON.parse(stored)
    },
    async putCheckpoint(owner, key, value) {
      pieces.set(join(owner, key), JSON.stringify(value))
    },
  }

  const unformatted = (text: string, style: Style) => ({ ...emptySummary(style, []), text })

  return {
    keyOf: (owner, text, { style, language = '' }) => ({
      owner,
      subject: `text ${createHash('sha256').update(text).digest('hex')}`,
      options: join(style, language),
    }),
    cached(key) {
      const found = texts.get(textKey(key))
      return found === undefined ? undefined : JSON.parse(found)
    },
    unformatted,
    async format(text, options, key, { signal, progress }, onText) {
      const checkpoints = createCheckpoints(inMemory, key.owner, key.subject)
      const run = { signal, progress, checkpoints }
      const formatted = await formatText(text, options, ports, run, now =>
        onText(() => unformatted(now(), options.style)),
      )
      // If a piece has failed, the same call again asks for that piece only.
      if (formatted.failed === 0 && formatted.pieces > 0) texts.set(textKey(key), JSON.stringify(formatted))
      return formatted
    },
  }
}

function createCache(max: number): LRUCache<string, string> {
  return new LRUCache({
    max,
    maxSize: maxCachedChars,
    sizeCalculation: value => value.length + 1,
    ttl: cacheMs,
  })
}
