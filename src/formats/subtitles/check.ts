// Checks cues against the rules of their preset.
import { formatTime } from '../../domain/format-time.ts'
import type { Transcript } from '../../domain/transcript.ts'
import { mapInTurns } from '../../domain/waiting/turns.ts'
import { type Cue, type CueOptions, cues } from './cues.ts'
import { gapSeconds } from './group.ts'
import { presets, type Rules } from './presets.ts'
import { charsOf, scriptOf, sizeOf } from './script.ts'

/** Lists each cue that breaks a rule, and why: one line a cue, in order; empty if none does. */
export async function checkSubtitles(transcript: Transcript, options: CueOptions = {}): Promise<string[]> {
  const rules = presets[options.preset ?? 'default']
  const all = await cues(transcript, options)
  const found = await mapInTurns(all, (cue, i) => {
    const problems = problemsOf(cue, all[i + 1], rules, transcript.language)
    const text = cue.lines.map(line => line.text).join(' / ')
    return problems.length > 0
      ? [`Cue ${i + 1} at ${formatTime(cue.start)} (“${text}”): ${problems.join('; ')}`]
      : []
  })
  return found.flat()
}

/** Times of ASS are hundredths of a second. */
const roundingSeconds = 0.011

function problemsOf(cue: Cue, next: Cue | undefined, rules: Rules, language: string | undefined): string[] {
  const seconds = cue.end - cue.start
  const pause = next ? next.start - cue.end : Number.POSITIVE_INFINITY
  const isFast = pause < gapSeconds(rules) + 0.05
  const reason = isFast ? 'the speech behind it leaves no time' : 'it is as long as a cue may be'
  return [
    ...readingProblems(cue, seconds, rules, language).map(problem => `${problem}, since ${reason}`),
    ...(seconds < rules.minSeconds - 1e-6
      ? [`${seconds.toFixed(2)} s, at least ${rules.minSeconds.toFixed(2)}, since ${reason}`]
      : []),
    ...(seconds > rules.maxSeconds + 1e-6 ? [`${seconds.toFixed(2)} s, at most ${rules.maxSeconds}`] : []),
    ...(pause < gapSeconds(rules) - 1e-6 ? ['too close to the next cue'] : []),
    ...(pause > gapSeconds(rules) + roundingSeconds && pause < rules.minPauseSeconds - 1e-6
      ? [`a pause of ${pause.toFixed(2)} s behind it, at least ${rules.minPauseSeconds}`]
      : []),
    ...(cue.lines.length > rules.maxLines ? [`${cue.lines.length} lines, at most ${rules.maxLines}`] : []),
    ...cue.lines.flatMap(({ text }) => {
      const size = sizeOf(text)
      const script = scriptOf(size, language)
      const [chars, max] = [charsOf(size, script), rules.lineChars[script]]
      return chars > max ? [`a line of ${chars} characters, at most ${max}`] : []
    }),
  ]
}

function readingProblems(
  { lines }: Cue,
  seconds: number,
  rules: Rules,
  language: string | undefined,
): string[] {
  const text = lines.map(({ prefix, words }) => `${prefix}${words.map(word => word.text).join('')}`).join('')
  const size = sizeOf(text.trimEnd())
  const script = scriptOf(size, language)
  const speed = charsOf(size, script) / seconds
  const max = rules.charsPerSecond[script]
  if (speed > max + 1e-6) return [`${speed.toFixed(1)} characters a second, at most ${max}`]
  if (script !== 'spaced' || !rules.wordsPerSecond) return []
  const words = (text.match(/\S+/g) ?? []).length / seconds
  const maxWords = rules.wordsPerSecond
  return words > maxWords + 1e-6 ? [`${Math.round(words * 60)} words a minute, at most ${maxWords * 60}`] : []
}
