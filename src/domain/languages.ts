// Languages of qwen3-asr-flash by ISO 639-1 code, English name and common other spellings.

/** Codes that the API accepts as a hint (Model Studio reference of qwen3-asr-flash, 27 codes). */
export const hintLanguages = [
  'zh', 'yue', 'en', 'ja', 'de', 'ko', 'ru', 'fr', 'pt', 'ar', 'it', 'es', 'hi', 'id',
  'th', 'tr', 'uk', 'vi', 'cs', 'da', 'fil', 'fi', 'is', 'ms', 'no', 'pl', 'sv',
] as const // biome-ignore format: a table reads better than a column

/** English names; the first is the one shown. The open model recognises 30 languages, the API's list adds uk, is, no. */
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

/** Chinese dialects that the model recognises; the API accepts them all under one code. */
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
  /** ISO code to send; absent where the language is detected. */
  code?: string
  /** Warns the reader that the hint was not used. */
  warning?: string
}

/** Reads a language as users and models write it (`en`, `en-US`, `eng`, `English (US)`, `Sichuan`). Never throws. */
export function languageHint(given: string | undefined): LanguageHint {
  const text = given?.trim()
  if (!text || isAutoDetect(text)) return {}
  const code = languageCode(text)
  if (code === undefined)
    return { warning: 'The given language is unknown; the language was detected automatically.' }
  if (!(hintLanguages as readonly string[]).includes(code))
    return {
      warning: `The API accepts no hint for ${names[code]![0]}; the language was detected automatically.`,
    }
  return { code }
}

/** True for words that ask for automatic detection. */
export function isAutoDetect(given: string): boolean {
  return ['auto', 'detect', 'automatic'].includes(given.trim().toLowerCase())
}

/** Returns the ISO code of a language given by code or name (`en-US`, `Dutch`, `zh_Hant`); undefined if unknown. */
export function languageCode(given: string): string | undefined {
  const name = given.trim().toLowerCase()
  return codes.get(name) ?? codes.get(name.split(/[-_]|\s*\(/)[0] ?? '')
}

/** Returns the English name of a code, or the code itself. */
export function languageName(code: string): string {
  return names[code]?.[0] ?? code
}
