// Texts that come with a call, formatted: remembered for a while in memory, and never written down.
import { createHash } from 'node:crypto'
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
import { createMemory } from './memory.ts'
import type { ErrandName } from './single-flight.ts'

export interface GivenTexts {
  nameOf(owner: string, text: string, wish: FormatOptions): ErrandName
  /** One that was formatted whole a while ago: it is read on, page after page, at no cost. */
  known(name: ErrandName): FormattedText | undefined
  /** A text of which nothing is formatted yet. */
  untouched(text: string, style: Style): FormattedText
  /** `onText` may ask for what there is, whenever a piece is done. */
  format(
    text: string,
    wish: FormatOptions,
    name: ErrandName,
    run: Omit<FormatRun, 'checkpoints'>,
    onText: (text: () => FormattedText) => void,
  ): Promise<FormattedText>
}

const hour = 3_600_000

export function createGivenTexts(ports: FormatPorts): GivenTexts {
  const texts = createMemory({ most: 100, size: 10e6, milliseconds: hour })
  const pieces = createMemory({ most: 2_000, size: 10e6, milliseconds: hour })
  const keyOf = (...facts: string[]) => JSON.stringify(facts)
  const keyOfText = ({ owner, subject, wish }: ErrandName) => keyOf(owner, subject, wish)
  const inMemory: Parameters<typeof createCheckpoints>[0] = {
    async getCheckpoint(owner, key) {
      const kept = pieces.get(keyOf(owner, key))
      return kept === undefined ? undefined : JSON.parse(kept)
    },
    putCheckpoint: async (owner, key, value) => pieces.set(keyOf(owner, key), JSON.stringify(value)),
  }

  const untouched = (text: string, style: Style) => ({ ...emptySummary(style, []), text })

  return {
    nameOf: (owner, text, { style, language = '' }) => ({
      owner,
      subject: `text ${createHash('sha256').update(text).digest('hex')}`,
      wish: keyOf(style, language),
    }),
    known(name) {
      const found = texts.get(keyOfText(name))
      return found === undefined ? undefined : JSON.parse(found)
    },
    untouched,
    async format(text, wish, name, { signal, progress }, onText) {
      const checkpoints = createCheckpoints(inMemory, name.owner, name.subject)
      const run = { signal, progress, checkpoints }
      const formatted = await formatText(text, wish, ports, run, now =>
        onText(() => untouched(now(), wish.style)),
      )
      // Where a piece got no answer, the same call again asks for that one.
      if (formatted.failed === 0 && formatted.pieces > 0)
        texts.set(keyOfText(name), JSON.stringify(formatted))
      return formatted
    },
  }
}
