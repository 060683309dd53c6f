// Runs the official conformance suite: against the product, and against its HTTP stack with the suite's own fixtures.

import { startHttpServer, tempFolder } from '../support/e2e/system.ts'
import { type Expected, expectedOfFixtures, expectedOfProduct } from './expected-failures.ts'
import { serveFixtures } from './fixture-server.ts'
import { type Outcome, type RequirementSet, requirementSets, runSuite } from './suite.ts'

interface Subject {
  name: string
  expected: Expected[]
  /** Starts a fresh server for each set. */
  start(): Promise<{ url: string; stop(): Promise<unknown> }>
}

const subjects: Subject[] = [
  { name: 'the product', expected: expectedOfProduct, start: startProduct },
  {
    name: 'the fixtures on its HTTP stack',
    expected: expectedOfFixtures,
    async start() {
      const { url, close } = await serveFixtures()
      return { url, stop: () => close() }
    },
  },
]

let isWrong = false
for (const subject of subjects) {
  const outcomes: Outcome[] = []
  for (const set of requirementSets) outcomes.push(...(await run(subject, set)))
  for (const stale of staleOf(subject.expected, outcomes)) report(`no longer fails: ${stale}`)
}
process.exitCode = isWrong ? 1 : 0

async function startProduct() {
  const folder = await tempFolder()
  const server = await startHttpServer({
    PATH: process.env.PATH ?? '',
    SPEECH_DATA_DIR: folder.path,
    // No check reaches the provider.
    DASHSCOPE_BASE_URL: 'http://127.0.0.1:9/api/v1',
    DASHSCOPE_API_KEY: 'sk-conformance',
  })
  return { url: server.url, stop: () => server.stop().then(folder.remove) }
}

async function run({ name, expected, start }: Subject, set: RequirementSet): Promise<Outcome[]> {
  const { url, stop } = await start()
  try {
    const outcomes = await runSuite(url, set)
    const failed = outcomes.flatMap(({ scenario, failed }) => failed.map(found => ({ scenario, ...found })))
    const whole = outcomes.filter(({ failed }) => failed.length === 0).length
    process.stdout.write(`${set}, ${name}: ${whole} of ${outcomes.length} scenarios whole\n`)
    const unexpected = failed.filter(
      ({ scenario, check }) => !expected.some(one => isExpected(one, scenario, check)),
    )
    for (const { scenario, check, message } of unexpected) report(`${scenario}, ${check}: ${message}`)
    for (const one of expected) {
      const found = failed.filter(({ scenario, check }) => isExpected(one, scenario, check))
      if (found.length > 0) process.stdout.write(`  ${found.length} checks not met: ${one.reason}\n`)
    }
    return outcomes
  } finally {
    await stop()
  }
}

function isExpected({ checks }: Expected, scenario: string, check: string): boolean {
  return checks[scenario] === 'any' || (checks[scenario]?.includes(check) ?? false)
}

/** Expected failures that came in none of the sets. */
function staleOf(expected: Expected[], outcomes: Outcome[]): string[] {
  const failed = outcomes.flatMap(({ scenario, failed }) => failed.map(({ check }) => ({ scenario, check })))
  return expected.flatMap(({ checks }) =>
    Object.entries(checks).flatMap(([name, expected]) => {
      const found = failed.filter(({ scenario }) => scenario === name).map(({ check }) => check)
      if (expected === 'any') return found.length > 0 ? [] : [name]
      return expected.filter(check => !found.includes(check)).map(check => `${name}, ${check}`)
    }),
  )
}

function report(line: string): void {
  isWrong = true
  process.stdout.write(`  WRONG: ${line}\n`)
}
