// Builds the pages for browsers: each one file with its script and style, which its policy names by their hashes.
import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'esbuild'

/** `more`: parts of a page's policy beyond those of all. */
const pages = [
  // Hosts of apps refuse larger ones, or show them late.
  {
    name: 'viewer',
    folder: 'src/viewer/page',
    maxBytes: 150_000,
    more: ['media-src blob:', 'img-src data:'],
  },
  { name: 'home', folder: 'src/home/page', maxBytes: 25_000, more: ['img-src data:'] },
  { name: 'upload', folder: 'src/home/upload', maxBytes: 8_000, more: [] },
]

/** Writes all of them into a folder. */
export async function buildPages(root, folder) {
  await Promise.all(pages.map(page => buildPage(root, page, join(folder, `${page.name}.html`))))
}

async function buildPage(root, { folder, maxBytes, more }, file) {
  const { outputFiles } = await build({
    absWorkingDir: root,
    entryPoints: [`${folder}/main.ts`, `${folder}/page.css`],
    bundle: true,
    minify: true,
    format: 'iife',
    target: 'es2022',
    charset: 'utf8',
    outdir: 'unused',
    write: false,
    logLevel: 'warning',
  })
  const textOf = ending => outputFiles.find(({ path }) => path.endsWith(ending)).text.trim()
  const [script, style] = [textOf('.js'), textOf('.css')]
  const hashOf = text => `'sha256-${createHash('sha256').update(text).digest('base64')}'`
  const policy = [
    "default-src 'none'",
    `script-src ${hashOf(script)}`,
    `style-src ${hashOf(style)}`,
    "connect-src 'self'",
    ...more,
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ')
  const html = readFileSync(join(root, folder, 'page.html'), 'utf8')
    .replace('%POLICY%', () => policy)
    .replace('%STYLE%', () => style)
    .replace('%SCRIPT%', () => script)
  const bytes = Buffer.byteLength(html)
  if (bytes > maxBytes) throw new Error(`${folder} has ${bytes} bytes, at most ${maxBytes} are allowed.`)
  writeFileSync(file, html)
}
