// Gives a transcript another title, and its speakers names.
import { SpeechError } from '../domain/errors.ts'
import { isOver } from '../domain/job.ts'
import { findSpeakers, listSpeakers, nameKey } from '../domain/speakers.ts'
import { oneLine } from '../domain/text.ts'
import type { Speaker, Transcript } from '../domain/transcript.ts'
import type { Changes } from './records/changes.ts'
import { type Ledger, notFound } from './records/job-repository.ts'
import { withNames } from './view/speaker-names.ts'
import { called } from './view/transcript-view.ts'
import type { Worker } from './worker/worker.ts'

export interface RenameRequest {
  title?: string
  /** Names by a speaker's id or by the name that it has now; an empty one, or its own id, takes the name away. */
  speakers?: Record<string, string>
}

const longestName = 100

/** Throws `BAD_INPUT` for an empty title, for a name that is overlong or another's id, and for a speaker that there is not. */
export async function rename(
  owner: string,
  id: string,
  wish: RenameRequest,
  { ledger, worker, changes }: { ledger: Ledger; worker: Worker; changes: Changes },
): Promise<void> {
  const title = wish.title === undefined ? undefined : titleOf(wish.title)
  const job = await ledger.job(owner, id)
  const stored = await ledger.transcript(owner, id)
  if (!job && !stored) throw notFound()
  const live = worker.live(owner, id)
  const shown = live ? await live.transcript() : stored
  const given = namesOf(wish.speakers ?? {}, shown?.speakers ?? [])
  if (job) {
    const told = shown ?? { segments: [] }
    const changed = await ledger.update(owner, id, ({ order, names, state }) => ({
      order: { ...order, ...(title !== undefined && { title }) },
      names: withNames(names, given, told, isOver(state)),
    }))
    live?.heed(changed)
  }
  // While the job runs its worker writes the transcript, and looks for the names in the job.
  if (stored && (!job || isOver(job.state))) await ledger.keep(owner, renamed(stored, title, given))
  changes.tell({ owner, id, listChanged: true })
}

function titleOf(given: string): string {
  const title = oneLine(given)
  if (title === '')
    throw new SpeechError('BAD_INPUT', 'The title is empty.', { hint: 'Give a title of one line.' })
  return title
}

/** By the ids of the speakers; an empty name where there shall be none. */
function namesOf(wish: Record<string, string>, speakers: Speaker[]): Record<string, string> {
  const entries = Object.entries(wish).map(([who, given]) => {
    const id = idOf(who, speakers)
    return [id, nameOf(given, id, speakers)] as const
  })
  return Object.fromEntries(entries)
}

function nameOf(given: string, id: string, speakers: Speaker[]): string {
  const name = oneLine(given)
  const named = speakers.find(speaker => nameKey(speaker.id) === nameKey(name))
  // Who is asked for by an id would be somebody else.
  if (named && named.id !== id)
    throw new SpeechError('BAD_INPUT', `${named.id} is the id of another speaker.`, {
      hint: 'Give the person’s name.',
    })
  if (named) return ''
  if ([...name].length > longestName)
    throw new SpeechError('BAD_INPUT', 'The name is too long.', {
      hint: `Give a name of at most ${longestName} characters.`,
    })
  return name
}

function idOf(who: string, speakers: Speaker[]): string {
  const [found, another] = findSpeakers(speakers, who)
  if (found && !another) return found.id
  if (speakers.length === 0)
    throw new SpeechError('BAD_INPUT', 'No speakers are told apart in this transcript.', {
      hint: 'Have the recording heard with diarize_audio, and name the speakers when it is done.',
    })
  const problem = another ? 'More than one speaker has that name.' : 'There is no such speaker.'
  throw new SpeechError('BAD_INPUT', problem, { hint: `The speakers are ${listSpeakers(speakers)}.` })
}

function renamed(
  transcript: Transcript,
  title: string | undefined,
  given: Record<string, string>,
): Transcript {
  const { speakers } = transcript
  return {
    ...transcript,
    ...(title !== undefined && { title }),
    ...(speakers && {
      speakers: speakers.map(one => (one.id in given ? called(one, given[one.id]) : one)),
    }),
  }
}
