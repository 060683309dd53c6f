// Draws a file: its container, its tracks, when each utterance begins, and what lies in between.
import type { Random } from '../core/random.ts'
import { type ContainerKind, containers } from './containers.ts'
import type { EncodedTrack, Packet, TrackToWrite } from './matroska.ts'
import { type Reel, type Reels, shifted, type TimedWord } from './reels.ts'

export interface PlannedTrack extends TrackToWrite {
  /** In the order in which they are said; seconds on the clock of the part. */
  words: TimedWord[]
}

/** A file of its own, or one of those that are joined. */
export interface PlannedPart {
  tracks: PlannedTrack[]
  picture: EncodedTrack | undefined
  /** Seconds that its clock begins with. */
  start: number
  /** Seconds of silence at its end of which only its header tells. */
  silentEnd: number
  /** True where its header does not tell its length. */
  isLive: boolean
}

export interface Plan {
  name: string
  kind: ContainerKind
  parts: PlannedPart[]
  /** By ffmpeg, or byte by byte; undefined for a single part. */
  joined: 'bytes' | 'concat' | undefined
  args: Record<string, unknown>
}

const apartSeconds = 1

type Gap = 'none' | 'coded' | 'dropped' | 'sparse'

/** Undefined where this ffmpeg lacks the codec that was drawn. */
export function drawPlan(random: Random, reels: Reels): Plan | undefined {
  const kind = random.pick(containers)
  const codec = random.pick(kind.codecs)
  const reel = reels.reel(codec)
  if (!reel) return undefined
  const joined = drawJoin(random, kind, codec)
  const partCount = joined ? 2 + random.below(2) : 1
  const picture = kind.picture && random.chance(0.5) ? reels.picture(kind.picture) : undefined
  const voiceCount = !joined && kind.tracks && random.chance(0.3) ? 2 : 1
  const silentCount = !joined && kind.tracks && random.chance(0.3) ? 1 : 0
  const order = shuffled(reels.utterances.length, random)
  const notes: string[] = []
  const parts = Array.from({ length: partCount }, (_, i) => {
    const hasStart = i === 0 && joined !== 'concat' && kind.hasStart && random.chance(0.3)
    const start = hasStart ? random.below(3_600_000) / 1000 : 0
    const take = order.splice(0, Math.max(voiceCount, (joined ? 1 : 2) + random.below(3)))
    const isLate = i === 0 && kind.hasClock && (picture !== undefined || voiceCount + silentCount > 1)
    const late = isLate && random.chance(0.6) ? random.below(10_000) / 1000 : 0
    notes.push(`start ${start}`, `late ${late}`)
    const tracks = drawVoices(random, { kind, reel, take, voiceCount, late, notes })
    const end = Math.max(...tracks.map(endOf))
    for (let k = 0; k < silentCount; k++)
      tracks.unshift({ entry: reel.entry, packets: silence(reel, 0, end), words: [], title: 'Desktop' })
    const pictureEnd = end + (joined ? 0 : random.below(3000) / 1000)
    const shown = picture && { ...picture, packets: picture.packets.filter(({ time }) => time < pictureEnd) }
    const isOwn = kind.own !== undefined && !joined && !picture
    const silentEnd = isOwn && random.chance(0.2) ? random.below(5000) / 1000 : 0
    return { tracks, picture: shown, start, silentEnd, isLive: silentEnd === 0 && random.chance(0.5) }
  })
  const args = voiceCount > 1 && random.chance(0.3) ? { track: 'all' } : {}
  const what = [
    `${voiceCount} voices`,
    ...(silentCount ? ['silent first'] : []),
    ...(picture ? ['picture'] : []),
  ]
  const how = joined ? [`${partCount} joined (${joined})`] : []
  const name = [kind.ending, codec, ...what, ...how, ...notes].join(', ')
  return { name, kind, parts, joined, args }
}

/** All utterances in turn, each of them between pauses. */
export function allInTurn({ reel, utterances }: Reels): PlannedTrack {
  const { entry, utterance } = reel('pcm')!
  const track: PlannedTrack = { entry, packets: [], words: [] }
  for (const number of utterances.keys()) {
    const { packets, words } = utterance(number)
    const at = endOf(track) + apartSeconds
    track.packets.push(...packets.map(packet => shifted(packet, at)))
    track.words.push(...words.map(word => shifted(word, at)))
  }
  return track
}

/** ffmpeg takes the headers of a Speex within a file for sound. */
function drawJoin(random: Random, { isJoinable, hasClock }: ContainerKind, codec: string): Plan['joined'] {
  const ways = [isJoinable && codec !== 'speex' && 'bytes', hasClock && 'concat'].filter(
    way => way !== undefined && way !== false,
  )
  return ways.length > 0 && random.chance(0.25) ? (random.pick(ways) as Plan['joined']) : undefined
}

interface Voices {
  kind: ContainerKind
  reel: Reel
  /** Numbers of the utterances. */
  take: readonly number[]
  voiceCount: number
  late: number
  notes: string[]
}

/** The voices speak in turn, mostly. */
function drawVoices(random: Random, { kind, reel, take, voiceCount, late, notes }: Voices): PlannedTrack[] {
  const tracks: PlannedTrack[] = Array.from({ length: voiceCount }, (_, i) => ({
    entry: reel.entry,
    packets: [],
    words: [],
    title: voiceCount > 1 ? `Voice ${i + 1}` : undefined,
  }))
  const timed: readonly Gap[] = kind.isPacked ? ['dropped'] : ['dropped', 'sparse']
  const gaps: readonly Gap[] = ['none', 'coded', ...(kind.hasClock ? timed : [])]
  let next = late
  for (const [i, number] of take.entries()) {
    const { packets, words } = reel.utterance(number)
    const track = tracks[i < voiceCount ? i : random.below(voiceCount)]!
    const gap = i === 0 ? 'dropped' : random.pick(gaps)
    const pause = i === 0 || gap === 'none' ? 0 : drawPause(random, gap)
    const from = endOf(track)
    // Another voice may have spoken in the meantime.
    const to = Math.max(from, next + pause)
    if (gap === 'coded' || gap === 'none') track.packets.push(...silence(reel, from, to))
    if (gap === 'sparse') track.packets.push(...silence(reel, from, to, 10 + random.below(15)))
    const isExact = gap === 'dropped' || gap === 'sparse'
    const at = isExact ? to : Math.max(from, endOf(track))
    notes.push(`${gap} ${(at - from).toFixed(2)}`)
    track.packets.push(...packets.map(packet => shifted(packet, at)))
    track.words.push(...words.map(word => shifted(word, at)))
    next = endOf(track)
  }
  return tracks
}

/** A gap around ten seconds is one that ffmpeg may take for a fault of the clock. */
function drawPause(random: Random, gap: Gap): number {
  const most = gap === 'dropped' ? random.pick([0.5, 2, 8, 12, 20]) : 5
  return 0.15 + random.below(most * 1000) / 1000
}

/** Packets of silence; of every so many the first one is kept. */
function silence(reel: Reel, from: number, to: number, every = 1): Packet[] {
  const packets: Packet[] = []
  let at = from
  for (let i = 0; ; i++) {
    const { time, end, data } = reel.silence[i % reel.silence.length]!
    if (at + end - time > to + 0.0005) return packets
    if (i % every === 0) packets.push({ time: at, end: at + end - time, data })
    at += end - time
  }
}

export function endOf({ packets }: EncodedTrack): number {
  return packets.at(-1)?.end ?? 0
}

function shuffled(count: number, random: Random): number[] {
  const left = Array.from({ length: count }, (_, i) => i)
  return Array.from({ length: count }, () => left.splice(random.below(left.length), 1)[0]!)
}
