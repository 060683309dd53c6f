// Text from a page or a mail comes with a line break at the end of each line: there it is only a blank.
import { joinText } from '../../domain/text.ts'

/** So many lines at least, so long that somebody has broken them, and most of them nearly full. */
const [fewest, narrowest, widest, full] = [3, 30, 100, 0.7]

/** The text with its paragraphs each in one line, where its lines were broken at a margin; otherwise as it is. */
export function unwrapped(text: string): string {
  const paragraphs = text.split(/\r?\n[ \t]*(?:\r?\n[ \t]*)+/)
  const lines = paragraphs.map(paragraph => paragraph.split(/\r?\n/))
  return isWrapped(lines) ? lines.map(each => each.reduce(joinText)).join('\n\n') : text
}

function isWrapped(paragraphs: string[][]): boolean {
  // The last line of a paragraph may be of any length.
  const broken = paragraphs.flatMap(lines => lines.slice(0, -1)).map(line => line.trim().length)
  const margin = paragraphs.flat().reduce((most, line) => Math.max(most, line.trim().length), 0)
  if (broken.length + 1 < fewest || margin < narrowest || margin > widest) return false
  return broken.filter(length => length >= full * margin).length >= 0.9 * broken.length
}
