// Language hints: which spellings are recognised, and which are sent.
import { describe, expect, it } from 'vitest'
import { hintLanguages, languageHint, languageName } from '../../../src/domain/languages.ts'

describe('languageHint', () => {
  const unknown = expect.stringContaining('given language is unknown')
  const notHinted = (name: string) => expect.stringContaining(`accepts no hint for ${name}`)

  it.each(hintLanguages)('the hint code %s of the API is sent unchanged', code => {
    expect(languageHint(code)).toEqual({ code })
    expect(languageHint(languageName(code))).toEqual({ code })
  })

  // The 52 of the model card: 30 languages and 22 Chinese dialects.
  it.each([
    ...[
      'zh',
      'en',
      'yue',
      'ar',
      'de',
      'fr',
      'es',
      'pt',
      'id',
      'it',
      'ko',
      'ru',
      'th',
      'vi',
      'ja',
      'tr',
      'hi',
      'ms',
    ],
    ...['sv', 'da', 'fi', 'pl', 'cs', 'fil'],
  ])('the code %s of the open model is sent', code => {
    expect(languageHint(code)).toEqual({ code })
  })

  it.each(['uk', 'is', 'no'])('the code %s, which only the API accepts, is sent', code => {
    expect(languageHint(code)).toEqual({ code })
  })

  it.each([
    ['nl', 'Dutch'],
    ['fa', 'Persian'],
    ['el', 'Greek'],
    ['hu', 'Hungarian'],
    ['mk', 'Macedonian'],
    ['ro', 'Romanian'],
  ])('the language %s, for which the API accepts no hint, is detected with a warning', (code, name) => {
    expect(languageHint(code)).toEqual({ warning: notHinted(name) })
    expect(languageHint(name)).toEqual({ warning: notHinted(name) })
  })

  it.each([
    ...[
      'Anhui',
      'Dongbei',
      'Fujian',
      'Gansu',
      'Guizhou',
      'Hebei',
      'Henan',
      'Hubei',
      'Hunan',
      'Jiangxi',
      'Ningxia',
    ],
    ...['Shandong', 'Shaanxi', 'Shanxi', 'Sichuan', 'Tianjin', 'Yunnan', 'Zhejiang', 'Wu', 'Minnan'],
  ])('the dialect %s is sent as Chinese', dialect => {
    for (const form of [dialect, dialect.toUpperCase(), `${dialect} dialect`, `${dialect} Chinese`])
      expect(languageHint(form)).toEqual({ code: 'zh' })
  })

  it.each(['Cantonese (Hong Kong)', 'Cantonese (Guangdong)', 'cantonese', 'YUE', 'yue-HK'])(
    '%s is sent as yue',
    given => {
      expect(languageHint(given)).toEqual({ code: 'yue' })
    },
  )

  it.each([
    ['EN', 'en'],
    [' English ', 'en'],
    ['en-US', 'en'],
    ['en_GB', 'en'],
    ['English (US)', 'en'],
    ['eng', 'en'],
    ['zh-Hant-TW', 'zh'],
    ['Mandarin', 'zh'],
    ['cmn', 'zh'],
    ['Chinese (Simplified)', 'zh'],
    ['Sichuanese', 'zh'],
    ['pt-BR', 'pt'],
    ['es-419', 'es'],
    ['Tagalog', 'fil'],
    ['nb', 'no'],
    ['Castilian', 'es'],
    ['deu', 'de'],
    ['ger', 'de'],
  ])('the spelling %j is sent as %s', (given, code) => {
    expect(languageHint(given)).toEqual({ code })
  })

  it.each([undefined, '', '  ', 'auto', 'Detect'])(
    'the hint %j asks for detection without a warning',
    given => {
      expect(languageHint(given)).toEqual({})
    },
  )

  it.each(['Klingon', 'xx', 'constructor', '__proto__', 'no idea', 'english please', '你'])(
    'the unknown language %j is detected with a warning that does not repeat it',
    given => {
      const hint = languageHint(given)
      expect(hint).toEqual({ warning: unknown })
      expect(hint.warning).not.toContain(given)
    },
  )

  it('languageName returns a code without a name unchanged', () => {
    expect([languageName('yue'), languageName('xx')]).toEqual(['Cantonese', 'xx'])
  })
})
