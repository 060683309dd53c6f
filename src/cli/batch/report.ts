// Reports a batch: one line a recording and a table for people, or one JSON object a line for scripts.
import { basename } from 'node:path'
import type { BatchPlan } from '../../domain/batch/batch.ts'
import { formatUsd } from '../../domain/costs/budget.ts'
import { describeError, isSpeechError, type SpeechError } from '../../domain/errors.ts'
import { formatTime } from '../../domain/format-time.ts'
import { asLine, plural } from '../../domain/text.ts'
import type { ProgressBar } from '../io/progress-bar.ts'
import { planLine } from './agree.ts'
import { shownPath } from './output-names.ts'

/** `copy`: of another recording of the batch. `waiting`: not begun, or not ended, when the batch stopped. */
export type Outcome = 'done' | 'done before' | 'copy' | 'partial' | 'failed' | 'waiting'

export interface RecordingResult {
  audio: string
  name: string
  outcome: Outcome
  transcriptId?: string
  /** Absolute paths. */
  files: string[]
  seconds?: number
  speakers?: string[]
  /** US dollars paid now. */
  costUsd?: number
  warnings: string[]
  error?: SpeechError
}

export interface Report {
  plan(plan: BatchPlan): void
  note(sentence: string): void
  result(result: RecordingResult): void
  end(exitCode: number): void
}

const marks: Record<Outcome, string> = {
  done: '✓',
  'done before': '=',
  copy: '=',
  partial: '!',
  failed: '✗',
  waiting: '·',
}
/** A longer table has only the rows that need a look. */
const maxRows = 40

export function reportToPeople(bar: Pick<ProgressBar, 'clear'>): Report {
  const results: RecordingResult[] = []
  const say = (line: string) => {
    bar.clear()
    process.stderr.write(`${asLine(line)}\n`)
  }
  return {
    plan: plan => say(planLine(plan)),
    note: sentence => say(`Note: ${sentence}`),
    result(result) {
      results.push(result)
      if (result.outcome === 'waiting') return
      const { outcome, name, files, error, warnings } = result
      const target = files.length > 0 ? [`→ ${files.map(file => shownPath(file)).join(', ')}`] : []
      const facts = error
        ? [describeError(error)]
        : [...factsOf(result), ...(outcome === 'done' ? [] : [outcome])]
      say(`${marks[outcome]} ${[name, ...target].join(' ')}: ${facts.join(', ')}`)
      for (const warning of warnings) say(`  Note: ${warning}`)
    },
    end() {
      bar.clear()
      if (results.length > 0) process.stdout.write(table(results))
    },
  }
}

/** Prints an error of the work as an event for scripts, which read stdout; stderr has it as well. */
export async function withErrorEvents(isForScripts: boolean, work: () => Promise<number>): Promise<number> {
  try {
    return await work()
  } catch (error) {
    if (isForScripts && isSpeechError(error)) {
      const { code, message, hint } = error
      process.stdout.write(`${JSON.stringify({ event: 'error', error: { code, message, hint } })}\n`)
    }
    throw error
  }
}

export function reportToScripts(bar: Pick<ProgressBar, 'clear'>): Report {
  const counts: Partial<Record<string, number>> = {}
  let costUsd = 0
  const print = (event: object) => {
    bar.clear()
    process.stdout.write(`${JSON.stringify(event)}\n`)
  }
  return {
    plan({ recordings, copies, unreadable, seconds, newSeconds, usd, unknownLengths }) {
      const done = recordings.filter(({ state }) => state === 'done').length
      print({
        event: 'plan',
        recordings: recordings.length,
        done_before: done,
        copies: copies.length,
        unreadable: unreadable.length,
        seconds,
        seconds_to_do: newSeconds,
        max_cost_usd: usd ?? null,
        unknown_lengths: unknownLengths,
      })
    },
    note: text => print({ event: 'note', text }),
    result({ audio, name, outcome, transcriptId, files, seconds, speakers, costUsd: usd, warnings, error }) {
      const status = outcome.replace(' ', '_')
      counts[status] = (counts[status] ?? 0) + 1
      costUsd += usd ?? 0
      print({
        event: 'recording',
        audio,
        name,
        status,
        transcript_id: transcriptId,
        files,
        seconds,
        speakers,
        cost_usd: usd,
        warnings,
        ...(error && { error: { code: error.code, message: error.message, hint: error.hint } }),
      })
    },
    end: exitCode => print({ event: 'end', ...counts, cost_usd: costUsd, exit_code: exitCode }),
  }
}

/** Length, speakers and cost. */
function factsOf({ seconds, speakers, costUsd }: RecordingResult): string[] {
  return [
    ...(seconds === undefined ? [] : [formatTime(seconds)]),
    ...(speakers ? [plural(speakers.length, 'speaker')] : []),
    ...(costUsd === undefined ? [] : [formatUsd(costUsd)]),
  ]
}

function table(results: RecordingResult[]): string {
  const needLook = results.filter(({ outcome }) => outcome === 'partial' || outcome === 'failed')
  const shown = results.length <= maxRows ? results : needLook.slice(0, maxRows)
  const rows = shown.map(result => [
    shorten(asLine(result.name)),
    result.seconds === undefined ? '' : formatTime(result.seconds),
    result.speakers ? String(result.speakers.length) : '',
    result.costUsd === undefined ? '' : formatUsd(result.costUsd),
    resultOf(result),
  ])
  const total = [
    plural(results.length, 'recording'),
    formatTime(sum(results.map(({ seconds }) => seconds))),
    '',
    formatUsd(sum(results.map(({ costUsd }) => costUsd))),
    countsOf(results),
  ]
  const all = [['recording', 'length', 'speakers', 'cost', 'result'], ...rows, total]
  const widths = total.map((_, i) => Math.max(...all.map(row => widthOf(row[i]!))))
  const hasSpeakers = shown.some(({ speakers }) => speakers)
  const lines = all.map(row =>
    row
      .map((cell, i) =>
        i === 0 || i === 4 ? cell + pad(widths[i]! - widthOf(cell)) : pad(widths[i]! - widthOf(cell)) + cell,
      )
      .filter((_, i) => hasSpeakers || i !== 2)
      .join('  ')
      .trimEnd(),
  )
  return `${lines.join('\n')}\n`
}

function resultOf({ outcome, files, error }: RecordingResult): string {
  const names = files.map(file => asLine(basename(file))).join(', ')
  if (error) return `${outcome}: ${error.code}`
  return outcome === 'done' ? names : [outcome, ...(names ? [names] : [])].join(': ')
}

function countsOf(results: RecordingResult[]): string {
  const outcomes = Object.keys(marks) as Outcome[]
  const counted = outcomes.map(
    outcome => [results.filter(result => result.outcome === outcome).length, outcome] as const,
  )
  return counted.flatMap(([count, outcome]) => (count > 0 ? [`${count} ${outcome}`] : [])).join(', ')
}

const maxNameChars = 48
const shorten = (name: string) =>
  [...name].length > maxNameChars ? `…${[...name].slice(1 - maxNameChars).join('')}` : name
/** Marks take no column, letters of East Asia two. */
const widthOf = (text: string) =>
  [...text.normalize('NFC')].reduce(
    (width, char) => width + (/\p{M}/u.test(char) ? 0 : isWide(char) ? 2 : 1),
    0,
  )
const isWide = (char: string) =>
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]/u.test(
    char,
  )
const pad = (columns: number) => ' '.repeat(Math.max(0, columns))
const sum = (numbers: (number | undefined)[]) => numbers.reduce<number>((total, one) => total + (one ?? 0), 0)
