// Finds the tracks of a recording that are heard: those with sound of their own, each sound once.
import pLimit from 'p-limit'
import type { TranscriptionRequest } from '../../domain/job.ts'
import type { Run } from '../../domain/run.ts'
import { type InputFile, inputArguments } from '../audio/demuxers.ts'
import { plainMix } from './choose-channels.ts'
import { allTracks, chooseTracks, describeTrack, listTracks } from './choose-tracks.ts'
import type { Description, Track } from './description.ts'
import { compareTracks, type TrackSound, withoutRepeated } from './same-sound.ts'
import { soundsLikeSpeech } from './separate-channels.ts'
import { concurrency, readWindows, type StartFfmpeg, stderrOf, type Windows } from './windows.ts'

/** No sound with a lower peak is speech. */
const minPeakDbfs = -60
/** A sound between the windows is worth hearing where it is this much louder than all within them. */
const minHiddenContrastDb = 10

export interface TrackRequest extends Pick<TranscriptionRequest, 'track' | 'language'> {
  /** Each track may be one speaker, so that the parts of a mix are heard instead of it. */
  isApart?: boolean
}

interface CandidateSound extends TrackSound {
  track: Track
  /** Speech in the windows, or a sound between them. */
  isAudible: boolean
}

/** Empty where no track can be decoded. Warns of tracks that are not heard. Throws `TRACK_NOT_FOUND`. */
export async function findTracks(
  source: InputFile,
  description: Description,
  request: TrackRequest,
  start: StartFfmpeg,
  { warn }: Pick<Run, 'warn'>,
): Promise<Track[]> {
  const { tracks } = description
  const { candidates, isOne, left } = chooseTracks(description, request)
  // A track that was asked for is heard, be it silent.
  if (isOne && candidates.length === 1) return candidates

  async function listen(some: Track[]): Promise<CandidateSound[]> {
    const limit = pLimit(concurrency)
    const { duration } = description
    const options = { duration, channels: 1, tracks: some.length }
    const readable = await limit.map(some, async track => {
      const { stream, isFine } = track
      const window = { stream, isFine, mix: plainMix(track), ...options }
      return { track, ...(await readWindows(source, window, start)) }
    })
    for (const { track } of readable.filter(({ stretches }) => stretches.length === 0))
      left.set(track, 'it cannot be decoded')
    const found = readable.filter(({ stretches }) => stretches.length > 0)
    const sounds = await compareTracks(found.map(({ stretches }) => stretches))
    return Promise.all(
      found.map(async ({ track, ...windows }, i) => {
        const { stretches, gainDb } = windows
        const sound = sounds[i]!
        const isRaisedNoise = gainDb > 0 && !soundsLikeSpeech(stretches.map(([samples]) => samples!))
        const isActive = sound.activeBlocks > 0 && !isRaisedNoise
        const isAudible = isActive || (await limit(() => hasHiddenSound(source, track, windows, start)))
        if (!isAudible) left.set(track, 'silent')
        return { track, ...sound, isAudible }
      }),
    )
  }

  let found = await listen(candidates)
  if (!found.some(({ isAudible }) => isAudible) && left.size > found.length)
    found = [...found, ...(await listen(tracks.filter(one => !candidates.includes(one))))]
  const audible = found.filter(({ isAudible }) => isAudible)
  const heard = select(audible.length > 0 ? audible : found.slice(0, 1))
  for (const track of heard) left.delete(track)
  if (tracks.length > 1 && heard.length > 0) warn(describeChoice(tracks, heard, left))
  return heard

  function select(audible: CandidateSound[]): Track[] {
    const all = audible.map(({ track }) => track)
    if (isOne) return all.slice(0, 1)
    if (request.track?.trim().toLowerCase() === allTracks) return all
    const kept = withoutRepeated(audible, !request.isApart)
    return all.filter((track, i) => {
      const isKept = kept.includes(i) || audible[i]!.activeBlocks === 0
      if (!isKept) left.set(track, 'others hold the same sound')
      return isKept
    })
  }
}

/** The windows leave out most of a long recording: the whole track is decoded once more, without any work on its samples. */
async function hasHiddenSound(
  source: InputFile,
  { stream }: Track,
  { stretches, gainDb }: Windows,
  start: StartFfmpeg,
): Promise<boolean> {
  if (stretches.length === 1) return false
  const output = ['-map', `0:${stream}`, '-vn', '-sn', '-dn', '-af', 'volumedetect', '-f', 'null', '-']
  const stderr = await stderrOf(start([...inputArguments(source), ...output]))
  const peak = Number(/max_volume: (-?[\d.]+) dB/.exec(stderr)?.[1] ?? Number.NEGATIVE_INFINITY)
  const known = stretches.reduce((most, [samples]) => Math.max(most, samples!.reduce(louder, 0)), 0)
  const knownDbfs = 20 * Math.log10(Math.max(1, known) / 32_768) - gainDb
  return peak > Math.max(minPeakDbfs, knownDbfs + minHiddenContrastDb)
}

function louder(most: number, sample: number): number {
  return Math.max(most, Math.abs(sample))
}

function describeChoice(tracks: readonly Track[], heard: readonly Track[], left: Map<Track, string>): string {
  const isApart = heard.length > 1
  const hint = `, track chooses (a number, a language or ${allTracks})`
  const reasons = [...left].map(([track, reason]) => `${describeTrack(track)}: ${reason}`)
  return [
    `The file has ${tracks.length} audio tracks.`,
    `Heard: ${listTracks(heard)}${isApart ? ', each as one speaker' : ''}.`,
    ...(reasons.length > 0 ? [`Not heard${hint}: ${reasons.join('; ')}.`] : []),
  ].join(' ')
}
