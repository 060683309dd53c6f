// Speech with fillers, from a list that is independent of the source's list.
import type { CorpusLanguage } from './corpus.ts'

const sounds: Record<CorpusLanguage, string[]> = {
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

const isSpaced = (language: CorpusLanguage) => !['zh', 'ja', 'th'].includes(language)

/** True for one of the fillers, drawn out or not. */
export function isFiller(text: string, language: CorpusLanguage): boolean {
  const plain = text.toLowerCase().replace(/[^\p{L}\p{M}]/gu, '')
  const short = (word: string) => word.replace(/(.)\1+/gu, '$1')
  return sounds[language].some(sound => short(sound) === short(plain))
}

/** Adds fillers to a paragraph, and returns it with a cleaned version that omits most of them. */
export function withFillers(
  text: string,
  language: CorpusLanguage,
  random: () => number,
): { said: string; cleaned: string; count: number } {
  let said = ''
  let cleaned = ''
  let count = 0
  // Characters of unspaced scripts may form words: there fillers follow punctuation only.
  for (const bit of text.match(isSpaced(language) ? /\S+\s*/gu : /[^、。，？！ ]+[、。，？！ ]*/gu) ?? [
    text,
  ]) {
    if (random() < 0.12 && (isSpaced(language) || said !== '')) {
      const sound = sounds[language][Math.floor(random() * sounds[language].length)]!
      const shown = isSpaced(language) ? `${sound}, ` : language === 'th' ? `${sound} ` : `${sound}、`
      said += shown
      if (random() < 0.2) cleaned += shown
      else count++
    }
    said += bit
    cleaned += bit
  }
  return { said, cleaned, count }
}
