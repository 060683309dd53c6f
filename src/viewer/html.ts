// The built pages for browsers, each read when it is first shown.
import { readFile } from 'node:fs/promises'
import { lazily } from '../domain/waiting/lazily.ts'

export { pieceHeaders } from './page/contract.ts'

export interface BuiltPage {
  html: string
  /** Its Content-Security-Policy: no script and no style but its own, by their hashes, and no other origin. */
  policy: string
}

const pages = {
  viewer: lazily(() => read('viewer')),
  home: lazily(() => read('home')),
  upload: lazily(() => read('upload')),
}

export type PageName = keyof typeof pages

export const loadPage = (name: PageName): Promise<BuiltPage> => pages[name].get()

export const loadViewerPage = () => loadPage('viewer')

async function read(name: string): Promise<BuiltPage> {
  // Beside the chunk that reads it; the sources take that of the last build.
  const html = await fileOf(`${name}.html`).catch(() => fileOf(`../../dist/chunks/${name}.html`))
  const policy = /http-equiv="Content-Security-Policy" content="([^"]+)"/.exec(html)?.[1]
  if (policy === undefined) throw new Error('The page has no policy: see scripts/build/pages.mjs.')
  return { html, policy }
}

const fileOf = (name: string) => readFile(new URL(name, import.meta.url), 'utf8')
