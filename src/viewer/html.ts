// The built pages for browsers, each read when it is first shown.
import { readFile } from 'node:fs/promises'

export { pieceHeaders } from './page/contract.ts'

export interface BuiltPage {
  html: string
  /** Its Content-Security-Policy: no script and no style but its own, by their hashes, and no other origin. */
  policy: string
}

export type PageName = 'viewer' | 'home' | 'upload'

const loading = new Map<PageName, Promise<BuiltPage>>()

export function loadPage(name: PageName): Promise<BuiltPage> {
  const page = loading.get(name) ?? read(name)
  loading.set(name, page)
  return page
}

export const loadViewerPage = () => loadPage('viewer')

async function read(name: PageName): Promise<BuiltPage> {
  // Beside the chunk that reads it; the sources take that of the last build.
  const html = await fileOf(`${name}.html`).catch(() => fileOf(`../../dist/chunks/${name}.html`))
  const policy = /http-equiv="Content-Security-Policy" content="([^"]+)"/.exec(html)?.[1]
  if (policy === undefined) throw new Error('The page has no policy: see scripts/build/pages.mjs.')
  return { html, policy }
}

const fileOf = (name: string) => readFile(new URL(name, import.meta.url), 'utf8')
