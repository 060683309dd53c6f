// Presets of subtitles: sets of published rules by name.

export const presetNames = ['default', 'netflix', 'bbc', 'social'] as const
export type PresetName = (typeof presetNames)[number]

export interface SubtitleOptions {
  /** Rules for length, reading speed and times of the cues; `default` if absent. */
  preset?: PresetName | undefined
}
