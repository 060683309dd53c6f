// Reads an installed package: its files, their sizes, and the versions of packages beside it and inside it.
import { existsSync, lstatSync, readdirSync, readFileSync } from 'node:fs'
import { join, sep } from 'node:path'

/** Relative paths of all files, with `/`. */
export function filesOf(folder) {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter(path => lstatSync(join(folder, path)).isFile())
    .map(path => path.replaceAll(sep, '/'))
}

/** Bytes of all files together. */
export function sizeOf(folder) {
  return filesOf(folder).reduce((sum, path) => sum + lstatSync(join(folder, path)).size, 0)
}

/** Name and version of each package below a node_modules. */
export function installedPackages(modules) {
  return filesOf(modules)
    .filter(path => /(?:^|\/node_modules\/)(?:@[^/]+\/)?[^/]+\/package\.json$/.test(path))
    .map(path => JSON.parse(readFileSync(join(modules, path), 'utf8')))
    .filter(({ name, version }) => name && version)
    .map(({ name, version }) => ({ name, version }))
}

/** Name and version of each package whose licence the file has. */
export function licensedPackages(file) {
  if (!existsSync(file)) throw new Error('THIRD_PARTY_LICENSES is missing.')
  const titles = readFileSync(file, 'utf8').matchAll(/^((?:@[\w.-]+\/)?[\w.-]+) (\d+\.\d+\.\d+\S*) \(.+\)$/gm)
  return [...titles].map(([, name, version]) => ({ name, version }))
}

/** Versions with published holes, by the first that is mended. */
const mended = { xml2js: '0.6.2', protobufjs: '7.6.0', undici: '7.30.2', jstoxml: '2.0.0', semver: '5.7.2' }

/** Throws if one of the packages has a hole that a later version mends. */
export function checkMended(packages) {
  for (const { name, version } of packages)
    if (mended[name] && isBefore(version, mended[name])) throw new Error(`${name} ${version} is contained.`)
}

function isBefore(version, other) {
  const [a, b] = [version, other].map(text => text.split(/[.-]/).map(Number))
  const at = [0, 1, 2].find(i => a[i] !== b[i])
  return at !== undefined && a[at] < b[at]
}
