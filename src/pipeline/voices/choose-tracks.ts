// Chooses the audio tracks that may be heard, by the request and by the file's description of them.
import { SpeechError } from '../../domain/errors.ts'
import { languageCode, languageName } from '../../domain/languages.ts'
import type { Description, Track } from './description.ts'

/** Value of the option `track` that asks for all tracks. */
export const allTracks = 'all'

export interface TrackChoice {
  /** They may be heard; the first one with sound is heard alone if `isOne`. */
  candidates: Track[]
  isOne: boolean
  /** Tracks that are left alone, with the reason. */
  left: Map<Track, string>
}

/** Reads the option `track`: a number from 1, a language or `all`. Throws `TRACK_NOT_FOUND` with a list of the tracks. */
export function chooseTracks(
  { tracks, stream }: Pick<Description, 'tracks' | 'stream'>,
  { track, language }: { track?: string; language?: string },
): TrackChoice {
  const left = new Map<Track, string>()
  const asked = track?.trim().toLowerCase()
  if (asked === allTracks) return { candidates: tracks, isOne: false, left }
  if (asked) {
    const code = languageCode(asked) ?? asked
    const found = tracks.filter(one => String(one.number) === asked || one.language === code)
    if (found.length === 0) throw trackNotFound(tracks)
    return { candidates: asidesLast(found), isOne: true, left }
  }
  const main = tracks.find(one => one.stream === stream) ?? tracks[0]!
  const languages = new Set(tracks.flatMap(one => one.language ?? []))
  const wanted = language === undefined ? undefined : languageCode(language)
  const own = languages.has(wanted ?? '') ? wanted : (main.language ?? [...languages][0])
  let candidates = tracks
  if (languages.size > 1) {
    candidates = tracks.filter(one => one.language === own)
    for (const one of tracks) if (one.language !== own) left.set(one, 'another language')
  }
  const mains = candidates.filter(one => !one.isAside)
  if (mains.length > 0) for (const one of candidates) if (one.isAside) left.set(one, 'an addition')
  return { candidates: mains.length > 0 ? mains : candidates, isOne: false, left }
}

function asidesLast(tracks: Track[]): Track[] {
  return tracks.toSorted((a, b) => Number(a.isAside) - Number(b.isAside))
}

function trackNotFound(tracks: Track[]): SpeechError {
  return new SpeechError('TRACK_NOT_FOUND', `The file has these audio tracks: ${listTracks(tracks)}.`, {
    hint: `Set track to one of these numbers, a language, or ${allTracks}; or omit it.`,
  })
}

/** `1 (German, “Commentary”), 2`. */
export function listTracks(tracks: readonly Track[]): string {
  return tracks.map(describeTrack).join(', ')
}

export function describeTrack({ number, language, title }: Track): string {
  const facts = [...(language ? [languageName(language)] : []), ...(title ? [`“${title}”`] : [])]
  return facts.length > 0 ? `${number} (${facts.join(', ')})` : String(number)
}
