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
  checks: number
  /** Checks that failed, and those with a warning. */
  failed: { check: string; message: string }[]
}

const suite = { '@modelcontextprotocol/conformance': '0.2.0-alpha.12' }

/** Each scenario of the set in its order, also those that the suite does not score. */
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
    await once(child, 'close')
    // Each scenario is announced, also one that ends without results.
    const announced = [...printed.matchAll(/^=== Running scenario: (\S+) ===$/gm)].map(found => found[1]!)
    if (announced.length === 0) throw new Error(`The suite ran no scenario: ${printed.slice(-2000)}`)
    return announced.map(scenario => outcomeOf(scenario, results))
  } finally {
    rmSync(results, { recursive: true, force: true })
  }
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
  if (!existsSync(file)) return { scenario, checks: 0, failed: [{ check: scenario, message: 'No results' }] }
  const checks = JSON.parse(readFileSync(file, 'utf8')) as Check[]
  const failed = checks.filter(({ status }) => status === 'FAILURE' || status === 'WARNING')
  return {
    scenario,
    checks: checks.filter(({ status }) => status === 'SUCCESS').length + failed.length,
    failed: failed.map(({ id, errorMessage = '' }) => ({ check: id, message: errorMessage })),
  }
}
