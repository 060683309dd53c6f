// Talk with hesitations in it: which sounds count as such, by tongue, in a list of the tests' own.
import type { Tongue } from './corpus.ts'

const sounds: Record<Tongue, string[]> = {
  en: ['um', 'uh', 'erm', 'hmm'],
  ru: ['э', 'эм', 'ммм'],
  zh: ['嗯', '呃'],
  ja: ['えーと', 'えっと', 'うーん'],
  ar: ['اممم', 'ممم'],
  th: ['เอ่อ', 'อืม'],
  mixed: ['erm', 'uhm'],
  ko: ['으음', '으으음'],
  tr: ['ııı', 'hmm'],
  el: ['hmm', 'uhm'],
  hi: ['उम्म', 'हम्म'],
  de: ['äh', 'ähm', 'hmm'],
  fr: ['euh', 'hmm'],
}

const isSpaced = (tongue: Tongue) => !['zh', 'ja', 'th'].includes(tongue)

/** Whether it is one of the sounds, drawn out or not. */
export function isFiller(text: string, tongue: Tongue): boolean {
  const plain = text.toLowerCase().replace(/[^\p{L}\p{M}]/gu, '')
  const short = (word: string) => word.replace(/(.)\1+/gu, '$1')
  return sounds[tongue].some(sound => short(sound) === short(plain))
}

/** A paragraph with some hesitations, and a model's reading of it that has left most of them out. */
export function withFillers(
  text: string,
  tongue: Tongue,
  random: () => number,
): { said: string; cleaned: string; count: number } {
  let said = ''
  let cleaned = ''
  let count = 0
  // Signs of close scripts may belong together: there only behind a mark.
  for (const bit of text.match(isSpaced(tongue) ? /\S+\s*/gu : /[^、。，？！ ]+[、。，？！ ]*/gu) ?? [text]) {
    if (random() < 0.12 && (isSpaced(tongue) || said !== '')) {
      const sound = sounds[tongue][Math.floor(random() * sounds[tongue].length)]!
      const shown = isSpaced(tongue) ? `${sound}, ` : tongue === 'th' ? `${sound} ` : `${sound}、`
      said += shown
      if (random() < 0.2) cleaned += shown
      else count++
    }
    said += bit
    cleaned += bit
  }
  return { said, cleaned, count }
}
