// Who bears the names that people have given: known again by voice, or by when they speak, however speakers are numbered.
import type { GivenName, Job } from '../../domain/job.ts'
import type { Segment, Span, Speaker, Transcript } from '../../domain/transcript.ts'

type Told = Pick<Transcript, 'speakers' | 'segments'>

/** By so many of a speaker's turns one is known again in another hearing. */
const mostTurns = 30
/** Share of those turns that must be one speaker's, and of that speaker's time then that must be theirs. */
const agreement = 2 / 3

/** Names by the ids that their bearers have now. One whose bearer is not there is nobody's. */
export function namesIn(names: Job['names'], told: Told): Map<string, string> {
  const found = hung(names, told).flatMap(one => {
    const bearer = bearerOf(one, told)
    return bearer ? [[bearer.id, one.name] as const] : []
  })
  return new Map(found)
}

/** What the reader is to know of names that nobody bears any more; nothing where nobody is told apart. */
export function tellLost(names: Job['names'], told: Told): string[] {
  if (!told.speakers?.length) return []
  const lost = hung(names, told).filter(one => !bearerOf(one, told))
  if (lost.length === 0) return []
  const who = lost.map(({ name }) => `“${name}”`).join(', ')
  return [
    `Speakers were told apart anew, and nobody is surely the one called ${who}: update_transcript gives names anew.`,
  ]
}

/** Each name with its bearer: those that hang on numbers alone are of the speakers as they are told here. */
export function hung(names: Job['names'] = [], told: Told): GivenName[] {
  return Array.isArray(names) ? names : Object.entries(names).map(([id, name]) => hang(name, id, told))
}

/** With names by the ids of the speakers told here, an empty one for none; `isRead`: also without those nobody bears. */
export function withNames(
  names: Job['names'],
  given: Record<string, string>,
  told: Told,
  isRead: boolean,
): Job['names'] {
  if (Object.keys(given).length === 0) return names
  const kept = hung(names, told).filter(one => {
    const bearer = bearerOf(one, told)
    return bearer ? !(bearer.id in given) : !isRead
  })
  const added = Object.entries(given).flatMap(([id, name]) => (name === '' ? [] : [hang(name, id, told)]))
  const all = [...kept, ...added]
  return all.length > 0 ? all : undefined
}

function hang(name: string, id: string, { speakers = [], segments }: Told): GivenName {
  const { voice, seconds = 0 } = speakers.find(one => one.id === id) ?? {}
  const until = segments.reduce((last, { end }) => Math.max(last, end), 0)
  return { name, id, turns: longestTurns(id, segments), seconds, until, ...(voice && { voice }) }
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
  return turns.sort((a, b) => b.end - b.start - (a.end - a.start)).slice(0, mostTurns)
}

function bearerOf(one: GivenName, told: Told): Speaker | undefined {
  const { id, voice, turns } = one
  const { speakers = [] } = told
  if (voice !== undefined) {
    const same = speakers.find(speaker => speaker.voice === voice)
    // In the same hearing every other number is somebody else.
    if (same || speakers.some(speaker => hearingOf(speaker.voice) === hearingOf(voice))) return same
  }
  const isOfOneVersion = voice === undefined && speakers.every(speaker => speaker.voice === undefined)
  if (isOfOneVersion || turns.length === 0) return speakers.find(speaker => speaker.id === id)
  return speakers.find(speaker => speaksAlike(speaker, one, told))
}

function hearingOf(voice: string | undefined): string | undefined {
  return voice?.slice(0, voice.lastIndexOf(':'))
}

/** The one speaks where the other spoke, and hardly anywhere else in what had been heard then. */
function speaksAlike({ id }: Speaker, { turns, seconds, until }: GivenName, { segments }: Told): boolean {
  const own = segments.filter(({ speaker }) => speaker === id)
  const shared = sum(turns, turn => sum(own, segment => common(turn, segment)))
  const then = sum(own, segment => common(segment, { start: 0, end: until }))
  return shared >= agreement * sum(turns, length) && seconds >= agreement * then
}

function common(one: Span, other: Span): number {
  return Math.max(0, Math.min(one.end, other.end) - Math.max(one.start, other.start))
}

function length({ start, end }: Span): number {
  return end - start
}

function sum<Item>(items: readonly Item[], of: (item: Item) => number): number {
  return items.reduce((total, item) => total + of(item), 0)
}
