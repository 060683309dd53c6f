// Finds and lists speakers by id or name.
import { oneLine } from './text.ts'
import type { Speaker } from './transcript.ts'

/** Returns the speakers with this id or, failing that, with this name, ignoring case; several may share a name. */
export function findSpeakers(speakers: Speaker[], idOrName: string): Speaker[] {
  const key = nameKey(idOrName)
  const byId = speakers.filter(({ id }) => nameKey(id) === key)
  return byId.length > 0 ? byId : speakers.filter(({ name }) => name && nameKey(name) === key)
}

/** Returns a key that is equal for two spellings of one name. */
export function nameKey(name: string): string {
  return oneLine(name.normalize('NFKC')).toLowerCase()
}

/** Lists all speakers as a user may refer to them: `S1 (Alice), S2`. */
export function listSpeakers(speakers: Speaker[]): string {
  return speakers.map(({ id, name }) => (name ? `${id} (${name})` : id)).join(', ')
}
