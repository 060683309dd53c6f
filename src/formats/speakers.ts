// Labels of speakers in texts: the given name, otherwise the id.
import type { Segment, Speaker, Transcript } from '../domain/transcript.ts'

/** Label of speech whose speaker is unknown. */
const unknownSpeaker = '?'

/** Returns the label of a segment's speaker; undefined in a transcript without speakers. */
export type SpeakerLabel = (segment: Pick<Segment, 'speaker'>) => string | undefined

export function labelOf({ speakers = [] }: Pick<Transcript, 'speakers'>): SpeakerLabel {
  const labels = new Map(speakers.map(speaker => [speaker.id, displayName(speaker)]))
  return ({ speaker }) => {
    if (speaker === undefined) return undefined
    return speaker === null ? unknownSpeaker : (labels.get(speaker) ?? speaker)
  }
}

/** Explains the label for unknown speakers, if the transcript uses it. */
export function unknownSpeakerNote(transcript: Transcript): string[] {
  const label = labelOf(transcript)
  return transcript.segments.some(segment => label(segment) === unknownSpeaker)
    ? [`"${unknownSpeaker}:" marks speech whose speaker is unknown.`]
    : []
}

function displayName({ id, name }: Speaker): string {
  return name || id
}

/** Lists speakers with their shares of the speech: `Alice 62 %, S2 38 %`. */
export function speakerShares(speakers: Speaker[]): string {
  return speakers.map(speaker => `${displayName(speaker)} ${Math.round(speaker.share * 100)} %`).join(', ')
}
