// Aligns a speaker recognition with a text recognition of the same recording: each word gets its speaker.
import type { FileRecognition } from '../../domain/ports.ts'
import { type Alignment, roundToMs, type Segment, type Speaker } from '../../domain/transcript.ts'
import { assignSpeakers, type SpeakerAssignment, type SpeakerLabel } from './assign-speakers.ts'
import { segmentsOf, speakersOf } from './segments.ts'
import { type TimedTokens, timedTokens } from './timed-tokens.ts'

export interface Aligned {
  /** In order of time: a turn, or a sentence or so of it. */
  segments: Segment[]
  /** Empty where no speakers were distinguished. */
  speakers: Speaker[]
  alignment?: Alignment
  /** Sentences for the reader. */
  warnings: string[]
}

/** Below both, the two recognitions are not of the same speech: shares of the words, and of their time. */
const minMatchedShare = 0.2
const minOverlapShare = 0.5
/** From this share of the words on, missing speakers are worth a warning even where the provider labelled everything. */
const minUnassignedWarning = 0.02
/** Above this share of the words, speakers that rest on time alone are worth a warning. */
const maxTimeOnlyShare = 0.5

/**
 * Either recognition may be missing where its pass failed. A recognition with both speakers and text is passed as both
 * arguments. `duration` is the length of the recording in seconds.
 */
export async function align(
  speakerRecognition: FileRecognition | undefined,
  textRecognition: FileRecognition | undefined,
  duration: number,
): Promise<Aligned> {
  const text = textRecognition && (await timedTokens(textRecognition, duration))
  if (!text?.words.length)
    return withoutText(
      speakerRecognition && (await timedTokens(speakerRecognition, duration)),
      textRecognition !== undefined,
    )
  if (textRecognition === speakerRecognition)
    return fromOne(text, await timedTokens(labelled(textRecognition!), duration))
  // A clock that is ahead runs beyond the end of the recording.
  const speakers = speakerRecognition && (await timedTokens(speakerRecognition, Number.POSITIVE_INFINITY))
  if (!speakers?.words.length || speakers.sentences.every(({ speaker }) => speaker === undefined))
    return withoutSpeakers(text, whyNoSpeakers(speakers))
  return fromBoth(speakers, text)
}

async function fromBoth(speakers: TimedTokens, text: TimedTokens): Promise<Aligned> {
  const assignment = await assignSpeakers(speakers, text)
  const alignment = alignmentOf(assignment)
  if (assignment.matched < minMatchedShare && assignment.overlap < minOverlapShare)
    return {
      ...(await withoutSpeakers(
        text,
        'The speakers and the text match neither in words nor in time, so no speaker is named.',
      )),
      alignment: { ...alignment, unassigned: 1, timeOnly: 0 },
    }
  const warnings =
    assignment.timeOnly > maxTimeOnlyShare
      ? ['Most words were assigned to speakers by time alone: check the speaker changes.']
      : []
  return {
    ...(await build(text, assignment.labels, speakers)),
    alignment,
    warnings: [...warnings, ...unassignedWarnings(assignment.labels, speakers)],
  }
}

function alignmentOf({ clockOffset, matched, timeOnly, labels }: SpeakerAssignment): Alignment {
  return {
    offset: roundToMs(clockOffset.offsetSeconds),
    matched: roundToMs(matched),
    unassigned: roundToMs(unassignedShare(labels)),
    timeOnly: roundToMs(timeOnly),
  }
}

/**
 * Takes the labels of a recognition with both text and speakers unchanged. Sentences without one are assigned as words that
 * a speaker model has missed: by the `labelled` ones around them.
 */
async function fromOne(recognition: TimedTokens, labelled: TimedTokens): Promise<Aligned> {
  const own = ownLabels(recognition)
  if (unassignedShare(own) === 1) return withoutSpeakers(recognition, whyNoSpeakers(recognition))
  const isComplete = labelled.sentences.length === recognition.sentences.length
  const assigned = isComplete ? own : (await assignSpeakers(labelled, recognition)).labels
  const labels = own.map((label, i) => (label.speaker === null ? assigned[i]! : label))
  const unassigned = unassignedShare(labels)
  return {
    ...(await build(recognition, labels)),
    alignment: {
      offset: 0,
      matched: 1,
      unassigned: roundToMs(unassigned),
      timeOnly: roundToMs(unassignedShare(own) - unassigned),
    },
    warnings: unassignedWarnings(labels, recognition),
  }
}

function labelled({ sentences, ...recognition }: FileRecognition): FileRecognition {
  return { ...recognition, sentences: sentences.filter(({ speaker }) => speaker !== undefined) }
}

function ownLabels({ words, sentences }: TimedTokens): SpeakerLabel[] {
  return words.map(({ sentence }) => ({ speaker: sentences[sentence]!.speaker ?? null }))
}

async function withoutText(speakers: TimedTokens | undefined, isTextRecognised: boolean): Promise<Aligned> {
  if (!speakers?.words.length) return { segments: [], speakers: [], warnings: [] }
  const why = isTextRecognised ? 'recognised nothing' : 'failed'
  const labels = ownLabels(speakers)
  return {
    ...(await build(speakers, labels)),
    warnings: [
      `The text model ${why}; the text comes from the speaker model, which makes more errors.`,
      ...unassignedWarnings(labels, speakers),
    ],
  }
}

async function withoutSpeakers(text: TimedTokens, why: string): Promise<Aligned> {
  const labels = text.words.map(() => ({ speaker: null }))
  return { ...(await build(text, labels)), warnings: [why] }
}

function whyNoSpeakers(speakers: TimedTokens | undefined): string {
  if (!speakers) return 'The speaker model failed, so no speaker is named.'
  if (!speakers.words.length) return 'The speaker model recognised no speech, so no speaker is named.'
  return 'The provider did not distinguish speakers, so no speaker is named.'
}

async function build(
  text: TimedTokens,
  labels: SpeakerLabel[],
  speakers = text,
): Promise<Pick<Aligned, 'segments' | 'speakers'>> {
  const segments = await segmentsOf(text, labels)
  return { segments, speakers: speakersOf(segments, labels, speakers) }
}

function unassignedShare(labels: SpeakerLabel[]): number {
  return labels.filter(({ speaker }) => speaker === null).length / Math.max(1, labels.length)
}

function unassignedWarnings(labels: SpeakerLabel[], speakers: TimedTokens): string[] {
  const unassigned = unassignedShare(labels)
  const isLabelMissing = speakers.sentences.some(({ speaker }) => speaker === undefined)
  if (unassigned === 0 || (!isLabelMissing && unassigned < minUnassignedWarning)) return []
  const percent = Math.max(1, Math.round(100 * unassigned))
  const why = isLabelMissing ? 'the provider did not label them' : 'no speaker was detected there'
  return [`About ${percent} % of the words have no speaker: ${why}.`]
}
