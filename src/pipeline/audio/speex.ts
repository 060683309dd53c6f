// Chooses the decoder of Speex: ffmpeg 7's own one plays that of 16 and 32 kHz to twice its length.
import { open } from 'node:fs/promises'
import type { Run } from '../../domain/run.ts'
import type { Source } from '../source/source.ts'
import { type LocateFfmpeg, readAll, startFfmpeg } from './ffmpeg.ts'

/** Ogg and Matroska describe their tracks in these. */
const headerBytes = 4_096
const oggSpeex = /^OggS.{24}Speex {3}1/s
const matroska = /^.{4,64}(?:matroska|webm)/s
const otherHeader = /OpusHead|vorbis|fLaC|A_(?!MS\/ACM)[A-Z]{3}/

function isSpeex(header: string): boolean {
  if (otherHeader.test(header)) return false
  return (
    oggSpeex.test(header) ||
    (matroska.test(header) && /A_MS\/ACM/.test(header) && header.includes('Speex   1'))
  )
}

/** The source to decode with libspeex, where all of its tracks are Speex and this ffmpeg has it. */
export async function withSpeexDecoder(
  source: Source,
  ffmpeg: LocateFfmpeg,
  { signal }: Pick<Run, 'signal'>,
): Promise<Source> {
  if (!isSpeex(await headerOf(source.file))) return source
  const help = startFfmpeg(await ffmpeg(), ['-h', 'decoder=libspeex'], signal)
  help.stdin.end()
  const [text] = await Promise.all([readAll(help.stdout), help.ended])
  signal.throwIfAborted()
  if (!/^Decoder libspeex\b/m.test(text.toString('latin1'))) return source
  return { ...source, inputOptions: [...(source.inputOptions ?? []), '-c:a', 'libspeex'] }
}

/** Empty where the file cannot be read, which its decoder reports. */
async function headerOf(file: string): Promise<string> {
  const handle = await open(file).catch(() => undefined)
  if (!handle) return ''
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(headerBytes), 0, headerBytes, 0)
    return buffer.toString('latin1', 0, bytesRead)
  } catch {
    return ''
  } finally {
    await handle.close()
  }
}
