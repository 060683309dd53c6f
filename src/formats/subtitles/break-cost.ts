// Rates how badly a cue or a line breaks between two words: well at marks, badly within names and numbers.

const sentenceMark = /[.!?…।؟۔。！？]["'”’»)\]」』）]*$/u
const clauseMark = /[,;:—–،؛，、；：]["'”’»)\]」』）]*$/u
const openingMark = /^["'“‘«([「『（《]/u
/** Words before which a clause begins. */
const conjunction =
  /^(?:and|but|or|so|because|that|which|who|when|where|while|if|than|und|aber|oder|weil|dass|wenn|denn|sondern|et|mais|ou|parce|qui|que|quand|donc|y|pero|o|porque|cuando|si|e|ma|perché|che|quando|mas|и|но|или|что|если|когда|а|потому|который|которая)$/iu
/** A number, to which the next word often belongs: `5 km`, `10 000`, `3 p.m.` */
const number = /\d[\d.,:/]*$/u
const abbreviation = /(?:^|\s)(?:\p{L}{1,4}|\p{Lu}\p{Ll}{0,3})\.$/u
const capital = /^["'“‘«(]*\p{Lu}/u

/** 0 at the end of a sentence, 1 at that of a clause, and at most 12; `next` is empty behind the last word. */
export function breakCost(word: string, next: string, endsSentence: boolean): number {
  const [left, right] = [word.trimEnd(), next.trimEnd()]
  if (endsSentence) return sentenceMark.test(left) ? 0 : 3
  if (clauseMark.test(left)) return 1
  if (openingMark.test(right)) return 2
  if (conjunction.test(right)) return 2
  if (number.test(left) || /^[\d%€$£°]/u.test(right) || abbreviation.test(left)) return 9
  if (capital.test(left) && capital.test(right)) return 8
  // In scripts without spaces, each word is a place.
  if (left === word && right !== '') return 3.5
  // Articles and prepositions are short in most languages, and belong to what follows.
  return /^\p{L}{1,3}$/u.test(left) ? 7 : 4
}
