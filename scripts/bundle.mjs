// Makes an MCPB bundle for each platform: `npm run bundle [darwin|win32|linux] [-- --out FOLDER]`. The native part of the
// store comes from the npm registry unless it is installed. ffmpeg stays outside: the user has one, or names its path.
import { execFileSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { zipSync } from 'fflate'
import { buildDist } from './build.mjs'
import { manifestOf, platforms } from './bundle/manifest.mjs'
import { listTools } from './list-tools.mjs'
import { npm } from './npm.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const maxBytes = 12 * 1024 * 1024
/** Packages beside dist/, which contains all others. */
const packages = ['libsql']
/** Nothing at run time reads them; licences stay. */
const spareFiles = /(?:\.(?:d\.[cm]?ts|ts|map|flow|markdown|md)|\.npmignore|\.travis\.yml|bench[^/]*\.js)$/i
const spareFolders = /(?:^|\/)(?:test|tests|docs?|types|example|examples|benchmarks?|\.github)\//
const licence = /(?:^|\/)(?:licen[cs]e|copying|notice)[^/]*$/i

const project = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))

/** Resolves with the path of the bundle. `scratch`: folder for downloads. */
function bundle(platform, tools, out, scratch) {
  const files = {
    'manifest.json': bytes(`${JSON.stringify(manifestOf(project, platform, tools), null, 2)}\n`),
  }
  for (const [name, path] of [
    ['icon.png', 'scripts/bundle/icon.png'],
    ['LICENSE', 'LICENSE'],
    ['THIRD_PARTY_LICENSES', 'THIRD_PARTY_LICENSES'],
    ['PRIVACY.md', 'scripts/bundle/PRIVACY.md'],
    ['server/start.mjs', 'scripts/bundle/start.mjs'],
    // dist/main.js reads its version there.
    ['server/package.json', 'package.json'],
  ])
    files[name] = readFileSync(join(root, path))
  add(files, 'server/dist', join(root, 'dist'), () => true)
  const folders = new Map()
  for (const name of packages) collect(name, root, folders)
  for (const [place, folder] of folders) add(files, `server/node_modules/${place}`, folder, isNeeded(place))
  const { version } = JSON.parse(readFileSync(join(root, 'node_modules/libsql/package.json'), 'utf8'))
  for (const name of platforms[platform]) {
    add(files, `server/node_modules/${name}`, nativePart(name, version, scratch), () => true)
    // The native part is of the same project, and comes without the text.
    files[`server/node_modules/${name}/LICENSE`] ??= files['server/node_modules/libsql/LICENSE']
  }
  const content = zipSync(files, { level: 9, mtime: new Date('2026-01-01T00:00:00Z') })
  if (content.length > maxBytes) throw new Error(`The bundle for ${platform} has ${content.length} bytes.`)
  const file = join(out, `${project.name}-${project.version}-${platform}.mcpb`)
  writeFileSync(file, content)
  return { file, size: content.length }
}

/** The folders of a package and of what it needs, by their places below node_modules. */
function collect(name, from, folders) {
  const folder = findPackage(name, from)
  const place = relative(join(root, 'node_modules'), folder).replaceAll(sep, '/')
  if (folders.has(place)) return
  folders.set(place, folder)
  const { dependencies = {} } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  for (const needed of Object.keys(dependencies)) collect(needed, folder, folders)
}

/** As Node resolves it: in the node_modules of the folder or of one above. */
function findPackage(name, from) {
  for (let at = from; ; at = dirname(at)) {
    const folder = join(at, 'node_modules', name)
    if (existsSync(join(folder, 'package.json'))) return folder
    if (at === dirname(at)) throw new Error(`${name} is not installed.`)
  }
}

function nativePart(name, version, scratch) {
  const installed = join(root, 'node_modules', name)
  if (existsSync(installed)) return installed
  const folder = join(scratch, name.replace('/', '+'))
  mkdirSync(folder, { recursive: true })
  const [{ filename }] = JSON.parse(npm(['pack', '--json', `${name}@${version}`], folder))
  execFileSync('tar', ['-xzf', filename], { cwd: folder })
  return join(folder, 'package')
}

const isNeeded = place => path =>
  licence.test(path) || !(spareFiles.test(path) || spareFolders.test(`${place}/${path}`))

/** Without folders of further packages, which `collect` finds where they are needed. */
function add(files, name, folder, accepts) {
  for (const path of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    const inside = path.replaceAll(sep, '/')
    if (/(?:^|\/)node_modules\//.test(inside) || !accepts(inside)) continue
    if (statSync(join(folder, path)).isFile()) files[`${name}/${inside}`] = readFileSync(join(folder, path))
  }
}

function bytes(text) {
  return new TextEncoder().encode(text)
}

const { values, positionals } = parseArgs({ options: { out: { type: 'string' } }, allowPositionals: true })
const out = values.out ?? join(root, 'bundles')
const scratch = mkdtempSync(join(tmpdir(), 'speech-mcp-bundle-'))
try {
  await buildDist()
  mkdirSync(out, { recursive: true })
  const tools = await listTools(join(root, 'dist/main.js'), scratch)
  for (const platform of positionals.length > 0 ? positionals : Object.keys(platforms)) {
    if (!Object.hasOwn(platforms, platform)) throw new Error(`Unknown platform: ${platform}`)
    const { file, size } = bundle(platform, tools, out, scratch)
    process.stdout.write(`${file} ${(size / 1024 / 1024).toFixed(1)} MB\n`)
  }
} finally {
  rmSync(scratch, { recursive: true, force: true })
}
