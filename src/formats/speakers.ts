// How speakers are called in texts: by the name a person gave, otherwise by their id.
import type { Segment, Speaker, Transcript } from '../domain/transcript.ts'

/** Stands for someone who speaks and could not be told from the others. */
const nobodyKnown = '?'

/** Undefined in a transcript that was made without speakers. */
export type Label = (segment: Pick<Segment, 'speaker'>) => string | undefined

export function labelOf({ speakers = [] }: Pick<Transcript, 'speakers'>): Label {
  const labels = new Map(speakers.map(speaker => [speaker.id, calledBy(speaker)]))
  return ({ speaker }) => {
    if (speaker === undefined) return undefined
    return speaker === null ? nobodyKnown : (labels.get(speaker) ?? speaker)
  }
}

/** What the mark for nobody means, where it is used. */
export function unknownSpeakerNote(transcript: Transcript): string[] {
  const label = labelOf(transcript)
  return transcript.segments.some(segment => label(segment) === nobodyKnown)
    ? [`Where it says "${nobodyKnown}:", nobody could tell who speaks.`]
    : []
}

function calledBy({ id, name }: Speaker): string {
  return name || id
}

/** `Alice 62 %, S2 38 %`. */
export function speakerShares(speakers: Speaker[]): string {
  return speakers.map(speaker => `${calledBy(speaker)} ${Math.round(speaker.share * 100)} %`).join(', ')
}
