// Locates ffmpeg: the program of FFMPEG_PATH, of an npm package, or of the system.
import { constants } from 'node:fs'
import { access } from 'node:fs/promises'
import { basename, delimiter, join } from 'node:path'
import { SpeechError } from '../../domain/errors.ts'
import { installCommand } from './install-command.ts'

export interface FoundFfmpeg {
  path: string
  /** Where it was found. */
  by: 'FFMPEG_PATH' | 'ffmpeg-static' | 'system' | 'development package'
}

export interface FfmpegSearch {
  /** FFMPEG_PATH; if set, nothing else is tried. */
  named?: string | undefined
  /** The PATH to search. */
  searchPath: string
}

/** Desktop apps often start without the shell's PATH; package managers install programs in these folders. */
const usualFolders =
  process.platform === 'win32'
    ? ['C:\\ffmpeg\\bin', 'C:\\Program Files\\ffmpeg\\bin', 'C:\\ProgramData\\chocolatey\\bin']
    : ['/opt/homebrew/bin', '/usr/local/bin', '/opt/local/bin', '/usr/bin', '/snap/bin']

/** Throws `FFMPEG_MISSING`, whose hint names the command for this system. */
export async function locateFfmpeg({ named, searchPath }: FfmpegSearch): Promise<FoundFfmpeg> {
  if (named) {
    const path = basename(named) === named ? await onPath(named, searchPath) : await runnable(named)
    if (path) return { path, by: 'FFMPEG_PATH' }
    throw new SpeechError('FFMPEG_MISSING', 'FFMPEG_PATH is not an executable program.', {
      hint: 'Correct it, or unset it to use ffmpeg-static or the system’s ffmpeg.',
    })
  }
  const packaged = await fromPackage('ffmpeg-static')
  if (packaged) return { path: packaged, by: 'ffmpeg-static' }
  const installed = await onPath(process.platform === 'win32' ? 'ffmpeg.exe' : 'ffmpeg', searchPath)
  if (installed) return { path: installed, by: 'system' }
  const development = await fromPackage('@ffmpeg-installer/ffmpeg')
  if (development) return { path: development, by: 'development package' }
  throw new SpeechError('FFMPEG_MISSING', 'No ffmpeg was found.', {
    hint: `${await howToInstall(searchPath)}, or set FFMPEG_PATH to one.`,
  })
}

/** After a failure the next call looks again: ffmpeg may be installed while the server runs. */
export function locateOnce(search: FfmpegSearch): () => Promise<FoundFfmpeg> {
  let found: Promise<FoundFfmpeg> | undefined
  return () => {
    found ??= locateFfmpeg(search)
    found.catch(() => {
      found = undefined
    })
    return found
  }
}

async function howToInstall(searchPath: string): Promise<string> {
  const command = await installCommand({
    platform: process.platform,
    isRoot: process.getuid?.() === 0,
    has: async program => (await onPath(program, searchPath)) !== undefined,
  })
  return command === undefined ? 'Install ffmpeg, or run `npm install ffmpeg-static`' : `Run \`${command}\``
}

async function onPath(name: string, searchPath: string): Promise<string | undefined> {
  for (const folder of [...searchPath.split(delimiter), ...usualFolders]) {
    const path = folder && (await runnable(join(folder, name)))
    if (path) return path
  }
  return undefined
}

/** Both packages export the path of their program; it is missing if its download was blocked. */
async function fromPackage(name: string): Promise<string | undefined> {
  try {
    const { default: found } = (await import(name)) as { default: string | { path: string } | null }
    const path = typeof found === 'string' ? found : found?.path
    return path && (await runnable(path))
  } catch {
    return undefined
  }
}

/** The path, if it is an executable program. */
async function runnable(path: string): Promise<string | undefined> {
  return access(path, constants.X_OK).then(
    () => path,
    () => undefined,
  )
}
