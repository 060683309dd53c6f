// Finds the text to format in a user's message.
export interface Found {
  text: string
  /** Content of an earlier pair of tags, if there is one: the preceding context. */
  before: string
}

/** The content of the last pair of tags on separate lines, or the whole message. */
export function findText(message: string): Found {
  const lines = message.split(/\r?\n/)
  const pair = lastPair(lines)
  if (!pair) return { text: message, before: '' }
  const earlier = lines.slice(0, pair.from)
  const left = lastPair(earlier)
  return {
    text: lines.slice(pair.from + 1, pair.to).join('\n'),
    before: left ? earlier.slice(left.from + 1, left.to).join('\n') : '',
  }
}

// The text may contain tags too: the pair spans from the first opening to the last closing tag of its name.
function lastPair(lines: string[]): { from: number; to: number } | undefined {
  for (let to = lines.length - 1; to > 0; to--) {
    const name = /^<\/([\p{L}][^\s<>/]*)>\s*$/u.exec(lines[to]!)?.[1]
    if (name === undefined) continue
    const opens = (line: string) => line.startsWith(`<${name}`) && /^[\s>]/.test(line.slice(name.length + 1))
    const previous = lines.lastIndexOf(`</${name}>`, to - 1)
    const after = lines.findIndex((line, at) => at > previous && at < to && opens(line) && line.endsWith('>'))
    const from = after >= 0 ? after : lines.findIndex((line, at) => at < to && opens(line))
    if (from >= 0) return { from, to }
  }
  return undefined
}
