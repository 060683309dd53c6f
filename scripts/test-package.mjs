// Packs the project, installs the tarball into an empty folder as a user would, and tries it: the tree, the first start
// without ffmpeg, the demo on an emulated cloud, the types; then an install from git, and the bundle for this system:
// `npm run test:package`. Needs the npm registry, so it is not part of `npm test`.
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, sep } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import installer from '@ffmpeg-installer/ffmpeg'
import { listTools } from './list-tools.mjs'
import { npm } from './npm.mjs'
import { collectResults, tryDemo, tryWithoutFfmpeg } from './package/first-run.mjs'
import { checkMended, filesOf, installedPackages, licensedPackages, sizeOf } from './package/folders.mjs'
import { installFromGit } from './package/from-git.mjs'
import { tryBundle } from './package/mcpb.mjs'
import { listToolsAndSearch } from './package/store.mjs'
import { compileConsumer } from './package/types.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'speech-mcp-package-'))
const maxPackedBytes = 1_500_000
/** Without ffmpeg. */
const maxInstalledBytes = 45_000_000

const say = line => process.stdout.write(`${line}\n`)
const megabytes = bytes => `${(bytes / 1e6).toFixed(2)} MB`

/** Packed and installed; the folder of the package. */
function install(user) {
  const [{ filename }] = JSON.parse(npm(['pack', '--json', '--pack-destination', folder], root))
  const packed = statSync(join(folder, filename)).size
  mkdirSync(user)
  writeFileSync(join(user, 'package.json'), '{ "private": true }\n')
  // Scripts would download an ffmpeg.
  const flags = ['--no-audit', '--no-fund', '--prefer-offline', '--ignore-scripts']
  npm(['install', ...flags, join(folder, filename)], user)
  const installed = sizeOf(join(user, 'node_modules'))
  say(`${filename}: ${megabytes(packed)} packed, ${megabytes(installed)} installed.`)
  say(`Room left: ${maxPackedBytes - packed} bytes packed, ${maxInstalledBytes - installed} installed.`)
  if (packed > maxPackedBytes || installed > maxInstalledBytes) throw new Error('The package is too large.')
  return join(user, 'node_modules', 'speech-mcp')
}

function checkTree(user, installed) {
  const files = filesOf(installed)
  // They are read only once a recording is transcribed.
  const pages = ['viewer', 'home', 'upload'].map(name => `${name}.html`)
  const needed = ['silero.wasm', 'silero-weights.bin', 'silero-LICENSE', ...pages].map(
    file => `dist/chunks/${file}`,
  )
  for (const file of [...needed, 'THIRD_PARTY_LICENSES', 'demo/recordings/meeting.ogg', 'types/index.d.ts'])
    if (!files.includes(file)) throw new Error(`The package lacks ${file}.`)
  if (files.some(file => /^(?:fixtures|src|test)\//.test(file)))
    throw new Error('The package has too much in it.')
  const beside = installedPackages(join(user, 'node_modules'))
  const inside = licensedPackages(join(installed, 'THIRD_PARTY_LICENSES'))
  for (const name of ['ali-oss', 'jsonc-parser', 'smol-toml', 'tablestore', 'undici', 'xml2js', 'zod'])
    if (!inside.some(found => found.name === name)) throw new Error(`The licence of ${name} is missing.`)
  if (!readFileSync(join(installed, 'THIRD_PARTY_LICENSES'), 'utf8').includes('Fedor Indutny, 2018'))
    throw new Error('The licence of llhttp is missing.')
  checkMended([...beside, ...inside])
  say(
    `The tree: ${beside.length} packages beside the program, ${inside.length} inside, each with its licence.`,
  )
}

/** Each bundled package loads from there alone, and no file names the folder of the build. */
async function checkFiles(installed) {
  const files = filesOf(installed)
  const packages = files.filter(file => /^dist\/vendor\/.*\.js$/.test(file))
  for (const file of packages) await import(pathToFileURL(join(installed, file)).href)
  const builders = [root, root.replaceAll(sep, '/')]
  for (const file of files)
    if (builders.some(path => readFileSync(join(installed, file)).includes(path)))
      throw new Error(`${file} names a folder of the build.`)
  say(`${packages.length} files of bundled packages load; no file names a folder of the build.`)
}

try {
  const user = join(folder, 'user')
  const installed = install(user)
  checkTree(user, installed)
  await checkFiles(installed)
  const entry = join(installed, 'dist', 'main.js')
  const version = execFileSync(process.execPath, [entry, '--version'], { encoding: 'utf8' }).trim()
  const tools = await listTools(entry, user)
  if (tools.length === 0) throw new Error('The installed server lists no tool.')
  say(`speech-mcp ${version}: packed, installed, started; ${tools.length} tools listed.`)
  const home = join(folder, 'home')
  mkdirSync(home)
  const wasTried = tryWithoutFfmpeg(installed, { home })
  say(wasTried ? 'Without ffmpeg: the error names the command.' : 'This system has an ffmpeg of its own.')
  tryDemo(installed, installer.path, { home })
  compileConsumer(root, user, await collectResults(installed, installer.path, { home }))
  say('The demo ran on the emulated cloud; the types describe its results.')

  const scratch = join(folder, 'git')
  mkdirSync(scratch)
  const fromGit = installFromGit(root, scratch)
  if (!existsSync(join(fromGit, 'THIRD_PARTY_LICENSES'))) throw new Error('git: the licences are missing.')
  const sameTools = await listToolsAndSearch(join(fromGit, 'dist', 'main.js'), scratch)
  if (sameTools.length !== tools.length) throw new Error('The install from git lists other tools.')
  say(`Installed from git, built there, started, its store opened; ${sameTools.length} tools listed.`)
  say(await tryBundle(root, folder))
} finally {
  rmSync(folder, { recursive: true, force: true })
}
