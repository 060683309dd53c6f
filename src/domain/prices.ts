// What the models cost: one table, in US dollars, international prices of November 2026 (Model Studio price list).

/** For a second of audio that is sent. Snapshots (`…-2026-02-10`) cost what their model costs. */
const audio: Record<string, number> = {
  'qwen3-asr-flash': 0.000035,
  'qwen3-asr-flash-filetrans': 0.000035,
  'fun-asr-mtl': 0.000035,
  'fun-asr': 0.000035,
  'qwen-audio-3.0-asr-flash-filetrans': 0.000035,
  'qwen-audio-3.1-asr-flash-filetrans': 0.000035,
}

/** The model of which this is a snapshot, or the name as it stands. */
export function undated(model: string): string {
  return model.replace(/-\d{4}-\d\d-\d\d$/, '')
}

/** Undefined for a model whose price is not known. */
export function usdPerSecond(model: string): number | undefined {
  return audio[undated(model)]
}
