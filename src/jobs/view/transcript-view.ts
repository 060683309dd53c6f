// How a job's transcript looks to a reader: at any moment, with what people have called it and its speakers.
import { basename, extname } from 'node:path'
import { describeError, isSpeechError } from '../../domain/errors.ts'
import { isOver, type Job, type TranscriptionRequest } from '../../domain/job.ts'
import { oneLine } from '../../domain/text.ts'
import type { Speaker, Transcript } from '../../domain/transcript.ts'
import type { Findings } from '../../pipeline/transcribe.ts'
import { namesIn, tellLost } from './speaker-names.ts'

/** What was found, as the transcript of its job. */
export function assemble(job: Job, findings: Findings, warnings: string[]): Transcript {
  const { id, createdAt } = job
  return named(job, { id, createdAt, ...findings, warnings })
}

/** What is stored, with what has become of its job since: a process that died has left it as it was then. */
export function asOf(job: Job, stored: Transcript): Transcript {
  const { state, error, names } = job
  const found = named(job, stored)
  if (!isOver(state)) return { ...found, status: 'running' }
  const transcript = { ...found, warnings: [...found.warnings, ...tellLost(names, found)] }
  if (transcript.status !== 'running') return transcript
  const reason = error ? [describeFailure(error)] : []
  const warnings = [...transcript.warnings, ...reason]
  return { ...transcript, status: state as Transcript['status'], warnings }
}

/** With the title and the names that the job has. */
function named({ order, names }: Job, transcript: Transcript): Transcript {
  const { speakers } = transcript
  const found = namesIn(names, transcript)
  return {
    ...transcript,
    title: order.title ?? transcript.title,
    ...(speakers && { speakers: speakers.map(speaker => called(speaker, found.get(speaker.id))) }),
  }
}

export function called({ name: _, ...speaker }: Speaker, name: string | undefined): Speaker {
  return name ? { ...speaker, name } : speaker
}

/** As it is handed out: what voices are known again by is nobody's business. */
export function forReaders(transcript: Transcript): Transcript {
  const speakers = transcript.speakers?.map(({ voice: _, ...speaker }) => speaker)
  return { ...transcript, ...(speakers && { speakers }) }
}

/** What there is of a job before its recording was opened. */
export function emptyTranscript({ id, tool, createdAt, order, state, error }: Job): Transcript {
  const status = state === 'queued' ? 'running' : state
  return {
    id,
    createdAt,
    status,
    title: provisionalTitle(order),
    duration: 0,
    model: '',
    segments: [],
    ...(tool === 'diarize_audio' && { speakers: [] }),
    coverage: { speechSeconds: 0, transcribedSeconds: 0, gaps: [] },
    usage: { audioSeconds: 0, cachedSeconds: 0 },
    warnings: error ? [describeFailure(error)] : [],
  }
}

/** The job of a transcript that has none, because it is older than jobs are: it is over. */
export function jobOf(owner: string, { id, title, createdAt, status, model, speakers }: Transcript): Job {
  return {
    id,
    owner,
    tool: speakers ? 'diarize_audio' : 'transcribe_audio',
    models: [model],
    brief: false,
    order: { audio: '', title },
    state: status === 'running' ? 'failed' : status,
    revision: 0,
    createdAt,
    updatedAt: createdAt,
  }
}

function describeFailure({ code, message, hint }: NonNullable<Job['error']>): string {
  return `${code}: ${message} ${hint}`
}

/** An error in the three parts in which a job keeps it. */
export function failureOf(error: unknown): NonNullable<Job['error']> {
  if (isSpeechError(error)) return { code: error.code, message: error.message, hint: error.hint }
  const [message = '', hint = ''] = describeError(error)
    .replace(/^INTERNAL: /, '')
    .split(/(?<=\.) /)
  return { code: 'INTERNAL', message, hint }
}

/** Of a path its file's name; what an address holds is not known before it was fetched. */
function provisionalTitle({ title, audio }: TranscriptionRequest): string {
  const isPath = !/^(?:data:|https?:)/i.test(audio)
  return (title ?? (isPath ? oneLine(basename(audio, extname(audio))) : '')) || 'recording'
}
