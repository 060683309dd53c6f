// Mutations of a faithful answer: models drop, add, swap, translate, obey, wrap and truncate.
import { type CorpusLanguage, corpus, corpusLanguages } from './corpus.ts'

export type Random = () => number

/** Context of a mutation beside the answer. */
export interface MutationContext {
  language: CorpusLanguage
  /** Context that was shown to the model before the text. */
  before: string
  random: Random
}

export type Mutation = (answer: string, around: MutationContext) => string

const unspaced = '\\p{scx=Han}\\p{scx=Hira}\\p{scx=Kana}\\p{scx=Thai}'
/** Words with their punctuation, spaces, or single characters of unspaced scripts. */
const bits = new RegExp(`\\s+|[${unspaced}]|[^\\s${unspaced}]+`, 'gu')

const upTo = (count: number, random: Random) => Math.min(Math.floor(random() * count), Math.max(0, count - 1))
const one = <T>(list: readonly T[], random: Random): T => list[upTo(list.length, random)]!
const paragraphsOf = (answer: string) => answer.split(/\n\n+/)
const foreign = (language: CorpusLanguage, random: Random) =>
  one(
    corpus[
      one(
        corpusLanguages.filter(other => other !== language && other !== 'mixed'),
        random,
      )
    ],
    random,
  )

/** Changes one bit that `fits`; returns the answer unchanged if none does. */
function atBit(answer: string, random: Random, change: (bit: string) => string, fits = /\S/): string {
  const all: string[] = answer.match(bits) ?? []
  const indices = all.flatMap((bit, i) => (fits.test(bit) ? [i] : []))
  if (indices.length === 0) return answer
  const index = one(indices, random)
  return all.map((bit, i) => (i === index ? change(bit) : bit)).join('')
}

function atParagraph(answer: string, random: Random, change: (paragraph: string) => string): string {
  const all = paragraphsOf(answer)
  const index = upTo(all.length, random)
  return all.map((paragraph, i) => (i === index ? change(paragraph) : paragraph)).join('\n\n')
}

function swapNeighbours(answer: string, random: Random): string {
  const all: string[] = answer.match(bits) ?? []
  const indices = all.flatMap((bit, i) => (/\S/.test(bit) ? [i] : []))
  const at = upTo(indices.length - 1, random)
  const [left, right] = [indices[at], indices[at + 1]]
  if (left === undefined || right === undefined) return answer
  return all.map((bit, i) => (i === left ? all[right]! : i === right ? all[left]! : bit)).join('')
}

function shuffled<T>(list: T[], random: Random): T[] {
  const left = [...list]
  return list.map(() => left.splice(upTo(left.length, random), 1)[0]!)
}

const words =
  'not,really,five,Paul,не,очень,Иван,不,很,三,ない,です,ليس,جداً,ไม่,มาก,아니,değil,δεν,नहीं,nicht,pas'.split(
    ',',
  )
const negations =
  /^(?:not|no|never|nobody|\S+n['’]?t|не|нет|ни|никто|никогда|不|没|没有|无|ない|ません|لا|لم|لن|ليس|ليست|ไม่|อย่า|안|못|değil|hiç|δεν|μη|नहीं|मत|nicht|kein|keine|nie|pas|jamais|personne)[.,;:!?]?$/iu
const poem = [
  'Roses are red, violets are blue,\nI was told to write, so I wrote this for you.',
  'Розы красны, фиалки сини, вот вам стихи о далёкой пустыне.',
  '床前明月光，疑是地上霜。举头望明月，低头思故乡。',
]
const preambles = [
  'Here is the formatted text:',
  "Sure! Here's your text with punctuation and paragraphs:",
  'Вот отформатированный текст:',
  '以下是整理后的文本：',
  'はい、整形したテキストはこちらです。',
  'إليك النص بعد التنسيق:',
  'นี่คือข้อความที่จัดรูปแบบแล้ว:',
  'Hier ist der formatierte Text:',
]
const postambles = [
  'Let me know if you need anything else!',
  'Надеюсь, это поможет.',
  '如有其他需要，请告诉我。',
  '(Note: I kept every word as it was.)',
  'أتمنى أن يكون هذا مفيداً.',
]
const summaries = [
  'In short, the speaker tells what happened and why.',
  'Коротко: говорящий рассказывает о своей работе.',
  '总之，讲话的人介绍了情况。',
  'ملخص: يتحدث المتكلم عن تجربته.',
]
const thought = 'Okay, the user wants me to format a text. I must not change the words.\n\nLet me start.'

/** Mutations that change the words. */
export const damaging = {
  drop: (answer, { random }) => atBit(answer, random, () => ''),
  add: (answer, { random }) => atBit(answer, random, bit => `${bit} ${one(words, random)} `),
  swap: (answer, { random }) => swapNeighbours(answer, random),
  replace: (answer, { random }) => atBit(answer, random, () => one(words, random)),
  translate: (answer, { random, language }) => atParagraph(answer, random, () => foreign(language, random)),
  reorder: (answer, { random }) => shuffled(paragraphsOf(answer), random).join('\n\n'),
  truncate: (answer, { random }) => answer.slice(0, upTo(answer.length, random)),
  behead: (answer, { random }) => answer.slice(upTo(answer.length, random)),
  repeatParagraph: (answer, { random }) => atParagraph(answer, random, text => `${text}\n\n${text}`),
  repeatSentence: (answer, { random }) =>
    atParagraph(answer, random, text => {
      const sentences = text.match(/[^.!?。！？؟]+[.!?。！？؟]*\s*/gu) ?? [text]
      const index = upTo(sentences.length, random)
      return sentences.map((sentence, i) => (i === index ? `${sentence} ${sentence}` : sentence)).join('')
    }),
  dropParagraph: (answer, { random }) => atParagraph(answer, random, () => ''),
  obey: (_, { random }) => one(poem, random),
  obeyToo: (answer, { random }) => atParagraph(answer, random, () => one(poem, random)),
  summarise: (_, { random }) => one(summaries, random),
  changeNumber: (answer, { random }) =>
    atBit(answer, random, bit => bit.replace(/\p{N}/u, digit => `${(Number(digit) + 1) % 10}`), /\p{N}/u),
  dropNegation: (answer, { random }) => atBit(answer, random, () => '', negations),
  changeName: (answer, { random }) =>
    atBit(answer, random, () => one(['Maria', 'Андрей', 'Tanaka'], random), /^\p{Lu}\p{L}{2,}/u),
  splitWord: (answer, { random }) =>
    atBit(
      answer,
      random,
      bit => bit.replace(/[\p{L}\p{M}]{4,}/u, word => `${word.slice(0, 2)} ${word.slice(2)}`),
      /[\p{L}\p{M}]{4}/u,
    ),
  joinWords: (answer, { random }) => atBit(answer, random, () => '', /^ $/),
  misspell: (answer, { random }) =>
    atBit(answer, random, bit => bit.slice(0, -2) + bit.slice(-1), /\p{L}{3}/u),
  garbage: (answer, { random }) => {
    const signs = Array.from({ length: 200 }, () => String.fromCharCode(Math.floor(random() * 0xffff)))
    return random() < 0.5 ? signs.join('') : answer + signs.join('')
  },
  empty: (_, { random }) => one(['', ' ', '\n\n', '\u200b', '…'], random),
  endless: (answer, { random }) => `${one(answer.split('\n'), random).slice(0, 200)}\n`.repeat(100),
} as const satisfies Record<string, Mutation>

/** Mutations around the words or of their appearance only, which a judge may accept. */
export const noisy = {
  preamble: (answer, { random }) => `${one(preambles, random)}\n\n${answer}`,
  preambleInLine: (answer, { random }) => `${one(preambles, random)} ${answer}`,
  postamble: (answer, { random }) => `${answer}\n\n${one(postambles, random)}`,
  postambleInLine: (answer, { random }) => `${answer} ${one(postambles, random)}`,
  codeBlock: answer => `\`\`\`text\n${answer}\n\`\`\``,
  thought: answer => `<think>\n${thought}\n</think>\n\n${answer}`,
  thoughtUnclosed: answer => `${answer}\n\n<think>${thought}`,
  onlyThought: answer => `<think>${thought} ${answer}`,
  markdown: answer => `# Transcript\n\n${answer.replace(/\p{L}{5,}/u, word => `**${word}**`)}\n\n---`,
  bullets: answer => answer.replace(/^(?=\S)/gm, '- '),
  quotes: answer => `"${answer}"`,
  json: answer => JSON.stringify({ text: answer }),
  jsonString: answer => JSON.stringify(answer),
  entities: answer =>
    answer.replace(/&/g, '&amp;').replace(/"/g, '&quot;').replace(/'/g, '&#39;').replace(/</g, '&lt;'),
  tags: answer => `<text>\n${answer}\n</text>`,
  context: (answer, { before }) => `${before}\n\n${answer}`,
  contextInLine: (answer, { before }) => `${before} ${answer}`,
  onePage: answer => answer.replace(/\n+/g, ' '),
  carriageReturns: answer => answer.replace(/\n/g, '\r\n'),
  singleBreaks: answer => answer.replace(/\n+/g, '\n'),
  brokenLines: answer => answer.replace(/([,،，、]) ?/g, '$1\n'),
  upperCase: answer => answer.toUpperCase(),
  lowerCase: answer => answer.toLowerCase(),
  decomposed: answer => answer.normalize('NFD'),
  wide: answer => answer.replace(/[A-Za-z0-9]/g, sign => String.fromCharCode(sign.charCodeAt(0) + 0xfee0)),
  exclaimed: answer => answer.replace(/\./g, '!'),
} as const satisfies Record<string, Mutation>

export const mutations: Record<string, Mutation> = { ...damaging, ...noisy }
