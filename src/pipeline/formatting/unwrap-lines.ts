// Unwraps text of a page or mail that has a line break at the end of each line.
import { joinText } from '../../domain/text.ts'

/** A wrapped text has at least this many lines. */
const minLines = 3
/** Its margin is within this range of characters. */
const [minMarginChars, maxMarginChars] = [30, 100]
/** Nine in ten of its lines fill this share of the margin. */
const minFilledShare = 0.7

/** Puts each paragraph on one line if the lines were wrapped at a margin; otherwise returns the text unchanged. */
export function unwrapLines(text: string): string {
  const paragraphs = text.split(/\r?\n[ \t]*(?:\r?\n[ \t]*)+/)
  const lines = paragraphs.map(paragraph => paragraph.split(/\r?\n/))
  return isWrapped(lines) ? lines.map(each => each.reduce(joinText)).join('\n\n') : text
}

function isWrapped(paragraphs: string[][]): boolean {
  // The last line of a paragraph may have any length.
  const wrapped = paragraphs.flatMap(lines => lines.slice(0, -1)).map(line => line.trim().length)
  const margin = paragraphs.flat().reduce((longest, line) => Math.max(longest, line.trim().length), 0)
  if (wrapped.length + 1 < minLines || margin < minMarginChars || margin > maxMarginChars) return false
  return wrapped.filter(length => length >= minFilledShare * margin).length >= 0.9 * wrapped.length
}
