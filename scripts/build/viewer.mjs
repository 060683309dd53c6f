// Builds the page that shows transcripts: one file with its script and style, which its policy names by their hashes.
import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'esbuild'

const folder = 'src/viewer/page'
/** Hosts of apps refuse larger ones, or show them late. */
const maxBytes = 150_000

/** Resolves with esbuild's result. */
export async function buildViewer(root, file) {
  const result = await build({
    absWorkingDir: root,
    entryPoints: [`${folder}/main.ts`, `${folder}/page.css`],
    bundle: true,
    minify: true,
    format: 'iife',
    target: 'es2022',
    charset: 'utf8',
    outdir: 'unused',
    write: false,
    metafile: true,
    logLevel: 'warning',
  })
  const textOf = ending => result.outputFiles.find(({ path }) => path.endsWith(ending)).text.trim()
  const [script, style] = [textOf('.js'), textOf('.css')]
  const hashOf = text => `'sha256-${createHash('sha256').update(text).digest('base64')}'`
  const policy = [
    "default-src 'none'",
    `script-src ${hashOf(script)}`,
    `style-src ${hashOf(style)}`,
    "connect-src 'self'",
    'media-src blob:',
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ')
  const html = readFileSync(join(root, folder, 'page.html'), 'utf8')
    .replace('%POLICY%', () => policy)
    .replace('%STYLE%', () => style)
    .replace('%SCRIPT%', () => script)
  const bytes = Buffer.byteLength(html)
  if (bytes > maxBytes) throw new Error(`The page has ${bytes} bytes, at most ${maxBytes} are allowed.`)
  writeFileSync(file, html)
  return result
}
