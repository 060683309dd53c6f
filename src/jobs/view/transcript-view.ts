// View of a job's transcript for readers: at any moment, with its title and the names of its speakers.
import { basename, extname } from 'node:path'
import { isOver, type Job, type TranscriptionRequest } from '../../domain/job.ts'
import { oneLine } from '../../domain/text.ts'
import type { Speaker, Transcript } from '../../domain/transcript.ts'
import type { Findings } from '../../pipeline/pipeline.ts'
import { lostNameWarnings, namesBySpeaker } from './speaker-names.ts'

/** The findings as the transcript of their job. */
export function transcriptView(job: Job, findings: Findings, warnings: string[]): Transcript {
  const { id, createdAt } = job
  return withNames(job, { id, createdAt, ...findings, warnings })
}

/** A stored transcript with the current state of its job: a process that died has left it as it was then. */
export function withJobState(job: Job, stored: Transcript): Transcript {
  const { state, error, names } = job
  const found = withNames(job, stored)
  if (!isOver(state)) return { ...found, status: 'running' }
  const transcript = { ...found, warnings: [...found.warnings, ...lostNameWarnings(names, found)] }
  if (transcript.status !== 'running') return transcript
  const reason = error ? [describeJobError(error)] : []
  const warnings = [...transcript.warnings, ...reason]
  return { ...transcript, status: state as Transcript['status'], warnings }
}

function withNames({ request, names }: Job, transcript: Transcript): Transcript {
  const { speakers } = transcript
  const found = namesBySpeaker(names, transcript)
  return {
    ...transcript,
    title: request.title ?? transcript.title,
    ...(speakers && { speakers: speakers.map(speaker => withName(speaker, found.get(speaker.id))) }),
  }
}

export function withName({ name: _, ...speaker }: Speaker, name: string | undefined): Speaker {
  const shown = name || speaker.track
  return shown ? { ...speaker, name: shown } : speaker
}

/** A reader gets no voice ids, and titles of tracks as names. */
export function forReaders(transcript: Transcript): Transcript {
  const speakers = transcript.speakers?.map(({ voice: _, track: __, ...speaker }) => speaker)
  return { ...transcript, ...(speakers && { speakers }) }
}

/** The transcript of a job whose recording was not opened yet. */
export function emptyTranscript({ id, tool, createdAt, request, state, error }: Job): Transcript {
  const status = state === 'queued' ? 'running' : state
  return {
    id,
    createdAt,
    status,
    title: provisionalTitle(request),
    duration: 0,
    model: '',
    segments: [],
    ...(tool === 'diarize_audio' && { speakers: [] }),
    coverage: { speechSeconds: 0, transcribedSeconds: 0, gaps: [] },
    usage: { audioSeconds: 0, cachedSeconds: 0 },
    warnings: error ? [describeJobError(error)] : [],
  }
}

function describeJobError({ code, message, hint }: NonNullable<Job['error']>): string {
  return `${code}: ${message} ${hint}`
}

/** The file name of a path; the title of a URL is not known before its download. */
function provisionalTitle({ title, audio }: TranscriptionRequest): string {
  const isPath = !/^(?:data:|https?:)/i.test(audio)
  return (title ?? (isPath ? oneLine(basename(audio, extname(audio))) : '')) || 'recording'
}
