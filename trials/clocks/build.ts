// Makes the file of a plan, with ffmpeg or without, and works out when a player sounds each word.
import { execFile } from 'node:child_process'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { type EncodedTrack, readMatroska, writeMatroska } from './matroska.ts'
import { endOf, type Plan, type PlannedPart } from './plan.ts'
import { shifted, type TimedWord } from './reels.ts'

/** A track that is heard, in seconds of a player's clock. */
export interface Voice extends EncodedTrack {
  words: TimedWord[]
}

export interface Truth {
  /** In the order of their tracks. */
  voices: Voice[]
  seconds: number
}

/** Writes `base` with the ending of the plan; throws where ffmpeg cannot write it. */
export async function build(
  plan: Plan,
  base: string,
  ffmpeg: string,
): Promise<{ file: string; truth: Truth }> {
  const { kind, parts, joined } = plan
  const file = `${base}.${kind.ending}`
  const scratch: string[] = []
  const saved = async (bytes: Buffer) => {
    const name = `${base}.part${scratch.length}.mkv`
    scratch.push(name)
    await writeFile(name, bytes)
    return name
  }
  const run = (...args: string[]) => promisify(execFile)(ffmpeg, ['-nostdin', '-v', 'error', '-y', ...args])
  const copy = async (from: string, start = 0) => {
    const offset = start > 0 ? ['-output_ts_offset', String(start)] : []
    await run('-i', from, '-map', '0', '-c', 'copy', ...offset, ...(kind.args ?? []), file)
    return readFile(file)
  }
  try {
    if (joined !== 'concat') {
      const made: Buffer[] = []
      for (const part of parts)
        made.push(kind.own ? written(part, kind.own) : await copy(await saved(written(part)), part.start))
      await writeFile(file, Buffer.concat(made))
      return { file, truth: truthOf(plan) }
    }
    const [list, all] = [`${base}.list`, `${base}.all.mkv`]
    scratch.push(list, all)
    const names = await Promise.all(parts.map(part => saved(written(part))))
    await writeFile(list, names.map(name => `file '${name}'\n`).join(''))
    await run('-f', 'concat', '-safe', '0', '-i', list, '-map', '0', '-c', 'copy', all)
    const bytes = await readFile(all)
    if (kind.own) await writeFile(file, bytes)
    else await copy(all)
    return { file, truth: truthOf(plan, readMatroska(bytes)) }
  } finally {
    await Promise.all(scratch.map(one => rm(one, { force: true })))
  }
}

function written(part: PlannedPart, own?: string): Buffer {
  const { tracks, picture, start, silentEnd, isLive } = part
  const by = own ? start : 0
  const all = [...(picture ? [picture] : []), ...tracks]
  const moved = all.map(track => ({ ...track, packets: track.packets.map(packet => shifted(packet, by)) }))
  const seconds = isLive && own ? undefined : by + Math.max(...all.map(endOf)) + silentEnd
  return writeMatroska(moved, { seconds, type: own })
}

/**
 * Bytes joined to others follow without a gap. ffmpeg gives the parts it joins times of its own, which are read from
 * `made`. Zero is where the earliest stream begins.
 */
function truthOf({ parts }: Plan, made?: EncodedTrack[]): Truth {
  const streams = ({ picture, tracks }: PlannedPart) => [...(picture ? [picture] : []), ...tracks]
  const zeroOf = (all: readonly EncodedTrack[]) => Math.min(...all.map(({ packets }) => packets[0]!.time))
  const voices: Voice[] = []
  let at = -zeroOf(made ?? streams(parts[0]!))
  let [seconds, count] = [0, 0]
  for (const part of parts) {
    const voice = part.tracks[0]!
    const first = voice.packets[0]!.time
    if (made) {
      const own = made.at(-1)!.packets[count]!.time
      at = own - first - zeroOf(made)
      count += voice.packets.length
    } else if (part !== parts[0]) at = seconds - first
    for (const [i, { entry, words, packets }] of part.tracks.entries()) {
      voices[i] ??= { entry, words: [], packets: [] }
      voices[i].words.push(...words.map(word => shifted(word, at)))
      voices[i].packets.push(...packets.map(packet => shifted(packet, at)))
    }
    seconds = at + Math.max(...part.tracks.map(endOf)) + part.silentEnd
  }
  return { voices: voices.filter(({ words }) => words.length > 0), seconds }
}
