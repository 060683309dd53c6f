// Removal of filler words, if the instructions ask for it.
import { normalizedWord, type Word } from './words.ts'

const fillers = new Set(
  'um uhm umm uh uhh erm äh ähm öhm euh эм ээ эээ эмм 嗯 呃 えーと えっと うーん เอ่อ آآ'.split(' '),
)

/** True if the instructions ask to remove fillers. */
export function asksToRemoveFillers(system: string): boolean {
  const keeps =
    /\bkeep\b[^.,;\n]{0,40}\bfillers?\b|\b(?:not|never|don't) (?:leave out|omit|remove|drop|delete|touch) (?:the |any |even )*fillers?\b/i
  const lists = /\b(?:leave out|omit|remove|drop|delete|without)\b[^.\n]*(?:\bu[hm]\b|эм|嗯|えーと)/iu
  return (/\bfillers?\b/i.test(system) && !keeps.test(system)) || lists.test(system)
}

/** Moves sentence-final punctuation of a filler to the word before it. */
export function withoutFillers(units: Word[]): Word[] {
  // "um" is an ordinary word in some languages.
  const umIsAWord = units.some(unit => /^(?:que|não|uma|und|der|die|ich)$/.test(normalizedWord(unit)))
  const kept: Word[] = []
  for (const unit of units) {
    const word = normalizedWord(unit)
    if (!fillers.has(word) || (word === 'um' && umIsAWord)) {
      kept.push({ ...unit })
      continue
    }
    const last = kept.at(-1)
    const end = /[.!?…。！？؟।]+\S*$/u.exec(unit.text)?.[0]
    if (!last) continue
    if (end) last.text = last.text.replace(/[,，、;:]$/u, '') + end
    if (last.gap === '' || unit.gap.includes('\n')) last.gap = unit.gap
  }
  return kept
}
