// Gives each word that was heard the speaker who says it.
import type { FileRecognition } from '../../domain/ports.ts'
import { type Alignment, roundToMs, type Segment, type Speaker } from '../../domain/transcript.ts'
import { assignSpeakers, type SpeakerAssignment, type SpeakerLabel } from './assign-speakers.ts'
import { segmentsOf, speakersOf } from './segments.ts'
import { type TimedTokens, timedTokens } from './timed-tokens.ts'

export interface Aligned {
  /** In order of time: a turn, or a sentence or so of it. */
  segments: Segment[]
  /** Empty where nobody could be told apart. */
  speakers: Speaker[]
  alignment?: Alignment
  /** Sentences for the reader. */
  warnings: string[]
}

/** Below both, the two hearings are not of the same speech: shares of the words and of their time. */
const [fewAlike, littleOverlap] = [0.2, 0.5]
/** From this share of the words on, missing speakers are worth a warning even where the provider labelled everything. */
const manyUnassigned = 0.02

/** From this share of the words on, speakers that rest on time alone are worth a warning. */
const mostlyTime = 0.5

/**
 * `who` knows the speakers, `what` the words; either may be missing where its pass failed. `duration` is the length of
 * the recording in seconds. One hearing that tells both is given as both.
 */
export function align(
  who: FileRecognition | undefined,
  what: FileRecognition | undefined,
  duration: number,
): Aligned {
  const text = what && timedTokens(what, duration)
  if (!text?.words.length) return withoutText(who && timedTokens(who, duration), what !== undefined)
  if (what === who) return fromOne(text)
  // A clock that is ahead goes on beyond the end of the recording.
  const voices = who && timedTokens(who, Number.POSITIVE_INFINITY)
  if (!voices?.words.length || voices.sentences.every(({ speaker }) => speaker === undefined))
    return withoutSpeakers(text, whyNoSpeakers(who, voices))
  return fromBoth(voices, text)
}

function fromBoth(who: TimedTokens, what: TimedTokens): Aligned {
  const found = assignSpeakers(who, what)
  const alignment = alignmentOf(found)
  if (found.matched < fewAlike && found.overlap < littleOverlap)
    return {
      ...withoutSpeakers(
        what,
        'Who spoke and what was said do not fit together in words or in time, so no speaker is named.',
      ),
      alignment: { ...alignment, unassigned: 1, timeOnly: 0 },
    }
  const result = built(what, found.labels, who)
  const doubts =
    found.timeOnly > mostlyTime
      ? ['Most words were given to speakers by their times alone: look at the changes of speaker with care.']
      : []
  return { ...result, alignment, warnings: [...doubts, ...unassignedWarnings(found.labels, who)] }
}

function alignmentOf({ clockOffset, matched, timeOnly, labels }: SpeakerAssignment): Alignment {
  return {
    offset: roundToMs(clockOffset.offsetSeconds),
    matched: roundToMs(matched),
    unassigned: roundToMs(unassignedShare(labels)),
    timeOnly: roundToMs(timeOnly),
  }
}

/** A hearing that tells words and speakers is taken at its word. */
function fromOne(heard: TimedTokens): Aligned {
  const labels = ownLabels(heard)
  const unassigned = unassignedShare(labels)
  if (unassigned === 1) return withoutSpeakers(heard, whyNoSpeakers(undefined, heard))
  return {
    ...built(heard, labels),
    alignment: { offset: 0, matched: 1, unassigned: roundToMs(unassigned), timeOnly: 0 },
    warnings: unassignedWarnings(labels, heard),
  }
}

function ownLabels({ words, sentences }: TimedTokens): SpeakerLabel[] {
  return words.map(({ sentence }) => ({ speaker: sentences[sentence]!.speaker ?? null }))
}

function withoutText(who: TimedTokens | undefined, wasHeard: boolean): Aligned {
  if (!who?.words.length) return { segments: [], speakers: [], warnings: [] }
  const why = wasHeard ? 'heard nothing' : 'failed'
  const labels = ownLabels(who)
  return {
    ...built(who, labels),
    warnings: [
      `The model for the text ${why}; the text is that of the model for the speakers, which hears words less well.`,
      ...unassignedWarnings(labels, who),
    ],
  }
}

function withoutSpeakers(what: TimedTokens, why: string): Aligned {
  return {
    ...built(
      what,
      what.words.map(() => ({ speaker: null })),
    ),
    warnings: [why],
  }
}

function whyNoSpeakers(who: FileRecognition | undefined, voices: TimedTokens | undefined): string {
  if (!voices) return 'The model for the speakers failed, so no speaker is named.'
  if (!voices.words.length && who) return 'The model for the speakers heard nobody, so no speaker is named.'
  return 'The provider told no speakers apart, so no speaker is named.'
}

function built(heard: TimedTokens, labels: SpeakerLabel[], voices = heard): Omit<Aligned, 'warnings'> {
  const segments = segmentsOf(heard, labels)
  return { segments, speakers: speakersOf(segments, labels, voices) }
}

function unassignedShare(labels: SpeakerLabel[]): number {
  return labels.filter(({ speaker }) => speaker === null).length / Math.max(1, labels.length)
}

function unassignedWarnings(labels: SpeakerLabel[], who: TimedTokens): string[] {
  const unassigned = unassignedShare(labels)
  const isLabelMissing = who.sentences.some(({ speaker }) => speaker === undefined)
  if (unassigned === 0 || (!isLabelMissing && unassigned < manyUnassigned)) return []
  const percent = Math.max(1, Math.round(100 * unassigned))
  const why = isLabelMissing ? 'the provider did not say who spoke there' : 'nobody was heard to speak there'
  return [`About ${percent} % of the words have no speaker: ${why}.`]
}
