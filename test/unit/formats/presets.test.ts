// Presets of subtitles: their limits hold for any transcript, except in the cues that the check names.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { checkSubtitles } from '../../../src/formats/subtitles/check.ts'
import { type Cue, cues } from '../../../src/formats/subtitles/cues.ts'
import { type PresetName, presetNames } from '../../../src/formats/subtitles/presets.ts'
import { truth } from '../../support/e2e/system.ts'
import { alice, second } from '../../support/speaker-transcript.ts'
import { transcript } from '../../support/transcripts.ts'

/** The published limits once more: characters a line and a second for Latin, Chinese, Japanese, Korean and Thai. */
const limits: Record<
  PresetName,
  { line: number[]; speed: number[]; lines: number; seconds: [number, number]; pause?: number }
> = {
  default: { line: [42, 16, 16, 16, 35], speed: [20, 11, 7, 14, 20], lines: 2, seconds: [5 / 6, 7] },
  netflix: { line: [42, 16, 16, 16, 35], speed: [20, 11, 7, 14, 20], lines: 2, seconds: [5 / 6, 7] },
  karaoke: { line: [42, 16, 16, 16, 35], speed: [20, 11, 7, 14, 20], lines: 2, seconds: [5 / 6, 7] },
  children: { line: [42, 16, 16, 16, 35], speed: [17, 9, 7, 11, 17], lines: 2, seconds: [5 / 6, 7] },
  bbc: {
    line: [37, 16, 16, 16, 35],
    speed: [Infinity, 11, 7, 14, 20],
    lines: 2,
    seconds: [5 / 6, 7],
    pause: 1,
  },
  social: { line: [26, 13, 13, 13, 26], speed: Array(5).fill(Infinity), lines: 1, seconds: [0, 7] },
}
const gaps: Partial<Record<PresetName, number>> = { netflix: 2 / 24, children: 2 / 24, social: 0 }

/** Index of a text's script in the limits, and its characters: narrow ones count half beside wide ones. */
function measure(text: string): { script: number; chars: number } {
  const shown = text.replace(/[\p{Mn}\p{Cf}]/gu, '')
  const wide =
    shown.match(/[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}、-〿！-｠]/gu) ?? []
  const letters = wide.join('').replace(/[、-〿！-｠]/gu, '')
  const script = /[\p{Script=Hiragana}\p{Script=Katakana}]/u.test(shown)
    ? 2
    : /\p{Script=Hangul}/u.test(shown)
      ? 3
      : letters !== ''
        ? 1
        : /\p{Script=Thai}/u.test(shown)
          ? 4
          : 0
  const all = [...shown].length
  const halves = all + wide.length
  return { script, chars: [1, 2, 3].includes(script) ? halves / 2 : halves }
}

/** True if the cue keeps every limit. */
function keepsLimits({ start, end, lines }: Cue, next: Cue | undefined, preset: PresetName): boolean {
  const { line, speed, lines: maxLines, seconds, pause: minPause = 0.5 } = limits[preset]
  const pause = next ? next.start - end : Infinity
  const gap = gaps[preset] ?? 2 / 25
  const shown = end - start + 1e-6
  const text = lines
    .map(({ prefix, words }) => prefix + words.map(word => word.text).join(''))
    .join('')
    .trimEnd()
  const { script, chars } = measure(text)
  return (
    lines.length <= maxLines &&
    lines.every(({ text }) => measure(text).chars <= line[measure(text).script]!) &&
    shown >= seconds[0] &&
    shown <= seconds[1] + 2e-6 &&
    chars / shown <= speed[script]! &&
    (preset !== 'bbc' || script !== 0 || text.split(/\s+/).length / shown <= 3) &&
    pause >= gap - 1e-6 &&
    (pause < gap + 0.011 || pause >= minPause - 1e-6)
  )
}

const words = {
  en: [
    'so',
    'well,',
    'the',
    'Maria',
    'Gonzalez',
    '3',
    '500',
    'people',
    'extraordinarily',
    'and',
    'yes.',
    '<b>',
    'AT&T',
    '–',
    'well，',
  ],
  de: ['und', 'Rindfleischetikettierungsüberwachungsaufgabenübertragungsgesetz', 'ja.', 'weil', 'Straße,'],
  zh: ['今天天气很好，', '我们去公园散步。', '人工智能', '好', 'AI'],
  ja: ['今日は', 'とても', '良い天気ですね。', 'カメラ'],
  ko: ['안녕하세요', '오늘은', '날씨가', '좋아요.'],
  th: ['สวัสดีครับ', 'วันนี้อากาศดีมาก', 'ไปเดินเล่นกันเถอะ'],
  ar: ['مرحبا', 'كيف', 'حالك؟', 'اليوم'],
}
const labels = [
  ['Alice', 'S1'],
  ['S2', 'S2'],
  ['?', null],
] as const
const languages = Object.keys(words) as (keyof typeof words)[]
const spoken = (language: keyof typeof words) =>
  fc.record({
    words: fc.array(fc.constantFrom(...words[language]), { minLength: 1, maxLength: 25 }),
    speaker: fc.constantFrom('S1', 'S2', null),
    secondsPerWord: fc.oneof(
      fc.double({ min: 0, max: 0.9, noNaN: true }),
      fc.double({ min: 3, max: 6.9, noNaN: true }),
    ),
    pause: fc.double({ min: -2, max: 4, noNaN: true }),
    isTimed: fc.boolean(),
  })
const transcripts = fc
  .constantFrom(...languages)
  .chain(language => fc.tuple(fc.constant(language), fc.array(spoken(language), { maxLength: 7 })))
  .map(([language, turns]) => {
    let end = 1
    const joiner = ['zh', 'ja', 'th'].includes(language) ? '' : ' '
    const segments = turns.map(({ words, speaker, secondsPerWord, pause, isTimed }) => {
      const start = Math.max(0, end + pause)
      const timed = words.map((text, i) => ({
        text,
        start: start + i * secondsPerWord,
        end: start + (i + 0.8) * secondsPerWord,
      }))
      end = start + words.length * secondsPerWord
      const text = words.join(joiner)
      return { text, start, end, estimated: !isTimed, speaker, ...(isTimed && { words: timed }) }
    })
    return transcript({
      language,
      speakers: [alice, second],
      segments,
      gaps: [{ start: 3, end: 4, reason: 'X: y' }],
    })
  })

describe('presets', () => {
  it('every cue keeps the limits of its preset but those that the check names, with each speaker’s words in order', async () => {
    await fc.assert(
      fc.asyncProperty(
        transcripts,
        fc.constantFrom(...presetNames),
        fc.boolean(),
        async (given, preset, namesInText) => {
          const options = { preset, namesInText }
          const all = await cues(given, options)
          const named = (await checkSubtitles(given, options)).map(
            problem => Number(/\d+/.exec(problem)![0]) - 1,
          )
          const broken = all.flatMap((cue, i) => (keepsLimits(cue, all[i + 1], preset) ? [] : [i]))
          expect(named).toEqual(broken)
          for (const [i, { start, end }] of all.entries()) {
            expect(end).toBeGreaterThan(start)
            if (i > 0) expect(start).toBeGreaterThanOrEqual(all[i - 1]!.end)
          }
          const bare = (texts: string[]) => texts.join('').replace(/\s/g, '')
          const shown = all.filter(({ isGap }) => !isGap).flatMap(({ lines }) => lines)
          for (const [label, id] of labels) {
            const own = shown.filter(({ speaker }) => speaker === label).flatMap(({ words }) => words)
            const said = given.segments.filter(({ speaker }) => speaker === id)
            expect(bare(own.map(({ text }) => text))).toBe(bare(said.map(({ text }) => text)))
          }
        },
      ),
      { seed: 20261129, numRuns: 150 },
    )
  })

  it.each([
    ['interview', 0.5, 94.4],
    ['interview', 162, 342],
    ['meeting', 0, 236],
  ] as const)(
    'at most one cue in fifty of the %s from %f s to %f s is too fast, and none too short',
    async (name, from, to) => {
      const segments = spokenSentences(name).filter(({ start, end }) => start >= from && end <= to)
      const given = transcript({ segments, speakers: [{ ...alice, name: 'Ann' }, second] })
      const all = await cues(given, { namesInText: true })
      const tooFast = all.filter(({ start, end, lines }) => {
        const text = lines.map(line => line.text).join(' ')
        return text.length / (end - start) > 20
      })
      expect(tooFast.length / all.length).toBeLessThanOrEqual(0.02)
      for (const { start, end } of all) expect(end - start).toBeGreaterThanOrEqual(5 / 6)
    },
  )

  it('a cue stays until its last word ends, and the check names a pause that is too short', async () => {
    const words = ['slowly', 'said'].map((text, i) => ({ text, start: 1 + i * 3.5, end: 4.3 + i * 3.5 }))
    const segments = [
      { text: 'slowly said', start: 1, end: 7.8, estimated: false, words },
      { text: 'And so on.', start: 8.2, end: 10, estimated: true },
    ]
    const [cue] = await cues(transcript({ segments }), { preset: 'bbc' })
    expect(cue!.end).toBe(7.8)
    expect((await checkSubtitles(transcript({ segments }), { preset: 'bbc' }))[0]).toMatch(
      /^Cue 1 .*: a pause of 0\.40 s behind it, at least 1$/,
    )
  })

  it('the check names the cue, its text, the rule and the reason', async () => {
    const text = 'This is a sentence of many words that nobody could say in a single second.'
    const segments = [
      { text, start: 1, end: 2, estimated: true },
      { text: 'And so on.', start: 2.1, end: 4, estimated: true },
    ]
    const [problem, ...more] = await checkSubtitles(transcript({ segments }))
    expect(problem).toMatch(
      /^Cue 1 at 0:01 \(“This .+”\): \d+\.\d characters a second, at most 20, since the speech/,
    )
    expect(more).toEqual([])
    const bbc = await checkSubtitles(transcript({ segments }), { preset: 'bbc' })
    expect(bbc[0]).toMatch(/: \d+ words a minute, at most 180/)
  })
})

/** The sentences of a fixture, as they were spoken. */
function spokenSentences(name: 'interview' | 'meeting') {
  const segments: { text: string; start: number; end: number; speaker: string; estimated: boolean }[] = []
  for (const { text, start, end, speaker = 'S1' } of truth(name).words) {
    const open = segments.at(-1)
    if (open && open.speaker === speaker && !/[.?]$/.test(open.text)) {
      open.text += ` ${text}`
      open.end = end
    } else segments.push({ text, start, end, speaker, estimated: true })
  }
  return segments
}
