// npm runs it after an install in a clone, before packing, and for an install from git, which has no dist/ otherwise.
// With `--whole` it only says whether there is something to pack.
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

if (process.argv.includes('--whole')) {
  const needed = ['dist/main.js', 'THIRD_PARTY_LICENSES']
  const missing = needed.filter(file => !existsSync(fileURLToPath(new URL(`../${file}`, import.meta.url))))
  if (missing.length > 0) fail(`${missing.join(' and ')} missing: run \`npm ci\` before you pack.`)
} else {
  try {
    const { buildDist } = await import('./build.mjs')
    await buildDist()
  } catch (error) {
    // An install without the packages for development, as `npm ci --omit=dev`, has nothing to build with.
    if (error.code !== 'ERR_MODULE_NOT_FOUND' || !/'esbuild'/.test(error.message)) throw error
    const message = 'dist/ was not built: the packages for development are not installed.'
    // An older dist/ would be packed in its place.
    if (['pack', 'publish'].includes(process.env.npm_command)) fail(message)
    process.stderr.write(`${message}\n`)
  }
}

function fail(message) {
  process.stderr.write(`${message}\n`)
  process.exit(1)
}
