// Packages that the program loads on first use, bundled on their own: dist/vendor/. They share nothing with the program, so
// that no part of them is loaded with it.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'esbuild'

/** Stay outside: libsql has native parts, and an ffmpeg is the choice of the person who installs. */
export const external = ['libsql', 'ffmpeg-static', '@ffmpeg-installer/ffmpeg']

/** As the program imports them. Modules, and packages in strict mode. */
const modules = [
  '@tus/server',
  '@modelcontextprotocol/client',
  '@modelcontextprotocol/client/stdio',
  // Parts of undici: see src/drivers/http/connections.ts.
  'undici/lib/api/api-connect.js',
  'undici/lib/api/api-request.js',
  'undici/lib/dispatcher/agent.js',
  'undici/lib/dispatcher/env-http-proxy-agent.js',
  'undici/lib/dispatcher/pool.js',
]

/** Stay CommonJS: they use variables that they do not declare, which a module may not. */
const commonJs = ['@alicloud/mns', 'ali-oss', 'prom-client', 'tablestore']

const nameOf = entry => entry.replace(/^@|\.js$/g, '').replaceAll('/', '-')

/** Leads the program's imports to dist/vendor/, from dist/chunks/. */
export const fromVendor = {
  name: 'from-vendor',
  setup({ onResolve, onEnd }) {
    onResolve({ filter: /^[@a-z]/ }, ({ path }) =>
      [...modules, ...commonJs].includes(path)
        ? { path: `../vendor/${nameOf(path)}.js`, external: true }
        : undefined,
    )
    onEnd(({ metafile }) => {
      for (const [file, { imports, entryPoint }] of Object.entries(metafile?.outputs ?? {}))
        if (entryPoint?.endsWith('main.ts') && imports.some(({ path }) => path.startsWith('../vendor/')))
          return { errors: [{ text: `${file} lies above chunks/, and does not find dist/vendor/.` }] }
    })
  },
}

/** Where a module imports CommonJS, Node searches the whole file for names of exports: 100 ms for the largest. */
const requiring = expression => `import { createRequire } from 'node:module'
const require = createRequire(import.meta.url)
export default ${expression}
`
const together = ['ali-oss', 'alicloud-mns']

/** Resolves with the results of esbuild. */
export async function bundlePackages(root, dist) {
  const options = entries => ({
    absWorkingDir: root,
    entryPoints: Object.fromEntries(entries.map(entry => [nameOf(entry), entry])),
    outdir: join(dist, 'vendor'),
    bundle: true,
    platform: 'node',
    target: 'node20',
    minify: true,
    lineLimit: 1000,
    // The licences are in THIRD_PARTY_LICENSES, whole.
    legalComments: 'none',
    metafile: true,
    logLevel: 'warning',
  })
  const results = await Promise.all([
    build({
      ...options(modules),
      ...{ format: 'esm', splitting: true, chunkNames: 'part-[hash]', banner: { js: withRequire } },
      plugins: [spared],
    }),
    build({
      ...options(commonJs),
      entryPoints: {
        alibaba: 'scripts/build/alibaba.cjs',
        ...{ 'prom-client': 'prom-client', tablestore: 'tablestore' },
      },
      ...{ format: 'cjs', outExtension: { '.js': '.cjs' }, banner: { js: makeBuffer } },
      // Its main file chooses between this and code for a Node without async functions.
      // Of the types by extension, uploads have common ones alone.
      alias: { '@alicloud/mns': '@alicloud/mns/lib/client.js', mime: 'mime/lite' },
      plugins: [spared, withoutOldBuffers],
    }),
  ])
  for (const name of commonJs.map(nameOf))
    writeFileSync(
      join(dist, 'vendor', `${name}.js`),
      requiring(
        together.includes(name) ? `require('./alibaba.cjs')['${name}']()` : `require('./${name}.cjs')`,
      ),
    )
  return results
}

/** undici asks for parts of Node with `require`, which a module lacks. */
const withRequire = `import { createRequire as __createRequire } from 'node:module'
const require = __createRequire(import.meta.url)`

/** Takes `new` or none. */
const makeBuffer = `function makeBuffer(value, ...more) {
  return typeof value === 'number' ? Buffer.alloc(value) : Buffer.from(value, ...more)
}`

/** `new Buffer` prints a warning outside node_modules, where a clone and a bundle have dist/. */
const withoutOldBuffers = {
  name: 'without-old-buffers',
  setup({ onLoad }) {
    onLoad({ filter: /node_modules.*\.js$/ }, ({ path }) => {
      const source = readFileSync(path, 'utf8')
      const contents = source
        .replace(/\bnew\s+(?:[\w.]+\.)?Buffer\(/g, 'makeBuffer(')
        // int64-buffer calls it by another name.
        .replace(/(?<=var BUFFER = .*)\bBuffer;/, 'makeBuffer;')
      return contents === source ? undefined : { contents, loader: 'js' }
    })
  },
}

/** Parts that the program never reaches. */
const spared = {
  name: 'spared',
  setup({ onResolve, onLoad }) {
    // A proxy of urllib and OAuth of the client: both need settings that the program does not use.
    onResolve({ filter: /^(?:proxy-agent|jose)$/ }, ({ path }) => ({ path, external: true }))
    for (const name of Object.keys(replacements))
      onResolve({ filter: new RegExp(`^${name}$`) }, () => ({ path: name, namespace: 'spared' }))
    onLoad({ filter: /./, namespace: 'spared' }, ({ path }) => ({ contents: replacements[path] }))
  },
}

/** Of ali-oss, prom-client and what they need: kinds of browsers, writing XML, traces. */
const unreached = ['@opentelemetry/api', 'bowser', 'jstoxml', 'platform', 'xmlbuilder']

const replacements = {
  ...Object.fromEntries(unreached.map(name => [name, ''])),
  // Shows the key in an error of qs that only a fault of its own could throw.
  'object-inspect': 'module.exports = String',
  // Half a megabyte of tables that Node has, too.
  'iconv-lite': 'exports.decode = (bytes, charset) => new TextDecoder(charset).decode(bytes)',
  // The client of the demo checks results against schemas of the server that it has come with: a sixth of a megabyte.
  '@modelcontextprotocol/client/_shims': `
    export const CORS_IS_POSSIBLE = false
    export class DefaultJsonSchemaValidator { getValidator() { return data => ({ valid: true, data }) } }`,
}
