// Presets of subtitles: the rules that broadcasters publish, in one table.
import { type Script, scripts } from './script.ts'

export const presetNames = ['default', 'netflix', 'bbc', 'social', 'children', 'karaoke'] as const
export type PresetName = (typeof presetNames)[number]

export function isPresetName(name: string): name is PresetName {
  return (presetNames as readonly string[]).includes(name)
}

export interface SubtitleOptions {
  /** Rules for the length, reading speed and times of cues; `default` if absent. */
  preset?: PresetName | undefined
}

export interface Rules {
  /** Longest line. In scripts with wide characters, a narrow one counts half. */
  lineChars: Record<Script, number>
  maxLines: 1 | 2
  /** Fastest reading, in characters a second, spaces included. */
  charsPerSecond: Record<Script, number>
  /** The same in words, for scripts with spaces. */
  wordsPerSecond?: number
  /** Most words in a cue. */
  maxWords?: number
  minSeconds: number
  maxSeconds: number
  frameRate: number
  /** Frames between two cues. */
  gapFrames: number
  /** A shorter pause between two cues is filled, except for the gap. */
  minPauseSeconds: number
  /** True where each word lights up when it is spoken, in formats that can. */
  highlights: boolean
  /** False where cues show no names. */
  hasNames: boolean
}

/**
 * Netflix, Timed Text Style Guide (partnerhelp.netflixstudios.com, read in 2026). General Requirements (215758617): two
 * lines, 5/6 s to 7 s. Subtitle Timing Guidelines (360051554394): two frames at any rate, with examples at 24; pauses under
 * half a second are closed. Lines: English (217350977) 42, Thai (220448308) 35, Chinese (215986007) and Korean (216001127)
 * 16, where a Latin character counts half. Speeds are those for subtitles in the spoken language (SDH), as Subtitle Edit's
 * NetflixQualityController has them; for translations Netflix asks for less: 9 in Chinese, 4 in Japanese, 12 in Korean.
 */
const netflix: Rules = {
  lineChars: perScript(42, { thai: 35, korean: 16, chinese: 16, japanese: 16 }),
  maxLines: 2,
  charsPerSecond: perScript(20, { korean: 14, chinese: 11, japanese: 7 }),
  minSeconds: 5 / 6,
  maxSeconds: 7,
  frameRate: 24,
  gapFrames: 2,
  minPauseSeconds: 0.5,
  highlights: false,
  hasNames: true,
}

export const presets: Record<PresetName, Rules> = {
  default: { ...netflix, frameRate: 25 },
  netflix,
  /**
   * BBC Subtitle Guidelines (bbc.co.uk/accessibility/forproducts/guides/subtitles): 37 characters of teletext (3.1), two
   * lines (3.3), 160 to 180 words a minute (4.1), no pause under a second (4.5). They give no speed for other scripts.
   */
  bbc: {
    ...netflix,
    lineChars: { ...netflix.lineChars, spaced: 37, thai: 35 },
    charsPerSecond: { ...netflix.charsPerSecond, spaced: Number.POSITIVE_INFINITY },
    wordsPerSecond: 3,
    frameRate: 25,
    minPauseSeconds: 1,
  },
  /** One or two words at a time in large letters; platforms publish no limits. */
  social: {
    ...netflix,
    lineChars: perScript(26, { korean: 13, chinese: 13, japanese: 13 }),
    maxLines: 1,
    charsPerSecond: perScript(Number.POSITIVE_INFINITY),
    maxWords: 2,
    minSeconds: 0,
    gapFrames: 0,
    highlights: true,
    hasNames: false,
  },
  /** Netflix's limits for children's programmes. */
  children: {
    ...netflix,
    charsPerSecond: perScript(17, { korean: 11, chinese: 9, japanese: 7 }),
  },
  karaoke: { ...netflix, frameRate: 25, highlights: true },
}

function perScript(usual: number, others: Partial<Record<Script, number>> = {}): Record<Script, number> {
  return Object.fromEntries(scripts.map(script => [script, others[script] ?? usual])) as Record<
    Script,
    number
  >
}
