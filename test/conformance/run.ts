// Runs the official conformance suite: against the product, and against its HTTP stack with the suite's own fixtures.

import { startHttpServer, tempFolder } from '../support/e2e/system.ts'
import { type Expected, emptyOfSuite, expectedOfFixtures, expectedOfProduct } from './expected-failures.ts'
import { serveFixtures } from './fixture-server.ts'
import { pageHas, rowsOf } from './page.ts'
import { type Outcome, type RequirementSet, requirementSets, runSuite } from './suite.ts'

interface Subject {
  /** As the table of the page shows it. */
  name: string
  expected: Expected[]
  /** Starts a fresh server for each set. */
  start(): Promise<{ url: string; stop(): Promise<unknown> }>
}

const subjects: Subject[] = [
  { name: 'the product', expected: expectedOfProduct, start: startProduct },
  {
    name: 'our HTTP stack with the suite’s fixtures',
    expected: expectedOfFixtures,
    async start() {
      const { url, close } = await serveFixtures()
      return { url, stop: () => close() }
    },
  },
]

let isWrong = false
for (const subject of subjects) for (const set of requirementSets) await run(subject, set)
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

async function run({ name, expected: ofBoth, start }: Subject, set: RequirementSet): Promise<void> {
  const expected = ofBoth.filter(({ sets }) => sets.includes(set))
  const { url, stop } = await start()
  try {
    const outcomes = await runSuite(url, set)
    process.stdout.write(`${name}, ${set}\n`)
    const failed = outcomes.flatMap(({ scenario, failed }) => failed.map(found => ({ scenario, ...found })))
    const unexpected = failed.filter(
      ({ scenario, check }) => !expected.some(one => isExpected(one, scenario, check)),
    )
    for (const { scenario, check, message } of unexpected) report(`${scenario}, ${check}: ${message}`)
    for (const { scenario, counts } of outcomes)
      if (counts.passed + counts.failed === 0 && !(scenario in emptyOfSuite))
        report(`${scenario} checked nothing`)
    for (const one of expected) {
      const found = failed.filter(({ scenario, check }) => isExpected(one, scenario, check))
      process.stdout.write(`  ${found.length} checks not met: ${one.reason}\n`)
    }
    for (const stale of staleOf(expected, outcomes)) report(`no longer fails: ${stale}`)
    for (const row of rowsOf(name, set, outcomes)) {
      if (pageHas(row)) process.stdout.write(`  ${row}\n`)
      else report(`docs/conformance.md lacks this row: ${row}`)
    }
  } finally {
    await stop()
  }
}

function isExpected({ checks }: Expected, scenario: string, check: string): boolean {
  return checks[scenario]?.includes(check) ?? false
}

function staleOf(expected: Expected[], outcomes: Outcome[]): string[] {
  return expected.flatMap(({ checks }) =>
    Object.entries(checks).flatMap(([name, expected]) => {
      const { failed = [] } = outcomes.find(({ scenario }) => scenario === name) ?? {}
      const found = failed.map(({ check }) => check)
      return expected.filter(check => !found.includes(check)).map(check => `${name}, ${check}`)
    }),
  )
}

function report(line: string): void {
  isWrong = true
  process.stdout.write(`  WRONG: ${line}\n`)
}
