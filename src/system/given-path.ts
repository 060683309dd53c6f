// Paths as people write them: relative to their home, or as a file:// URL.
import { homedir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Resolves `~` and a `file://` URL. Throws `TypeError` for a URL that names no file on this machine. */
export function expandPath(text: string): string {
  if (/^file:/i.test(text)) return fromFileUrl(text)
  return text === '~' || /^~[/\\]/.test(text) ? join(homedir(), text.slice(1)) : text
}

/** In a hand-written URL, `#`, `?` and a `%` without a code are literal. */
function fromFileUrl(text: string): string {
  const url = text.replace(/[#?]/g, encodeURIComponent).replace(/%(?![0-9a-f]{2})/gi, '%25')
  // A drive letter on a system without drives gets its own hint later.
  return fileURLToPath(url).replace(/^\/(?=[A-Za-z]:\/)/, '')
}
