// The sounds of thinking that the stand-in leaves out when it is asked to.
import { lettersOf, type Unit } from './units.ts'

const FILLERS = new Set(
  'um uhm umm uh uhh erm äh ähm öhm euh эм ээ эээ эмм 嗯 呃 えーと えっと うーん เอ่อ آآ'.split(' '),
)

/** Whether instructions ask for it. */
export function wantsNoFillers(system: string): boolean {
  const keeps =
    /\bkeep\b[^.,;\n]{0,40}\bfillers?\b|\b(?:not|never|don't) (?:leave out|omit|remove|drop|delete|touch) (?:the |any |even )*fillers?\b/i
  const lists = /\b(?:leave out|omit|remove|drop|delete|without)\b[^.\n]*(?:\bu[hm]\b|эм|嗯|えーと)/iu
  return (/\bfillers?\b/i.test(system) && !keeps.test(system)) || lists.test(system)
}

/** The end of a sentence that stood at one goes to the word before it. */
export function withoutFillers(units: Unit[]): Unit[] {
  // "um" is a word of some languages.
  const everyday = units.some(unit => /^(?:que|não|uma|und|der|die|ich)$/.test(lettersOf(unit)))
  const kept: Unit[] = []
  for (const unit of units) {
    const word = lettersOf(unit)
    if (!FILLERS.has(word) || (word === 'um' && everyday)) {
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
