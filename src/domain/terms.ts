// Finds names and terms in the context of a request: in a list they are its items, in prose they stand out.

export interface Terms {
  /** In order of appearance, each once. */
  terms: string[]
  /** True where the context is nothing but a list of terms. */
  isList: boolean
}

const separators = /[\n,;|•，、；；]+/u
/** A list has a few words an item; a clause between two commas has more. */
const maxItemWords = 7
const maxMeanWords = 2.5
/** Characters of an item in a script without spaces. */
const maxItemCharacters = 15

/** Reads a list of terms (commas, semicolons or lines, labels such as `Names:` allowed), or finds terms in prose. */
export function readTerms(context: string): Terms {
  const items = itemsOf(context)
  const isList = areTerms(items)
  return { isList, terms: distinct(isList ? items : findTerms(context)) }
}

function itemsOf(context: string): string[] {
  return context
    .split(separators)
    .map(item =>
      item
        .replace(/^\s*(?:[-*–]\s+|\d{1,3}[.)]\s+)?/u, '')
        .replace(/^[\p{L} ]{1,30}[:：]\s+/u, '')
        .replace(/^["'“„«「]+|["'”“»」.]+$/gu, '')
        .trim(),
    )
    .filter(item => /[\p{L}\p{N}]/u.test(item))
}

function areTerms(items: string[]): boolean {
  if (items.length === 0) return false
  const words = items.map(wordCount)
  const mean = words.reduce((sum, count) => sum + count, 0) / words.length
  const areShort = items.every((item, i) => words[i]! <= maxItemWords && !isLongUnspaced(item))
  return areShort && mean <= maxMeanWords && !items.some(item => /[.!?。！？]\s|[。！？]/u.test(item))
}

function isLongUnspaced(item: string): boolean {
  return (
    /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]/u.test(item) &&
    [...item].length > maxItemCharacters
  )
}

export function wordCount(text: string): number {
  return text.split(/\s+/).filter(word => word !== '').length
}

const quoted =
  /"([^"\n]{2,60})"|[“„]([^”“\n]{2,60})[”“]|«\s?([^»\n]{2,60}?)\s?»|[「『]([^」』\n]{1,30})[」』]|`([^`\n]{2,60})`/gu
const word = "[\\p{L}\\p{N}][\\p{L}\\p{M}\\p{N}'’&+#-]*(?:\\.[\\p{L}\\p{N}]+)*"
const capitalised = `\\p{Lu}${word.slice(word.indexOf(']') + 1)}`
/** Words within a name: Ludwig van Beethoven, Bank of England. */
const particle = '(?:van|von|der|den|de|da|di|del|du|la|le|of|al|bin|y|e)'
const name = new RegExp(
  `(?<![\\p{L}\\p{N}])${capitalised}(?:\\s+(?:${particle}\\s+){0,2}${capitalised})*`,
  'gu',
)
/** Acronyms, and words with capitals or digits inside: OKR, gRPC, K8s, GPT-4. */
const mark = new RegExp(word, 'gu')
const isMark = /^(?=.*\p{L})(?:.*\p{L}.*\p{Lu}|.*\p{N})/u
const sentenceStart = /(?:^|(?<!\b(?:Dr|Mr|Mrs|Ms|Prof|St))[.!?:。！？\n])[\s"“„«(]*$/u
/** Words that begin sentences and are capitalised only there. */
const openers = new Set(
  `a an the this that these those i we you he she it they my our your his her its their in on at of for from with
  by to and or but as if when while who what where how why please there here is are was were
  der die das ein eine und wir ich sie er es mit von bei im am zu le la les un une el los las y en il lo`.split(
    /\s+/,
  ),
)

/** Quoted words, acronyms, and capitalised words that no sentence begins with. */
function findTerms(text: string): string[] {
  const found: { at: number; term: string }[] = []
  for (const match of text.matchAll(quoted))
    found.push({
      at: match.index,
      term: match
        .slice(1)
        .find(part => part !== undefined)!
        .trim(),
    })
  for (const { 0: term, index: at } of text.matchAll(mark)) if (isMark.test(term)) found.push({ at, term })
  const atStart: { at: number; term: string }[] = []
  for (const { 0: all, index: at } of text.matchAll(name)) {
    if (!sentenceStart.test(text.slice(Math.max(0, at - 8), at))) {
      found.push({ at, term: all })
      continue
    }
    const [first, ...rest] = all.split(/\s+/)
    if (rest.length === 0) atStart.push({ at, term: all })
    else found.push({ at, term: openers.has(first!.toLowerCase()) ? rest.join(' ') : all })
  }
  const inside = new Set(found.flatMap(({ term }) => term.split(/\s+/)))
  found.push(...atStart.filter(({ term }) => inside.has(term)))
  return found.sort((one, other) => one.at - other.at).map(({ term }) => term)
}

function distinct(terms: string[]): string[] {
  const found = new Map<string, string>()
  for (const term of terms) {
    const key = term.toLowerCase()
    if (!found.has(key)) found.set(key, term)
  }
  return [...found.values()]
}
