// Splits text in any script into sentences.

/** Includes the danda of Hindi and the marks of Arabic script. */
const sentenceEnd = /[.!?…।؟۔]+["'”’)\]]*(?=\s|$)|[。！？]+[”’」』）]*/gu
/** An initial, a common abbreviation, or letters separated by dots (U.S., p.m., Ph.D.). */
const abbreviation = /(?:^|[\s("'“])(?:\p{Lu}|Mr|Mrs|Ms|Dr|Prof|St|vs|(?:\p{L}{1,2}\.)+\p{L}{1,2})$/u

/** Splits a text into sentences. A full stop after an abbreviation or before a lower-case letter ends none. */
export function sentences(text: string): string[] {
  const parts: string[] = []
  let from = 0
  for (const { 0: mark, index } of text.matchAll(sentenceEnd)) {
    const end = index + mark.length
    if (mark === '.' && continues(text.slice(from, index), text.slice(end, end + 10))) continue
    parts.push(text.slice(from, end).trim())
    from = end
  }
  parts.push(text.slice(from).trim())
  return parts.filter(part => part !== '')
}

function continues(before: string, after: string): boolean {
  const isNumber = /\bNo$/.test(before) && /^\s+\d/.test(after)
  return isNumber || /^\s+\p{Ll}/u.test(after) || abbreviation.test(before)
}
