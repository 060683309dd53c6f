// Turns segments into subtitle cues that keep the rules of a preset wherever the speech allows it.

import type { Segment, Span, Transcript, Word } from '../../domain/transcript.ts'
import { inTurns, mapInTurns } from '../../domain/waiting/turns.ts'
import { labelOf } from '../speakers.ts'
import { type Group, gapSeconds, groupUnits } from './group.ts'
import { presets, type Rules, type SubtitleOptions } from './presets.ts'
import { charsOf, scriptOf, sizeOf } from './script.ts'
import { type Unit, unitsOf } from './units.ts'

export interface Cue extends Span {
  lines: CueLine[]
  /** True for the note that stands for a gap. */
  isGap: boolean
}

export interface CueLine {
  /** The whole line, with its prefix. */
  text: string
  /** The speaker's name, or a dash where two speak; often empty. */
  prefix: string
  /** The words behind the prefix with the spaces between them; their times are within the cue. */
  words: Word[]
  /** Label of the speaker, `?` where unknown. Absent in a transcript without speakers. */
  speaker?: string
}

export interface CueOptions extends SubtitleOptions {
  /** Writes the name of a speaker into the text where the speaker changes, for formats without a field for it. */
  namesInText?: boolean
  /** Precision of the format's times. */
  stepMs?: 1 | 10
}

/** The cues of hours take seconds: a file and its check share them. */
const made = new WeakMap<Transcript, { key: string; cues: Promise<Cue[]> }>()

/** Returns cues in order, without overlap. A gap is shown as a cue of its own. */
export function cues(transcript: Transcript, options: CueOptions = {}): Promise<Cue[]> {
  const { preset = 'default', namesInText = false, stepMs = 1 } = options
  const key = `${preset} ${namesInText} ${stepMs}`
  const last = made.get(transcript)
  if (last?.key === key) return last.cues
  const cues = makeCues(transcript, { preset, namesInText, stepMs })
  made.set(transcript, { key, cues })
  return cues
}

async function makeCues(
  transcript: Transcript,
  { preset, namesInText, stepMs }: Required<CueOptions>,
): Promise<Cue[]> {
  const rules = presets[preset]
  const { language } = transcript
  const units = await unitsOf(transcript, rules)
  const label = labelOf(transcript)
  const names = namesInText && rules.hasNames ? shortNames(transcript, rules) : undefined
  const groups: Group[] = []
  for await (const found of inTurns(groupUnits(units, { rules, language, names }))) groups.push(...found)
  return mapInTurns(timesOf(units, groups, rules, stepMs), (span, i) => ({
    ...span,
    isGap: units[groups[i]!.from]!.isGap === true,
    lines: groups[i]!.lines.map(({ from, to, prefix }) => {
      const said = units.slice(from, to)
      const speaker = units[from]!.isGap ? undefined : label(units[from]!)
      return {
        text: `${prefix}${said.map(({ text }) => text).join('')}`.trim(),
        prefix,
        words: said.map(unit => within(unit, span)),
        ...(speaker !== undefined && { speaker }),
      }
    }),
  }))
}

/** Shortens names to half a line, and takes the id where two names are equal only when shortened. */
function shortNames(transcript: Transcript, { lineChars }: Rules): Map<Segment['speaker'], string> {
  const label = labelOf(transcript)
  const names = new Map(transcript.segments.map(({ speaker }) => [speaker, label({ speaker })]))
  const short = [...new Set(names.values())].map(name => shorten(name ?? ''))
  const isAlike = (name: string) => short.indexOf(name) !== short.lastIndexOf(name)
  return new Map(
    [...names].flatMap(([speaker, name]) => {
      if (name === undefined) return []
      const shown = shorten(name)
      return [[speaker, isAlike(shown) && speaker ? speaker : shown]]
    }),
  )

  function shorten(name: string): string {
    const fits = (text: string) => {
      const size = sizeOf(`${text}: `)
      const script = scriptOf(size, transcript.language)
      return charsOf(size, script) <= lineChars[script] / 2
    }
    if (fits(name)) return name
    let short = ''
    for (const character of name) {
      if (!fits(`${short}${character}…`)) break
      short += character
    }
    return `${short.trimEnd()}…`
  }
}

/**
 * Times of the cues. A cue begins with its first word, but behind the cue before it, and stays to be read for as long as
 * the next one leaves room. A pause that is too short to be seen as one is filled, or made longer, but not within a word.
 */
function* timesOf(units: Unit[], groups: Group[], rules: Rules, stepMs: number): Generator<Span> {
  const down = (seconds: number) => Math.floor(seconds * (1000 / stepMs) + 1e-6) * stepMs
  const up = (seconds: number) => Math.ceil(seconds * (1000 / stepMs) - 1e-6) * stepMs
  const round = (seconds: number) => Math.round(seconds * (1000 / stepMs)) * stepMs
  const [gap, pause, longest] = [up(gapSeconds(rules)), up(rules.minPauseSeconds), down(rules.maxSeconds)]
  const shortest = up(1 / rules.frameRate)
  let free = 0
  for (const [i, { from, to, neededSeconds }] of groups.entries()) {
    const start = Math.max(round(units[from]!.start), free)
    const following = groups[i + 1]
    const next = following ? round(units[following.from]!.start) : Number.POSITIVE_INFINITY
    const spoken = round(units[to - 1]!.end)
    const wanted = Math.max(spoken, start + up(neededSeconds) + stepMs)
    let end = Math.min(wanted, start + longest, next - gap)
    const isFilled = next - end > gap && next - end < pause
    if (isFilled)
      end = next - gap <= start + longest ? next - gap : Math.min(end, Math.max(spoken, next - pause))
    end = Math.max(end, start + shortest)
    free = end + gap
    yield { start: start / 1000, end: end / 1000 }
  }
}

function within({ text, start, end }: Unit, cue: Span): Word {
  const inside = (time: number) => Math.round(Math.min(Math.max(time, cue.start), cue.end) * 1000) / 1000
  return { text, start: inside(start), end: inside(end) }
}
