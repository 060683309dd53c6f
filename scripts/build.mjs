// Builds dist/: the program as one entry file and chunks that are loaded on first use; dist/vendor/, packages of the same
// kind; and THIRD_PARTY_LICENSES, the licences of all of them.
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build } from 'esbuild'
import { keepAscii } from './build/ascii.mjs'
import { coreModules, withCore } from './build/core.mjs'
import { bundledFolders, llhttp, thirdPartyLicences } from './build/licences.mjs'
import { bundlePackages, external, fromVendor } from './build/packages.mjs'
import { buildPages } from './build/pages.mjs'
import { lazySchemas } from './build/sdk-schemas.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))

export const buildOptions = {
  absWorkingDir: root,
  entryPoints: ['src/main.ts'],
  bundle: true,
  splitting: true,
  platform: 'node',
  format: 'esm',
  target: 'node20',
  // Node 20 knows those that are used. Else each use of a literal makes its expression anew.
  supported: { 'regexp-unicode-property-escapes': true },
  outdir: 'dist',
  chunkNames: 'chunks/[name]-[hash]',
  metafile: true,
  logLevel: 'warning',
  alias: {
    '@modelcontextprotocol/server/_shims': './src/server/json-rpc/sdk-defaults.ts',
    // Its main file is a UMD module, whose parts esbuild does not find.
    'jsonc-parser': 'jsonc-parser/lib/esm/main.js',
  },
  // A quarter smaller. To keep names costs a call for each function at the start: methods and properties have theirs.
  minify: true,
  // Node prints the line of an error that nothing catches.
  lineLimit: 1000,
  external,
}

/** The speech detector, and the notice that its licence asks for. */
const detector = join(root, 'src/pipeline/audio/speech-detector')
const detectorFiles = ['silero.wasm', 'silero-weights.bin', 'silero-LICENSE']

/** zod's conversion to JSON Schema stays out of the bundle: the build itself converts all that clients are shown. */
const withoutConversion = {
  name: 'without-conversion',
  setup({ onLoad }) {
    const filter = /zod[/\\]v4[/\\]core[/\\](?:to-json-schema|json-schema-processors)\.js$/
    onLoad({ filter }, async ({ path }) => {
      const names = Object.keys(await import(pathToFileURL(path).href))
      const message = 'The build leaves out the conversion to JSON Schema: see scripts/build.mjs.'
      const fail = `() => { throw new Error(${JSON.stringify(message)}) }`
      // Each schema is given its methods when it is made, and may never be asked for them.
      const standIn = name => `export const ${name} = ${name.startsWith('create') ? `() => ${fail}` : fail}`
      return { contents: names.map(standIn).join('\n'), loader: 'js' }
    })
  },
}

const schemas = `
  export { tools } from './src/server/tools/index.ts'
  export { promptSchema } from './src/server/prompts.ts'`

/** JSON Schema of the prompts' arguments, and of each tool's input and output: src/server/listed-schema.ts. */
async function listedSchemas() {
  // Inside the project, so that packages are found from there.
  const folder = mkdtempSync(join(root, 'node_modules', '.tool-schemas-'))
  try {
    const file = join(folder, 'tools.mjs')
    const { platform, format, target, external, alias } = buildOptions
    await build({
      ...{ absWorkingDir: root, stdin: { contents: schemas, resolveDir: root }, bundle: true, outfile: file },
      ...{ platform, format, target, external, alias, plugins: [fromVendor], logLevel: 'warning' },
    })
    const { tools, promptSchema } = await import(pathToFileURL(file).href)
    // A tenth of all tokens: the protocol's default dialect, a ban or a leave for fields that later versions may add, and
    // what strict modes of OpenAI refuse. The server checks lengths itself, and that no time or amount is below 0.
    const spare = ['$schema', 'additionalProperties', 'default', 'minLength', 'maxLength', 'properties']
    const isSpare = (key, value) =>
      (spare.includes(key) && (typeof value !== 'object' || Object.keys(value).length === 0)) ||
      (key === 'minimum' && value === 0) ||
      (key === 'maximum' && value >= 1e9)
    // Of the fields within a list of results, a model needs the names alone.
    const isRequiredWithin = (key, holder, root) => key === 'required' && holder !== root
    const short = (root, io) =>
      JSON.parse(
        JSON.stringify(root, function (key, value) {
          const isLeftOut = isSpare(key, value) || (io === 'output' && isRequiredWithin(key, this, root))
          return isLeftOut ? undefined : value
        }),
      )
    const jsonOf = (schema, io) => short(schema['~standard'].jsonSchema[io]({ target: 'draft-2020-12' }), io)
    const ofTools = tools.map(({ name, input, fileInput, output }) => [
      name,
      {
        ...{ input: jsonOf(input, 'input'), output: jsonOf(output, 'output') },
        ...(fileInput && { fileInput: jsonOf(fileInput, 'input') }),
      },
    ])
    return Object.fromEntries([...ofTools, ['prompt', { input: jsonOf(promptSchema, 'input') }]])
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Of what is in dist/: `results` are those of its builds. */
function licencesOf(results) {
  const folders = bundledFolders(results.map(({ metafile }) => metafile))
  // The compiler puts its library into silero.wasm.
  return thirdPartyLicences(root, [...folders, 'node_modules/assemblyscript'], {
    ...llhttp,
    'Silero VAD (MIT): weights of the speech detector': readFileSync(
      join(detector, 'silero-LICENSE'),
      'utf8',
    ),
  })
}

/** Resolves with the result of esbuild. `folder`: empty. */
async function bundleProgram(folder) {
  const define = { BUILT_SCHEMAS: JSON.stringify(await listedSchemas()) }
  const options = { ...buildOptions, outdir: folder, define }
  const plugins = [withoutConversion, lazySchemas, fromVendor]
  const { metafile } = await build({ ...options, write: false, plugins })
  const core = coreModules(metafile, 'src/main.ts', 'src/cli/serve.ts')
  return build({ ...options, plugins: [withCore(root, 'src/main.ts', core), ...plugins] })
}

/** Resolves with the results of esbuild. */
export async function buildDist() {
  // One for each build, in case two run at once.
  const fresh = join(root, 'node_modules', `.dist-next-${process.pid}`)
  rmSync(fresh, { recursive: true, force: true })
  const [program, packages] = await Promise.all([bundleProgram(fresh), bundlePackages(root, fresh)])
  const results = [program, ...packages]
  keepAscii(fresh)
  writeFileSync(join(root, 'THIRD_PARTY_LICENSES'), licencesOf(results))
  // Found beside the chunk that reads them.
  for (const file of detectorFiles) copyFileSync(join(detector, file), join(fresh, 'chunks', file))
  cpSync(join(root, 'src/system/gconv'), join(fresh, 'chunks/gconv'), { recursive: true })
  await buildPages(root, join(fresh, 'chunks'))
  // A server that runs from dist/ finds its chunks, whose names stay where the code has not changed.
  const dist = join(root, 'dist')
  const last = `${fresh}-last`
  if (existsSync(dist)) renameSync(dist, last)
  renameSync(fresh, dist)
  rmSync(last, { recursive: true, force: true })
  return results
}

const isStarted =
  process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)
if (isStarted) await buildDist()
