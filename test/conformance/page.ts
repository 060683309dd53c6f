// The rows of the table in docs/conformance.md, as a run counts them.
import { readFileSync } from 'node:fs'
import type { Outcome } from './suite.ts'

const page = readFileSync(new URL('../../docs/conformance.md', import.meta.url), 'utf8').split('\n')

export const pageHas = (row: string) => page.includes(row)

/** Scenarios of the tasks extension have a row of their own: with the fixtures they meet the test's own server. */
export function rowsOf(name: string, set: string, outcomes: Outcome[]): string[] {
  const isOfTasks = ({ scenario }: Outcome) => scenario.startsWith('tasks-')
  const groups = [
    { title: set, outcomes: outcomes.filter(outcome => !isOfTasks(outcome)) },
    { title: `${set}, tasks extension`, outcomes: outcomes.filter(isOfTasks) },
  ]
  return groups
    .filter(({ outcomes }) => outcomes.length > 0)
    .map(({ title, outcomes }) => `| ${name} | ${title} | ${cellsOf(outcomes).join(' | ')} |`)
}

function cellsOf(outcomes: Outcome[]): (string | number)[] {
  const sum = (kind: keyof Outcome['counts']) => outcomes.reduce((all, { counts }) => all + counts[kind], 0)
  const whole = outcomes.filter(({ counts, failed }) => failed.length === 0 && counts.passed > 0)
  const empty = outcomes.filter(({ counts, failed }) => failed.length === 0 && counts.passed === 0)
  return [
    `${whole.length} of ${outcomes.length}`,
    ...[empty.length, sum('passed'), sum('failed'), sum('skipped'), sum('informing')],
  ]
}
