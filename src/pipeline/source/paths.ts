// Resolves a path as people and clients write it, and refuses paths outside the allowed folders.
import { readdir, readlink, realpath, stat } from 'node:fs/promises'
import { dirname, isAbsolute, join, parse, relative, resolve, sep } from 'node:path'
import { isDiskFull, isSpeechError, SpeechError } from '../../domain/errors.ts'
import { withoutQuotes } from '../../domain/text.ts'
import { expandPath } from '../../system/given-path.ts'

/**
 * Returns the real path of an existing file or folder inside one of the folders. A path outside, also behind a link, gets
 * the same error whether or not it exists. Throws `SpeechError`.
 */
export async function resolvePath(given: string, allowedDirs: string[]): Promise<string> {
  const text = checkedPath(given, allowedDirs)
  const roots = await realRoots(allowedDirs)
  let allowed = false
  for (const candidate of candidatePaths(spellingsOf(text), allowedDirs)) {
    const found = await locate(candidate)
    if (!roots.some(root => isInside(found.path, root))) continue
    if (found.exists) return found.path
    if (found.problem) throw describeFileError(found.problem)
    allowed = true
  }
  if (attachmentPath.test(text)) throw notVisible(allowedDirs)
  if (!allowed) throw outsideAllowedDirs(allowedDirs)
  throw new SpeechError('FILE_NOT_FOUND', 'No file exists at this path.', {
    hint: missingHint(text, allowedDirs),
  })
}

export interface OutputPath {
  /** Real path: no link is left in it. */
  path: string
  /** Path from the innermost allowed folder. */
  inside: string
  /** As it was given, without quotes; a relative one from its allowed folder. */
  shown: string
}

/**
 * Returns the real path that a file to be written has inside one of the folders, whose own folder exists. A path outside,
 * also behind a link, gets the same error whether or not it exists. Throws `SpeechError`.
 */
export async function resolveOutput(given: string, allowedDirs: string[]): Promise<OutputPath> {
  const text = checkedPath(given, allowedDirs, true)
  const roots = await realRoots(allowedDirs)
  let allowed = false
  // A new name with a backslash before a space is that of a shell.
  for (const candidate of candidatePaths(spellingsOf(text).reverse(), allowedDirs)) {
    const { path, problem } = await locate(candidate)
    const [root] = roots.filter(root => isInside(path, root)).sort((a, b) => b.length - a.length)
    if (root === undefined) continue
    if (problem) throw describeOutputError(problem)
    allowed = true
    const above = await stat(dirname(path)).catch(() => undefined)
    if (above?.isDirectory()) {
      const shown = resolve(text) === candidate && isAbsolute(text) ? withoutQuotes(given) : candidate
      return { path, inside: relative(root, path), shown }
    }
  }
  if (!allowed) throw outsideAllowedDirs(allowedDirs, true)
  throw new SpeechError('FILE_NOT_WRITABLE', 'The folder of the file does not exist.', {
    hint: 'Check the spelling, or create the folder first.',
  })
}

/** Throws where the path is none, or would ask another machine. */
function checkedPath(given: string, allowedDirs: string[], isOutput = false): string {
  const text = unquote(given)
  if (text.includes('\0') || text.length > maxPathChars)
    throw new SpeechError('BAD_INPUT', 'The path is invalid: it is too long or contains a NUL byte.', {
      hint: 'Give the path exactly as it is on disk.',
    })
  if (isForeignShare(text, allowedDirs)) throw outsideAllowedDirs(allowedDirs, isOutput)
  return text
}

/** The limit of Windows, the largest of all systems. */
const maxPathChars = 32_767

/** Folders of chat clients for attachments; they are on another machine. */
const attachmentPath = /^(?:sandbox:|attachment:|(?:file:\/\/)?\/mnt\/(?:user-data|data)\/)/i
const windowsPath = /^(?:[A-Za-z]:[\\/]|\\\\)/

/** Removes quotes, and resolves a `file://` URL and `~`. */
function unquote(given: string): string {
  try {
    return expandPath(withoutQuotes(given))
  } catch (cause) {
    throw new SpeechError('BAD_INPUT', 'The file:// URL does not name a file on this machine.', {
      hint: 'Give the path exactly as it is on disk.',
      cause,
    })
  }
}

/** The path as it is, then with a shell's `\ ` as a plain space. */
function spellingsOf(text: string): string[] {
  return /\\[ ()'"&]/.test(text) && sep === '/' ? [text, text.replace(/\\(.)/g, '$1')] : [text]
}

/** Resolves a relative name against each allowed folder. */
function candidatePaths(spellings: string[], allowedDirs: string[]): string[] {
  return spellings.flatMap(spelling =>
    isAbsolute(spelling) ? [resolve(spelling)] : allowedDirs.map(folder => resolve(folder, spelling)),
  )
}

/** On Windows, even a look at a share (`\\\\host\\…`) signs in to that host, so it is refused without one. */
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

function isInside(path: string, root: string): boolean {
  const steps = relative(root, path)
  return steps === '' || (steps !== '..' && !steps.startsWith(`..${sep}`) && !isAbsolute(steps))
}

interface ResolvedPath {
  path: string
  exists: boolean
  /** Why it is unknown whether it exists. */
  problem?: unknown
}

/** Follows links as far as the path exists, also broken ones; the missing rest is appended unchanged. */
async function locate(path: string): Promise<ResolvedPath> {
  const whole = await realpath(path).catch(() => undefined)
  if (whole !== undefined) return { path: whole, exists: true }
  const { root } = parse(path)
  const names = path.slice(root.length).split(sep)
  let above = root
  // From above, since a missing path may have thousands of folders.
  for (const [i, name] of names.entries())
    try {
      above = await realpath(join(above, name))
    } catch (problem) {
      const rest = names.slice(i + 1)
      const missing = { path: join(above, name, ...rest), exists: false }
      const { code } = problem as NodeJS.ErrnoException
      if (code !== 'ENOENT' && code !== 'ENOTDIR' && code !== 'ENAMETOOLONG') return { ...missing, problem }
      const target = await alternativePath(above, name)
      return target === undefined ? missing : await locate(join(target, ...rest))
    }
  return { path: above, exists: true }
}

/** Another path for a name missing in its folder: a link's target, or another spelling of the name. */
async function alternativePath(folder: string, name: string): Promise<string | undefined> {
  const target = await readlink(join(folder, name)).catch(() => undefined)
  return target === undefined ? await sameName(folder, name) : resolve(folder, target)
}

/**
 * Finds a name that differs only in Unicode form or kind of space. macOS decomposes accents, and puts a narrow
 * no-break space into the names of screen recordings, which models type as a plain space.
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
    'A file attached to the chat is not on a disk that this server can read.',
    { hint: `${save} an https:// URL, or give a data: URI of at most 1 MB.` },
  )
}

function outsideAllowedDirs(allowedDirs: string[], isOutput = false): SpeechError {
  const [act, advice, other] = isOutput
    ? ['write to', 'Save the file in', 'Open a folder']
    : ['read', 'Move the recording to', 'Give an https:// URL, or allow a folder']
  return new SpeechError(
    'OUTSIDE_ALLOWED_DIRS',
    `The path is outside the folders that this server may ${act}.`,
    {
      hint: allowedDirs.length
        ? `${advice} ${allowedDirs.join(' or ')}, or add its folder to SPEECH_ALLOWED_DIRS.`
        : `${other} with SPEECH_ALLOWED_DIRS.`,
    },
  )
}

function missingHint(text: string, allowedDirs: string[]): string {
  if (windowsPath.test(text) && sep === '/')
    return 'This is a Windows path, and the server runs on another system: give the path as it is on the server.'
  if (!isAbsolute(text))
    return `A relative path is resolved against ${allowedDirs.join(', ')}; give the full path.`
  return 'Check the spelling; give the full path of the recording on the machine that runs the server.'
}

/** Turns an error of the operating system into a `SpeechError`; returns a `SpeechError` unchanged. */
export function describeFileError(error: unknown): SpeechError {
  if (isSpeechError(error)) return error
  const cause = error
  if (isDiskFull(error))
    return new SpeechError('DISK_FULL', 'The disk is too full for the recording.', {
      hint: 'Free some space and call again.',
      cause,
    })
  const code = (error as NodeJS.ErrnoException | null)?.code
  if (code === 'ENOENT')
    return new SpeechError('FILE_NOT_FOUND', 'The file no longer exists.', {
      hint: 'Check the path and call again.',
      cause,
    })
  return new SpeechError('FILE_UNREADABLE', 'The file could not be read.', {
    hint: 'Check its permissions and the disk.',
    cause,
  })
}

/** A name that the disk cannot have. */
const badName = /^(?:ENAMETOOLONG|EINVAL|EILSEQ)$/

/** The same for a file that is written; other errors stay as they are. */
export function describeOutputError(error: unknown): unknown {
  const { code } = error as NodeJS.ErrnoException
  if (isSpeechError(error) || code === undefined) return error
  const cause = error
  if (isDiskFull(error))
    return new SpeechError('DISK_FULL', 'The disk is too full for the file.', {
      hint: 'Free some space and call again.',
      cause,
    })
  const hint = badName.test(code)
    ? 'Choose a shorter name of letters and digits.'
    : 'Check the permissions of its folder, or choose another one.'
  return new SpeechError('FILE_NOT_WRITABLE', 'The file could not be written.', { hint, cause })
}
