// Names given to speakers: matched by voice id or by speaking times when a new recognition renumbers the speakers.
import type { GivenName, Job } from '../../domain/job.ts'
import type { Segment, Span, Speaker, Transcript } from '../../domain/transcript.ts'

type SpeakerTurns = Pick<Transcript, 'speakers' | 'segments'>

/** Longest turns that are stored with a name. */
const maxTurns = 30
/** Share of these turns that one speaker must have, and share of that speaker's time that must be in them. */
const minAgreement = 2 / 3

/** Names by current speaker id. A name without a matching speaker is left out. */
export function namesBySpeaker(names: Job['names'] = [], transcript: SpeakerTurns): Map<string, string> {
  const found = names.flatMap(one => {
    const speaker = speakerOf(one, transcript)
    return speaker ? [[speaker.id, one.name] as const] : []
  })
  return new Map(found)
}

/** Warns the reader of names without a matching speaker; returns nothing where no speakers were detected. */
export function lostNameWarnings(names: Job['names'] = [], transcript: SpeakerTurns): string[] {
  if (!transcript.speakers?.length) return []
  const lost = names.filter(one => !speakerOf(one, transcript))
  if (lost.length === 0) return []
  const list = lost.map(({ name }) => `“${name}”`).join(', ')
  return [
    `A new recognition found other speakers, and none of them matches ${list}: name the speakers again with update_transcript.`,
  ]
}

/** The names after a renaming: `given` by current speaker id, empty to take a name away. `isOver`: drops unmatched names. */
export function renamedSpeakers(
  names: Job['names'] = [],
  given: Record<string, string>,
  transcript: SpeakerTurns,
  isOver: boolean,
): Job['names'] {
  const kept = names.filter(one => {
    const speaker = speakerOf(one, transcript)
    return speaker ? !(speaker.id in given) : !isOver || Object.keys(given).length === 0
  })
  const added = Object.entries(given).flatMap(([id, name]) =>
    name === '' ? [] : [givenName(name, id, transcript)],
  )
  const all = [...kept, ...added]
  return all.length > 0 ? all : undefined
}

function givenName(name: string, id: string, { speakers = [], segments }: SpeakerTurns): GivenName {
  const { voice, seconds = 0 } = speakers.find(one => one.id === id) ?? {}
  const until = segments.reduce((last, { end }) => Math.max(last, end), 0)
  return { name, id, turns: longestTurns(id, segments), seconds, until, voice }
}

function longestTurns(id: string, segments: Segment[]): Span[] {
  const turns: Span[] = []
  let isOpen = false
  for (const { speaker, start, end } of segments) {
    const last = turns.at(-1)
    if (speaker === id && isOpen && last) last.end = Math.max(last.end, end)
    else if (speaker === id) turns.push({ start, end })
    isOpen = speaker === id
  }
  return turns.sort((a, b) => b.end - b.start - (a.end - a.start)).slice(0, maxTurns)
}

function speakerOf(one: GivenName, transcript: SpeakerTurns): Speaker | undefined {
  const { voice } = one
  const { speakers = [] } = transcript
  const same = speakers.find(speaker => voice !== undefined && speaker.voice === voice)
  // In the same recognition another voice id is another person.
  const isSameRecognition = (speaker: Speaker) =>
    voice !== undefined && recognitionOf(speaker.voice) === recognitionOf(voice)
  if (same || speakers.some(isSameRecognition)) return same
  return speakers.find(speaker => hasSameTurns(speaker, one, transcript))
}

/** A voice id is `recognition:number`. */
function recognitionOf(voice: string | undefined): string | undefined {
  return voice?.slice(0, voice.lastIndexOf(':'))
}

/** The speaker speaks where the named one spoke, and hardly elsewhere in the stretch that was recognised then. */
function hasSameTurns(
  { id }: Speaker,
  { turns, seconds, until }: GivenName,
  { segments }: SpeakerTurns,
): boolean {
  const own = segments.filter(({ speaker }) => speaker === id)
  const shared = sum(turns, turn => sum(own, segment => overlap(turn, segment)))
  const then = sum(own, segment => overlap(segment, { start: 0, end: until }))
  return shared >= minAgreement * sum(turns, length) && seconds >= minAgreement * then
}

function overlap(one: Span, other: Span): number {
  return Math.max(0, Math.min(one.end, other.end) - Math.max(one.start, other.start))
}

function length({ start, end }: Span): number {
  return end - start
}

function sum<Item>(items: readonly Item[], of: (item: Item) => number): number {
  return items.reduce((total, item) => total + of(item), 0)
}
