// The languages of qwen3-asr-flash, by ISO 639-1 code, English name and the usual other spellings.

/** Codes that the API takes as a hint (Model Studio reference of qwen3-asr-flash, 27 codes). */
export const hintLanguages = [
  'zh', 'yue', 'en', 'ja', 'de', 'ko', 'ru', 'fr', 'pt', 'ar', 'it', 'es', 'hi', 'id',
  'th', 'tr', 'uk', 'vi', 'cs', 'da', 'fil', 'fi', 'is', 'ms', 'no', 'pl', 'sv',
] as const // biome-ignore format: a table reads better than a column

/** English names; the first is the one we show. The open model hears 30 languages, the API's list adds uk, is, no. */
const names: Record<string, string[]> = {
  zh: ['Chinese', 'Mandarin', 'Mandarin Chinese', 'zho', 'chi', 'cmn'],
  yue: ['Cantonese', 'zh-HK', 'zh-Hant-HK', 'zh-MO', 'Cantonese (Hong Kong)', 'Cantonese (Guangdong)'],
  en: ['English', 'eng'],
  ja: ['Japanese', 'jpn'],
  de: ['German', 'deu', 'ger'],
  ko: ['Korean', 'kor'],
  ru: ['Russian', 'rus'],
  fr: ['French', 'fra', 'fre'],
  pt: ['Portuguese', 'por'],
  ar: ['Arabic', 'ara'],
  it: ['Italian', 'ita'],
  es: ['Spanish', 'spa', 'Castilian'],
  hi: ['Hindi', 'hin'],
  id: ['Indonesian', 'ind'],
  th: ['Thai', 'tha'],
  tr: ['Turkish', 'tur'],
  uk: ['Ukrainian', 'ukr'],
  vi: ['Vietnamese', 'vie'],
  cs: ['Czech', 'ces', 'cze'],
  da: ['Danish', 'dan'],
  fil: ['Filipino', 'Tagalog', 'tl', 'tgl'],
  fi: ['Finnish', 'fin'],
  is: ['Icelandic', 'isl', 'ice'],
  ms: ['Malay', 'msa', 'may'],
  no: ['Norwegian', 'nor', 'nb', 'nn', 'nob', 'nno'],
  pl: ['Polish', 'pol'],
  sv: ['Swedish', 'swe'],
  nl: ['Dutch', 'nld', 'dut'],
  fa: ['Persian', 'Farsi', 'fas', 'per'],
  el: ['Greek', 'ell', 'gre'],
  hu: ['Hungarian', 'hun'],
  mk: ['Macedonian', 'mkd', 'mac'],
  ro: ['Romanian', 'ron', 'rum'],
}

/** Chinese dialects the model hears; the API takes them all under one code. */
const dialects = [
  'Anhui', 'Dongbei', 'Fujian', 'Gansu', 'Guizhou', 'Hebei', 'Henan', 'Hubei', 'Hunan', 'Jiangxi', 'Ningxia',
  'Shandong', 'Shaanxi', 'Shanxi', 'Sichuan', 'Sichuanese', 'Tianjin', 'Yunnan', 'Zhejiang', 'Wu', 'Minnan',
] // biome-ignore format: a table reads better than a column

const codes = new Map<string, string>()
for (const [code, all] of Object.entries(names))
  for (const name of [code, ...all]) codes.set(name.toLowerCase(), code)
for (const dialect of dialects)
  for (const form of [dialect, `${dialect} dialect`, `${dialect} Chinese`])
    codes.set(form.toLowerCase(), 'zh')

export interface LanguageHint {
  /** ISO code to send; absent when the language is to be detected. */
  code?: string
  /** Set when the reader should know that the hint was not used. */
  warning?: string
}

/** Reads what a person or model wrote (`en`, `en-US`, `eng`, `English (US)`, `Sichuan`); never refuses. */
export function languageHint(given: string | undefined): LanguageHint {
  const text = given?.trim()
  if (!text || isAutoDetect(text)) return {}
  const code = languageCode(text)
  if (code === undefined)
    return {
      warning: 'The language given is not one the model is known to hear; it was left to be detected.',
    }
  if (!(hintLanguages as readonly string[]).includes(code))
    return { warning: `The API takes no hint for ${names[code]![0]}; the language was left to be detected.` }
  return { code }
}

/** True where the language is left to be detected, in so many words. */
export function isAutoDetect(given: string): boolean {
  return ['auto', 'detect', 'automatic'].includes(given.trim().toLowerCase())
}

/** The code of a language by whatever it is called (`en-US`, `Dutch`, `zh_Hant`); undefined for one that we have no name for. */
export function languageCode(given: string): string | undefined {
  const name = given.trim().toLowerCase()
  return codes.get(name) ?? codes.get(name.split(/[-_]|\s*\(/)[0] ?? '')
}

/** The English name of a code, or the code itself. */
export function languageName(code: string): string {
  return names[code]?.[0] ?? code
}
