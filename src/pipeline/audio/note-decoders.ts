// Keeps an ffmpeg ready for the next voice note: linking a distribution's ffmpeg takes longer than decoding the note.
import { randomUUID } from 'node:crypto'
import { realpathSync, rmSync, symlinkSync } from 'node:fs'
import { basename, extname, join } from 'node:path'
import { privateFolder } from '../../system/private-files.ts'
import { isElf } from '../../system/program-file.ts'
import type { Source } from '../source/source.ts'
import { decoderArguments } from './decode-arguments.ts'
import { type Ffmpeg, type FfmpegProcess, type NoteDecoders, type NoteInput, startFfmpeg } from './ffmpeg.ts'
import { loadSpeechDetector } from './speech-detector/speech-detector.ts'

export interface WaitingDecoders extends NoteDecoders {
  /** From now on one waits: at first for a file of this name, then for such a note as the last one. */
  keepReady(ffmpeg: Ffmpeg, name: string): void
  /** Ends the waiting one; no other follows. */
  close(): void
}

interface Waiting {
  decoder: FfmpegProcess
  /** Its arguments, and the extension of its file. */
  kind: string
  /** Path under which it will look for its file. */
  link: string
  controller: AbortController
  timer: NodeJS.Timeout
}

/** Not longer: it keeps 13 MB. */
const maxIdleMs = 300_000
/** Of a process that the system has ended, or that it keeps from following a link. */
const maxFailures = 3
/** The request of the note before leaves first. */
const pauseMs = 250

/**
 * With it, nothing is opened before stdin ends: ffmpeg opens its inputs one after the other, and the first is an empty
 * list of metadata from there. The file is the second input.
 */
const firstInput = ['-protocol_whitelist', 'pipe', '-f', 'ffmetadata', '-i', 'pipe:0']

/** `folder` is for links to the notes, and is created when the first is needed. */
export function createNoteDecoders(folder: string): WaitingDecoders {
  let waiting: Waiting | undefined
  let next: NodeJS.Timeout | undefined
  let isKept = false
  let isClosed = false
  let failures = 0

  function end(): void {
    waiting?.controller.abort()
    clearTimeout(waiting?.timer)
    waiting = undefined
  }

  function close(): void {
    isKept = false
    isClosed = true
    clearTimeout(next)
    end()
  }

  function prepareFor(ffmpeg: Ffmpeg, note: NoteInput): void {
    const kind = kindOf(ffmpeg, note)
    if (!isKept || waiting?.kind === kind || !canWait(ffmpeg.path)) return
    end()
    const link = join(folder, `${randomUUID()}${extensionOf(note)}`)
    const controller = new AbortController()
    const args = [...firstInput, ...note.argumentsFor(link)]
    try {
      const decoder = startFfmpeg(ffmpeg, args, controller.signal, 'note')
      const prepared = { decoder, kind, link, controller, timer: setTimeout(end, maxIdleMs).unref() }
      waiting = prepared
      const forget = () => {
        clearTimeout(prepared.timer)
        if (waiting === prepared) waiting = undefined
      }
      decoder.ended.then(forget, forget)
    } catch {
      // The next note starts one of its own, and tells what is wrong.
    }
  }

  /** Tells the waiting decoder its file. */
  function goOn({ decoder, link, controller, timer }: Waiting, file: string, signal: AbortSignal) {
    clearTimeout(timer)
    waiting = undefined
    const abort = () => controller.abort(signal.reason)
    if (signal.aborted) abort()
    signal.addEventListener('abort', abort, { once: true })
    const ended = decoder.ended.finally(() => {
      signal.removeEventListener('abort', abort)
      rmSync(link, { force: true })
    })
    ended.catch(() => {})
    privateFolder(folder)
    symlinkSync(file, link)
    decoder.stdin.end()
    return { ...decoder, ended, stderr: () => withUsualNumbers(decoder.stderr()) }
  }

  return {
    take(ffmpeg, note, signal) {
      if (!isKept) return undefined
      clearTimeout(next)
      next = setTimeout(prepareFor, pauseMs, ffmpeg, note).unref()
      if (waiting?.kind !== kindOf(ffmpeg, note)) return undefined
      const { controller } = waiting
      try {
        return goOn(waiting, note.file, signal)
      } catch {
        // The data folder may be full, or closed.
        controller.abort()
        close()
        return undefined
      }
    },
    keepReady(ffmpeg, name) {
      if (isClosed) return
      isKept = true
      void loadSpeechDetector()
      const argumentsFor = (file: string) =>
        decoderArguments({ file, hasClock: true } as Source, { voiceNote: true })
      if (!waiting) prepareFor(ffmpeg, { file: name, argumentsFor })
    },
    noteFailure() {
      failures++
      if (failures === maxFailures) close()
    },
    close,
  }
}

/** Formats are recognised by the file's name as well. */
function extensionOf({ file }: NoteInput): string {
  const extension = extname(file)
  return /^\.\w{1,8}$/.test(extension) ? extension : ''
}

function kindOf({ path }: Ffmpeg, note: NoteInput): string {
  return [path, ...note.argumentsFor(extensionOf(note))].join('\0')
}

/** A wrapper may choose by the name of the file, or see other folders. */
function canWait(path: string): boolean {
  if (process.platform !== 'linux' || !isElf(path)) return false
  try {
    return basename(realpathSync(path)).startsWith('ffmpeg')
  } catch {
    return false
  }
}

const emptyInput = /^Input #0, ffmetadata, .*\n(?: {2}.*\n)*|^Input file #0 \(pipe:0\):\n(?: {2}.*\n)*/gm
/** As the description of the inputs names them, the warnings of a demuxer, and those of a decoder from ffmpeg 7 on. */
const described = /\b(Input |[Ss]tream |in|aist)#1(?=[:,. /])/g
/** As decoding and the counts at the end name them. Streams of the outputs have the form of those of the inputs. */
const decoded = /\b(Input (?:file|stream) |decoding stream |in|aist)#1/g

/** Numbers the inputs as if the file were the only one. */
function withUsualNumbers(stderr: string): string {
  const [inputs = '', ...outputs] = stderr.replace(emptyInput, '').split(/^(?=Output #0)/m)
  return [inputs.replace(described, '$1#0'), ...outputs.map(text => text.replace(decoded, '$1#0'))].join('')
}
