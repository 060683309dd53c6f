// Renames a transcript, and gives names to its speakers.
import { SpeechError } from '../domain/errors.ts'
import { isOver } from '../domain/job.ts'
import { findSpeakers, listSpeakers, nameKey } from '../domain/speakers.ts'
import { oneLine } from '../domain/text.ts'
import type { Speaker, Transcript } from '../domain/transcript.ts'
import type { JobContext } from './context.ts'
import { notFound } from './records/job-repository.ts'
import { renamedSpeakers } from './view/speaker-names.ts'
import { withName } from './view/transcript-view.ts'

export interface RenameRequest {
  title?: string
  /** Names by a speaker's id or current name; an empty name, or the speaker's own id, takes the name away. */
  speakers?: Record<string, string>
}

type Context = Pick<JobContext, 'repository' | 'worker' | 'changes' | 'mutex'>

const maxNameChars = 100

/** Throws `BAD_INPUT` for an empty title, a name that is too long or another speaker's id, and an unknown speaker. */
export function rename(owner: string, id: string, request: RenameRequest, context: Context): Promise<void> {
  // The stored transcript is read and written: of two names at once, neither is lost.
  return context.mutex(`rename ${owner}/${id}`, () => renameAlone(owner, id, request, context))
}

async function renameAlone(
  owner: string,
  id: string,
  request: RenameRequest,
  { repository, worker, changes }: Context,
): Promise<void> {
  const title = request.title === undefined ? undefined : titleOf(request.title)
  const job = await repository.get(owner, id)
  const stored = await repository.getTranscript(owner, id)
  if (!job && !stored) throw notFound()
  const running = worker.running(owner, id)
  const shown = (running ? await running.transcript() : stored) ?? { speakers: [], segments: [] }
  const names = namesOf(request.speakers ?? {}, shown.speakers ?? [])
  if (job) {
    const changed = await repository.update(owner, id, now => ({
      request: { ...now.request, ...(title !== undefined && { title }) },
      names: renamedSpeakers(now.names, names, shown, isOver(now.state)),
    }))
    running?.accept(changed)
  }
  // The worker of a running job writes the transcript, with the title and the names of the job.
  const written = !job || isOver(job.state) ? await repository.getTranscript(owner, id) : undefined
  if (written) await repository.saveTranscript(owner, renamed(written, title, names))
  changes.publish({ owner, id, listChanged: true })
}

function titleOf(given: string): string {
  const title = oneLine(given)
  if (title === '')
    throw new SpeechError('BAD_INPUT', 'The title is empty.', { hint: 'Give a title of one line.' })
  return title
}

/** Names by speaker id; an empty name takes the name away. */
function namesOf(given: Record<string, string>, speakers: Speaker[]): Record<string, string> {
  const entries = Object.entries(given).map(([speaker, name]) => {
    const id = idOf(speaker, speakers)
    return [id, nameOf(name, id, speakers)] as const
  })
  return Object.fromEntries(entries)
}

function nameOf(given: string, id: string, speakers: Speaker[]): string {
  const name = oneLine(given)
  const named = speakers.find(speaker => nameKey(speaker.id) === nameKey(name))
  // A reader that asks for this id would get the wrong speaker.
  if (named && named.id !== id)
    throw new SpeechError('BAD_INPUT', `${named.id} is the id of another speaker.`, {
      hint: 'Give the person’s name.',
    })
  if (named) return ''
  if ([...name].length > maxNameChars)
    throw new SpeechError('BAD_INPUT', 'The name is too long.', {
      hint: `Give a name of at most ${maxNameChars} characters.`,
    })
  return name
}

function idOf(given: string, speakers: Speaker[]): string {
  const [found, another] = findSpeakers(speakers, given)
  if (found && !another) return found.id
  if (speakers.length === 0)
    throw new SpeechError('BAD_INPUT', 'This transcript has no speakers.', {
      hint: 'Transcribe the recording with diarize_audio, and name the speakers when that is done.',
    })
  const problem = another ? 'More than one speaker has that name.' : 'There is no such speaker.'
  throw new SpeechError('BAD_INPUT', problem, { hint: `The speakers are ${listSpeakers(speakers)}.` })
}

function renamed(
  transcript: Transcript,
  title: string | undefined,
  names: Record<string, string>,
): Transcript {
  const speakers = transcript.speakers?.map(one => (one.id in names ? withName(one, names[one.id]) : one))
  return { ...transcript, ...(title !== undefined && { title }), ...(speakers && { speakers }) }
}
