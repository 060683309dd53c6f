// Inputs of a batch as they stand on the command line: files, folders, globs, addresses, and stdin.
import { createWriteStream, existsSync, statSync } from 'node:fs'
import { mkdtemp, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { extname, isAbsolute, join, parse, sep } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { SpeechError } from '../../domain/errors.ts'
import { withoutQuotes } from '../../domain/text.ts'
import { formatOfExtension } from '../../formats/index.ts'
import { expandPath } from '../../system/given-path.ts'
import { givenPath, isAddress } from '../io/given-path.ts'

export interface BatchInputs {
  /** Absolute paths and addresses. */
  sources: string[]
  /** Temporary file with what stdin gave. */
  stdin?: string
  /** Texts and subtitles among many inputs, such as earlier outputs that `*` has caught. */
  leftOut: number
  /** Deletes the temporary file. */
  close(): Promise<void>
}

/** True where the words name one recording, whose text goes to stdout. */
export function isOneRecording([input, ...more]: string[]): boolean {
  return input !== undefined && more.length === 0 && !isGlob(input) && !isFolder(input)
}

/**
 * Resolves with undefined where SIGINT or SIGTERM ends it: nothing is left then. Throws `FILE_NOT_FOUND` for a pattern
 * that fits nothing, `FILE_UNREADABLE`, `BAD_INPUT`.
 */
export async function readInputs(words: string[]): Promise<BatchInputs | undefined> {
  const stop = new AbortController()
  const onSignal = () => stop.abort()
  for (const signal of signals) process.once(signal, onSignal)
  try {
    return await read(words, stop.signal)
  } catch (error) {
    if (!stop.signal.aborted) throw error
    process.stderr.write('Cancelled.\n')
    return undefined
  } finally {
    for (const signal of signals) process.off(signal, onSignal)
  }
}

async function read(words: string[], signal: AbortSignal): Promise<BatchInputs> {
  const sources: string[] = []
  let stdin: StdinFile | undefined
  for (const word of words) {
    if (word === '-') stdin ??= await readStdin(signal)
    else if (isAddress(word)) sources.push(withoutQuotes(word))
    else if (isGlob(word)) sources.push(...(await expand(word)))
    else sources.push(givenPath(word))
  }
  const kept = sources.length > 1 ? sources.filter(source => !isText(source)) : sources
  const { file, folder } = stdin ?? {}
  return {
    sources: [...new Set(kept), ...(file ? [file] : [])],
    stdin: file,
    leftOut: sources.length - kept.length,
    close: async () => {
      if (folder) await rm(folder, { recursive: true, force: true })
    },
  }
}

const signals = ['SIGINT', 'SIGTERM'] as const

/** A file of just this name comes first. */
export function isGlob(word: string): boolean {
  return /[*?]|\[[^\]]+\]|\{[^}]*,[^}]*\}/.test(word) && !isAddress(word) && !existsSync(givenPath(word))
}

export function isFolder(word: string): boolean {
  return !isAddress(word) && (statSync(givenPath(word), { throwIfNoEntry: false })?.isDirectory() ?? false)
}

function isText(source: string): boolean {
  return !isAddress(source) && formatOfExtension(extname(source).slice(1)) !== undefined && !isFolder(source)
}

async function expand(word: string): Promise<string[]> {
  const { glob } = await import('tinyglobby')
  const given = expandPath(withoutQuotes(word))
  const pattern = sep === '\\' ? given.replaceAll('\\', '/') : given
  const found = await glob(pattern, {
    // Brackets in the name of the working folder are no pattern.
    cwd: isAbsolute(given) ? parse(given).root : process.cwd(),
    absolute: true,
    caseSensitiveMatch: false,
    expandDirectories: false,
    followSymbolicLinks: false,
  })
  if (found.length > 0) return found.sort()
  throw new SpeechError('FILE_NOT_FOUND', `No file fits the pattern ${word}.`, {
    hint: 'Check the spelling; `**/` looks into folders.',
  })
}

interface StdinFile {
  file: string
  folder: string
}

/** Writes stdin to a file, which is read twice: to know its content, and to transcribe it. */
async function readStdin(signal: AbortSignal): Promise<StdinFile> {
  if (process.stdin.isTTY)
    throw new SpeechError('BAD_INPUT', 'stdin is a terminal, so `-` has no recording to read.', {
      hint: 'Name a file, or send a recording: `… | speech-mcp transcribe -`.',
    })
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'speech-mcp-stdin-')))
  const file = join(folder, 'stdin')
  try {
    await pipeline(process.stdin, createWriteStream(file, { mode: 0o600 }), { signal })
    return { file, folder }
  } catch (error) {
    await rm(folder, { recursive: true, force: true })
    signal.throwIfAborted()
    throw new SpeechError('FILE_UNREADABLE', 'stdin could not be read or kept.', {
      hint: 'Check the command before the pipe, and the space in the temporary folder.',
      cause: error,
    })
  }
}
