// Reads a result file of either model family: sentences with words and speakers, in seconds and in order of time.
import * as z from 'zod/v4'
import type { RecognisedSentence } from '../../../domain/ports.ts'
import { joinText, withoutControls } from '../../../domain/text.ts'
import { roundToMs, type Span } from '../../../domain/transcript.ts'
import { inTurns, isTurnOver, nextTurn } from '../../../domain/waiting/turns.ts'
import { placeWords } from './own-text.ts'
import { charCount, minWordSeconds, speakerRuns, type TimedWord, timeWords } from './words.ts'

/** Ignores a field of an unexpected type, so that the text around it is kept. */
const lenient = <T extends z.ZodType>(schema: T) => schema.nullish().catch(undefined)

/** Leaves out items of an unexpected type; a list of nothing else does not fit. */
const listOf = <T extends z.ZodType>(item: T) =>
  z.array(z.unknown()).transform((items, { issues }) => {
    const fitting = items.flatMap(value => item.safeParse(value).data ?? [])
    if (fitting.length === 0 && items.length > 0)
      issues.push({ code: 'custom', message: 'No item fits.', input: items })
    return fitting
  })

const text = lenient(z.string().transform(withoutControls))
const milliseconds = lenient(z.number())
/** An absent speaker stays absent: a default would assign all of it to one speaker. */
const speaker = lenient(z.number().int().min(0))

const wordShape = z.object({
  begin_time: milliseconds,
  end_time: milliseconds,
  text,
  punctuation: text,
  /** From models of the Paraformer family. */
  speaker_id: speaker,
})
const sentenceShape = z.object({
  begin_time: milliseconds,
  end_time: milliseconds,
  text,
  language: text,
  speaker_id: speaker,
  words: lenient(listOf(wordShape)),
})
const transcriptShape = z.object({
  text,
  content_duration_in_milliseconds: milliseconds,
  /** Checked one after the other: hours of words take a second. */
  sentences: lenient(z.array(z.unknown())),
})
const resultShape = z.object({
  file_url: text,
  properties: lenient(z.object({ original_duration_in_milliseconds: milliseconds })),
  transcripts: listOf(transcriptShape),
})

type Sentence = z.output<typeof sentenceShape>

export interface FileResult {
  sentences: RecognisedSentence[]
  url?: string
}

/** `length`: seconds of the file, in case the result has none. Returns undefined for other JSON. */
export async function readResult(json: unknown, length: number): Promise<FileResult | undefined> {
  const parsed = resultShape.safeParse(json)
  if (!parsed.success) return undefined
  const { transcripts, properties, file_url: url } = parsed.data
  const whole = time(properties?.original_duration_in_milliseconds) || length
  // Each channel has its own transcript.
  const channels = await Promise.all(transcripts.map(transcript => sentencesOf(transcript, whole)))
  const readable = channels.flatMap(channel => (channel ? [channel] : []))
  if (readable.length === 0 && transcripts.length > 0) return undefined
  const sentences = readable.flat().sort((one, other) => one.start - other.start)
  return { sentences, ...(url && { url }) }
}

/** Sentences with less of the whole text than this lack some of it. */
const minSentencesShare = 0.98

/** Undefined for a transcript with neither a text nor sentences. */
async function sentencesOf(
  transcript: z.output<typeof transcriptShape>,
  whole: number,
): Promise<RecognisedSentence[] | undefined> {
  const sentences: RecognisedSentence[] = []
  let fitting = 0
  let letters = 0
  for (const item of transcript.sentences ?? []) {
    if (isTurnOver()) await nextTurn()
    const { data } = sentenceShape.safeParse(item)
    if (!data) continue
    fitting++
    for (const sentence of readSentence(data, sentences.at(-1)?.end ?? 0)) {
      sentences.push(sentence)
      letters += charCount(sentence.text)
    }
  }
  const hasSentences = fitting > 0 || transcript.sentences?.length === 0
  if (typeof transcript.text !== 'string' && !hasSentences) return undefined
  const all = transcript.text?.trim()
  if (!all || letters >= (await charCountInTurns(all)) * minSentencesShare) return sentences
  const placed = placeWords(all, sentences)
  if (placed.length > 0)
    return placed.map(({ words, ...sentence }) => ({
      ...sentence,
      text: sentence.text.trim(),
      ...(words && charCount(join(words)) === charCount(sentence.text) && { words }),
    }))
  const end = time(transcript.content_duration_in_milliseconds) || whole || minWordSeconds
  return [{ start: 0, end, text: all }]
}

async function charCountInTurns(text: string): Promise<number> {
  let count = 0
  for await (const line of inTurns(text.match(/.{1,4000}/gsu) ?? [])) count += charCount(line)
  return count
}

/** One sentence, or several when the speaker changes inside; `after`: the start of a sentence without times. */
function readSentence(raw: Sentence, after: number): RecognisedSentence[] {
  const own = validSpan(raw)
  const rawWords = (raw.words ?? []).map(word => ({
    start: time(word.begin_time),
    end: time(word.end_time),
    text: `${word.text ?? ''}${word.punctuation ?? ''}`,
    speaker: word.speaker_id ?? raw.speaker_id ?? undefined,
  }))
  const given = raw.text?.trim() || textOf(rawWords)
  const words = timeWords(placeWords(given, rawWords), own)
  const language = languageOf(raw.language)
  if (words.length > 0) return byWords(words, own).map(sentence => ({ ...sentence, ...language }))
  if (given === '') return []
  const speakers = new Set([raw.speaker_id ?? undefined, ...rawWords.map(word => word.speaker)])
  const speakerId = speakers.size === 1 ? [...speakers][0] : (raw.speaker_id ?? undefined)
  return [{ ...(own ?? estimatedSpan(raw, after)), text: given, ...language, ...speakerOf(speakerId) }]
}

function byWords(words: TimedWord[], own: Span | undefined): RecognisedSentence[] {
  const parts = speakerRuns(words)
  return parts.map(part => {
    const inside = { start: part[0]!.start, end: Math.max(...part.map(({ end }) => end)) }
    const span = parts.length === 1 && own ? hull(inside, own) : inside
    return {
      ...span,
      text: join(part),
      ...speakerOf(part[0]!.speaker),
      words: part.map(({ start, end, text }) => ({ start, end, text })),
    }
  })
}

function hull(one: Span, other: Span): Span {
  return { start: Math.min(one.start, other.start), end: Math.max(one.end, other.end) }
}

/** Joins words as they are, since they include their spaces; trims the ends. */
function join(words: { text: string }[]): string {
  return words
    .map(({ text }) => text)
    .join('')
    .trim()
}

/** Of words alone: without a single space among them, each is a word where its script has spaces. */
function textOf(words: { text: string }[]): string {
  const joined = join(words)
  return /\s/.test(joined) ? joined : words.reduce((all, { text }) => joinText(all, text), '')
}

function validSpan({ begin_time, end_time }: Sentence): Span | undefined {
  const [start, end] = [time(begin_time), time(end_time)]
  return start !== undefined && end !== undefined && end > start ? { start, end } : undefined
}

function estimatedSpan({ begin_time }: Sentence, after: number): Span {
  const start = time(begin_time) ?? after
  return { start, end: roundToMs(start + minWordSeconds) }
}

function time(milliseconds: number | null | undefined): number | undefined {
  return milliseconds === null || milliseconds === undefined
    ? undefined
    : roundToMs(Math.max(0, milliseconds) / 1000)
}

function speakerOf(speaker: number | undefined): { speaker?: number } {
  return speaker === undefined ? {} : { speaker }
}

function languageOf(code: string | null | undefined): { language?: string } {
  if (!code || !/^[a-z]{2,3}$/.test(code)) return {}
  return { language: code === 'tl' ? 'fil' : code }
}
