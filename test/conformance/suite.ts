// Runs a requirement set of the official conformance suite against a server, and reads its results.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { laterNode, pinnedPackages } from '../support/pinned-packages.ts'

export const requirementSets = ['2025-11-25', '2026-07-28'] as const
export type RequirementSet = (typeof requirementSets)[number]

export interface Outcome {
  scenario: string
  /** Numbers of checks: passed, failed or with a warning, left out by the suite, and those that only inform. */
  counts: { passed: number; failed: number; skipped: number; informing: number }
  /** Checks that failed, and those with a warning. */
  failed: { check: string; message: string }[]
}

const minScenarios = { '2025-11-25': 33, '2026-07-28': 50 }
const suite = { '@modelcontextprotocol/conformance': '0.2.0-alpha.12' }

/** Each scenario of the set, also those that the suite does not score. Throws for a suite that ends early. */
export async function runSuite(url: string, set: RequirementSet): Promise<Outcome[]> {
  const packages = pinnedPackages('conformance', suite)
  const script = join(packages, 'node_modules/@modelcontextprotocol/conformance/dist/index.js')
  const results = mkdtempSync(join(tmpdir(), 'speech-conformance-'))
  try {
    const args = [script, 'server', '--url', url, '--requirements', set, '-o', results]
    const child = spawn(laterNode(), args, { stdio: ['ignore', 'pipe', 'inherit'] })
    let printed = ''
    child.stdout.on('data', piece => {
      printed += piece
    })
    const [code, signal] = await once(child, 'close')
    const outcomes = scenariosOf(packages, set).map(scenario => outcomeOf(scenario, results))
    // It ends with 1 where a check fails.
    const isExpected = code === 0 || (code === 1 && outcomes.some(({ failed }) => failed.length > 0))
    if (!isExpected) throw new Error(`The suite ended with ${signal ?? code}: ${printed.slice(-2000)}`)
    return outcomes
  } finally {
    rmSync(results, { recursive: true, force: true })
  }
}

/** The server's scenarios of a set as the suite itself lists them, so that one which never ran is missed. */
function scenariosOf(packages: string, set: RequirementSet): string[] {
  const file = join(packages, `node_modules/@modelcontextprotocol/conformance/requirements/${set}.yaml`)
  const text = readFileSync(file, 'utf8')
  const scored = /^server:\n((?: {2}- \S+\n)+)/m.exec(text)?.[1]?.matchAll(/- (\S+)/g) ?? []
  const others = text.matchAll(/^ {2}- scenario: (\S+)\n {4}leg: server$/gm)
  const names = [...scored, ...others].map(found => found[1]!)
  if (names.length < minScenarios[set]) throw new Error(`${file} lists only ${names.length} scenarios.`)
  return names
}

interface Check {
  id: string
  status: 'SUCCESS' | 'FAILURE' | 'WARNING' | 'SKIPPED' | 'INFO'
  errorMessage?: string
}

function outcomeOf(scenario: string, results: string): Outcome {
  const folder = readdirSync(results).find(
    name => name.replace(/-\d{4}-\d\d-\d\dT.*$/, '') === `server-${scenario}`,
  )
  const file = join(results, folder ?? scenario, 'checks.json')
  if (!existsSync(file))
    return { scenario, counts: countsOf([]), failed: [{ check: scenario, message: 'No results' }] }
  const checks = JSON.parse(readFileSync(file, 'utf8')) as Check[]
  const failed = checks.filter(({ status }) => status === 'FAILURE' || status === 'WARNING')
  return {
    scenario,
    counts: countsOf(checks),
    failed: failed.map(({ id, errorMessage = '' }) => ({ check: id, message: errorMessage })),
  }
}

function countsOf(checks: Check[]): Outcome['counts'] {
  const count = (...of: Check['status'][]) => checks.filter(({ status }) => of.includes(status)).length
  return {
    passed: count('SUCCESS'),
    failed: count('FAILURE', 'WARNING'),
    skipped: count('SKIPPED'),
    informing: count('INFO'),
  }
}
