// Who is meant by what a reader calls a speaker.
import { oneLine } from './text.ts'
import type { Speaker } from './transcript.ts'

/** Those who are meant by an id or a name, whatever its case; several where two bear one name. */
export function findSpeakers(speakers: Speaker[], wanted: string): Speaker[] {
  const key = nameKey(wanted)
  const byId = speakers.filter(({ id }) => nameKey(id) === key)
  return byId.length > 0 ? byId : speakers.filter(({ name }) => name && nameKey(name) === key)
}

/** What two spellings of one name have in common. */
export function nameKey(name: string): string {
  return oneLine(name.normalize('NFKC')).toLowerCase()
}

/** `S1 (Alice), S2`: everyone there is, as a reader may name them. */
export function listSpeakers(speakers: Speaker[]): string {
  return speakers.map(({ id, name }) => (name ? `${id} (${name})` : id)).join(', ')
}
