// The price of a batch, and the consent to it: nothing is sent before.
import { createInterface } from 'node:readline/promises'
import type { BatchPlan } from '../../domain/batch/batch.ts'
import { formatUsd } from '../../domain/costs/budget.ts'
import { SpeechError } from '../../domain/errors.ts'
import { formatTime } from '../../domain/format-time.ts'
import { plural } from '../../domain/text.ts'

export interface Consent {
  yes: boolean
  maxCostUsd?: number
  /** False where stdin is no terminal. */
  canAsk: boolean
}

/** Such as `3 recordings, 12:04; 1 is done already. To do: 2, 10:01, at most $0.0231.` */
export function planLine({
  recordings,
  copies,
  seconds,
  newSeconds,
  usd,
  unknownLengths,
}: BatchPlan): string {
  const toDo = recordings.filter(({ state }) => state !== 'done').length
  const done = recordings.length - toDo
  const length = seconds > 0 ? [formatTime(seconds)] : []
  const facts = [
    ...(done > 0 ? [`${done} ${done === 1 ? 'is' : 'are'} done already`] : []),
    ...(copies.length > 0
      ? [`${copies.length} more ${copies.length === 1 ? 'is a copy' : 'are copies'}`]
      : []),
  ]
  const all = [[plural(recordings.length, 'recording'), ...length].join(', '), ...facts].join('; ')
  if (toDo === 0) return `${all}. Nothing is left to do.`
  const unknown =
    unknownLengths > 0 ? [`${plural(unknownLengths, 'recording')} of unknown length not counted`] : []
  const price = usd === undefined ? 'the price of the model is unknown' : `at most ${formatUsd(usd)}`
  const work = newSeconds > 0 ? [formatTime(newSeconds)] : []
  return `${all}. To do: ${[`${toDo}`, ...work, price, ...unknown].join(', ')}.`
}

export interface Agreement {
  /** US dollars that the recordings may cost together. Absent: as much as the settings allow. */
  limitUsd?: number | undefined
  /** True where that limits those of known length alone: the user was told of the others, and has agreed. */
  hasOthersOnTop?: boolean
}

/**
 * A limit of the user holds for all recordings, so nothing is asked. Resolves with undefined where the user declines. Throws
 * `COST_TOO_HIGH` beyond `--max-cost`, `PRICE_UNKNOWN`, and `BAD_INPUT` where nobody can be asked.
 */
export async function agree(
  plan: BatchPlan,
  consent: Consent,
  signal: AbortSignal,
): Promise<Agreement | undefined> {
  const { usd, unknownLengths } = plan
  const { yes, maxCostUsd, canAsk } = consent
  const mayCost = usd === undefined || usd > 0 || unknownLengths > 0
  if (maxCostUsd !== undefined) {
    if (mayCost) ensureBelow(plan, maxCostUsd)
    // A recording that is done by the plan may be gone when its turn comes.
    return { limitUsd: maxCostUsd }
  }
  if (yes || !mayCost) return {}
  if (!canAsk)
    throw new SpeechError('BAD_INPUT', 'This costs money, and stdin is no terminal to ask at.', {
      hint: 'Pass --yes, or the most that it may cost: --max-cost 2.50.',
    })
  // The price that a person has seen is the limit.
  return (await ask('Transcribe? [y/N] ', signal)) ? { limitUsd: usd, hasOthersOnTop: true } : undefined
}

export function ensureBelow({ usd }: BatchPlan, maxCostUsd: number): void {
  if (usd === undefined)
    throw new SpeechError(
      'PRICE_UNKNOWN',
      'The price of the model is unknown, so --max-cost cannot be kept.',
      {
        hint: 'Give the price in SPEECH_MODELS, or leave out --max-cost.',
      },
    )
  if (usd <= maxCostUsd) return
  const message = `This would cost up to ${formatUsd(usd)}, more than --max-cost ${formatUsd(maxCostUsd)}.`
  throw new SpeechError('COST_TOO_HIGH', message, {
    hint: 'Nothing was sent. Name fewer recordings, or raise --max-cost.',
  })
}

async function ask(question: string, signal: AbortSignal): Promise<boolean> {
  const lines = createInterface({ input: process.stdin, output: process.stderr })
  // The interface takes Ctrl-C from the terminal, which then is no signal.
  lines.once('SIGINT', () => process.kill(process.pid, 'SIGINT'))
  const ended = new Promise<string>(resolve => lines.once('close', () => resolve('')))
  try {
    const answer = await Promise.race([lines.question(question, { signal }), ended])
    return /^\s*y(?:es)?\s*$/i.test(answer)
  } finally {
    lines.close()
  }
}

/** Throws `BAD_INPUT` unless it is an amount of US dollars. */
export function parseMaxCost(given: string | undefined): number | undefined {
  if (given === undefined) return undefined
  const usd = Number(given.replace(/^\$/, ''))
  if (given.trim() !== '' && Number.isFinite(usd) && usd >= 0) return usd
  throw new SpeechError('BAD_INPUT', 'The value of --max-cost is no amount of US dollars.', {
    hint: 'Write it as a number, such as 2.50.',
  })
}
