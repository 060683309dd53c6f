// Reads a path as people and clients write it, and lets through only what lies in the allowed folders.
import { readdir, readlink, realpath } from 'node:fs/promises'
import { homedir } from 'node:os'
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { isDiskFull, isSpeechError, SpeechError } from '../../domain/errors.ts'

/**
 * The real path of an existing file or folder inside one of the folders. A path outside is refused in the same words
 * whether or not it exists, also behind a link. Throws `SpeechError`.
 */
export async function resolvePath(given: string, allowedDirs: string[]): Promise<string> {
  const text = unquote(given)
  if (text.includes('\0') || text.length > longestPath)
    throw new SpeechError('BAD_INPUT', 'No path looks like this: it is too long or holds a zero byte.', {
      hint: 'Give the path as it is on disk.',
    })
  if (isForeignShare(text, allowedDirs)) throw outside(allowedDirs)
  const roots = await realRoots(allowedDirs)
  let allowed = false
  for (const place of places(text, allowedDirs)) {
    const found = await locate(place)
    if (!roots.some(root => inside(found.path, root))) continue
    if (found.exists) return found.path
    if (found.problem) throw describeFileError(found.problem)
    allowed = true
  }
  if (attachment.test(text)) throw notVisible(allowedDirs)
  if (!allowed) throw outside(allowedDirs)
  throw new SpeechError('FILE_NOT_FOUND', 'There is no file at this path.', {
    hint: missingHint(text, allowedDirs),
  })
}

/** In characters; Windows takes the longest. */
const longestPath = 32_767

/** Where chat clients keep attachments: folders of another machine. */
const attachment = /^(?:sandbox:|attachment:|(?:file:\/\/)?\/mnt\/(?:user-data|data)\/)/i
const windowsPath = /^(?:[A-Za-z]:[\\/]|\\\\)/

/** Quotes around a path, a `file://` address and `~` are ways to write it, not parts of it. */
function unquote(given: string): string {
  const text = given.trim().replace(/^(["'“‘`])(.*)(["'”’`])$/s, '$2')
  if (/^file:/i.test(text)) return fromFileUrl(text)
  return text === '~' || /^~[/\\]/.test(text) ? join(homedir(), text.slice(1)) : text
}

/** Written by hand, its `#`, its `?` and a `%` without a code stand for themselves. */
function fromFileUrl(text: string): string {
  const url = text.replace(/[#?]/g, encodeURIComponent).replace(/%(?![0-9a-f]{2})/gi, '%25')
  try {
    // A drive's letter on a system without drives: told later what it is.
    return fileURLToPath(url).replace(/^\/(?=[A-Za-z]:\/)/, '')
  } catch (cause) {
    throw new SpeechError('BAD_INPUT', 'The file:// address names no file of this machine.', {
      hint: 'Give the path as it is on disk.',
      cause,
    })
  }
}

/** A bare or relative name is looked for in each allowed folder; a shell's `\ ` also as a plain space. */
function places(text: string, allowedDirs: string[]): string[] {
  const spellings = /\\[ ()'"&]/.test(text) && sep === '/' ? [text, text.replace(/\\(.)/g, '$1')] : [text]
  return spellings.flatMap(spelling =>
    isAbsolute(spelling) ? [resolve(spelling)] : allowedDirs.map(folder => resolve(folder, spelling)),
  )
}

/** On Windows the mere look at a share (`\\\\host\\…`) signs in to that host, so it is refused unseen. */
function isForeignShare(text: string, allowedDirs: string[]): boolean {
  const path = text.replaceAll('/', '\\').toLowerCase()
  return (
    sep === '\\' &&
    path.startsWith('\\\\') &&
    !allowedDirs.some(folder => path.startsWith(folder.toLowerCase()))
  )
}

async function realRoots(folders: string[]): Promise<string[]> {
  const roots = await Promise.all(folders.map(folder => realpath(folder).catch(() => undefined)))
  return roots.filter(root => root !== undefined)
}

function inside(path: string, root: string): boolean {
  const way = relative(root, path)
  return way === '' || (way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way))
}

interface Place {
  path: string
  exists: boolean
  /** Why nobody can say whether it exists. */
  problem?: unknown
}

/** Follows links as far as the path exists, also to where nothing is; what is missing is added as it stands. */
async function locate(path: string): Promise<Place> {
  try {
    return { path: await realpath(path), exists: true }
  } catch (error) {
    const parent = dirname(path)
    if (parent === path) return { path, exists: false, problem: error }
    const above = await locate(parent)
    const place = join(above.path, basename(path))
    const { code } = error as NodeJS.ErrnoException
    if (code !== 'ENOENT' && code !== 'ENOTDIR' && code !== 'ENAMETOOLONG')
      return { path: place, exists: false, problem: error }
    const elsewhere = above.exists ? await otherPlace(above.path, basename(path), path) : undefined
    return elsewhere ? await locate(elsewhere) : { ...above, path: place, exists: false }
  }
}

/** Where a name that is missing in its folder may still lead: its folder is spelled otherwise, it is a link, or it is. */
async function otherPlace(folder: string, name: string, path: string): Promise<string | undefined> {
  const place = join(folder, name)
  const target = await readlink(place).catch(() => undefined)
  if (target !== undefined) return resolve(folder, target)
  const respelled = place !== path && (await realpath(place).catch(() => undefined))
  return respelled || (await sameName(folder, name))
}

/**
 * Finds a name that differs only in how its letters and spaces are encoded: macOS splits accents from their letters,
 * and puts a narrow no-break space into the names of screen recordings, which models type as a plain one.
 */
async function sameName(folder: string, name: string): Promise<string | undefined> {
  const plain = (text: string) => text.normalize('NFC').replace(/[\u00a0\u2009\u202f]/g, ' ')
  const names = await readdir(folder).catch(() => [])
  const found = names.find(other => other !== name && plain(other) === plain(name))
  return found === undefined ? undefined : join(folder, found)
}

function notVisible(allowedDirs: string[]): SpeechError {
  const save = allowedDirs.length ? `Save it in ${allowedDirs.join(' or ')} and give that path, give` : 'Give'
  return new SpeechError(
    'ATTACHMENT_NOT_VISIBLE',
    'A file attached to the chat is not on the disk this server reads.',
    { hint: `${save} an https:// address, or give a data: URI of at most 1 MB.` },
  )
}

function outside(allowedDirs: string[]): SpeechError {
  return new SpeechError('OUTSIDE_ALLOWED_DIRS', 'The path is outside the folders this server may read.', {
    hint: allowedDirs.length
      ? `Put the recording into ${allowedDirs.join(' or ')}, or add its folder to SPEECH_ALLOWED_DIRS.`
      : 'Give an https:// address, or open a folder with SPEECH_ALLOWED_DIRS.',
  })
}

function missingHint(text: string, allowedDirs: string[]): string {
  if (windowsPath.test(text) && sep === '/')
    return 'It is a Windows path and this server runs on another system: give the path as it is there.'
  if (!isAbsolute(text))
    return `A relative path is looked for in ${allowedDirs.join(', ')}; give the full path.`
  return 'Check the spelling; give the full path of the recording on the machine the server runs on.'
}

/** Turns the system's errors into ours; passes ours through. */
export function describeFileError(error: unknown): SpeechError {
  if (isSpeechError(error)) return error
  const cause = error
  if (isDiskFull(error))
    return new SpeechError('DISK_FULL', 'The disk has no room for the recording.', {
      hint: 'Free some space and call again.',
      cause,
    })
  const code = (error as NodeJS.ErrnoException | null)?.code
  if (code === 'ENOENT')
    return new SpeechError('FILE_NOT_FOUND', 'The file is no longer there.', {
      hint: 'Check the path and call again.',
      cause,
    })
  return new SpeechError('FILE_UNREADABLE', 'The file could not be read.', {
    hint: 'Check its permissions and its disk.',
    cause,
  })
}
