// The built page, read when it is first shown.
import { readFile } from 'node:fs/promises'

export { pieceHeaders } from './page/contract.ts'

export interface ViewerPage {
  html: string
  /** Its Content-Security-Policy: no script and no style but its own, by their hashes, and no other origin. */
  policy: string
}

let loading: Promise<ViewerPage> | undefined

export function loadViewerPage(): Promise<ViewerPage> {
  loading ??= read()
  return loading
}

async function read(): Promise<ViewerPage> {
  // Beside the chunk that reads it; the sources take that of the last build.
  const html = await fileOf('viewer.html').catch(() => fileOf('../../dist/chunks/viewer.html'))
  const policy = /http-equiv="Content-Security-Policy" content="([^"]+)"/.exec(html)?.[1]
  if (policy === undefined) throw new Error('The page has no policy: see scripts/build/viewer.mjs.')
  return { html, policy }
}

const fileOf = (name: string) => readFile(new URL(name, import.meta.url), 'utf8')
