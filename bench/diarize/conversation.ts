// Generates a conversation: timed words with speakers, overlapping turns, short answers and back-channels.
import { type Language, type LanguageProfile, languages } from './languages.ts'
import { createSeededRandom, type SeededRandom } from './random.ts'

export interface SpokenWord {
  text: string
  /** Punctuation after the word, or ''. */
  punctuation: string
  start: number
  end: number
  speaker: number
  /** Number of the turn; a back-channel is a turn of its own. */
  turn: number
}

export interface Conversation {
  language: Language
  speakers: number
  /** In order of time. */
  words: SpokenWord[]
  duration: number
}

/** Words of a conversation. */
const minWords = 220

export function generateConversation(seed: number): Conversation {
  const random = createSeededRandom(seed)
  const language = (['en', 'zh', 'ja'] as const)[seed % 3]!
  const speech = languages[language]
  const speakers = 2 + (Math.floor(seed / 3) % 5)
  const words: SpokenWord[] = []
  let [turn, speaker, now] = [0, 0, random.between(0.5, 3)]
  while (words.length < minWords) {
    const said = speakTurn(random, speech, { start: now, speaker, turn: turn++ })
    words.push(...said)
    now = said.at(-1)!.end
    if (said.length > 8 && random.chance(0.3)) {
      const other = another(random, speakers, speaker)
      words.push(...backChannel(random, speech, said, { speaker: other, turn: turn++ }))
    }
    speaker = another(random, speakers, speaker)
    now = Math.max(0, now + turnGap(random))
  }
  words.sort((a, b) => a.start - b.start)
  return { language, speakers, words, duration: Math.max(...words.map(({ end }) => end)) + 1 }
}

/** From −0.3 to 1 second, mostly short; one in twelve interrupts. */
function turnGap(random: SeededRandom): number {
  if (random.chance(0.08)) return random.between(-1.2, -0.3)
  return random.between(-0.3, random.chance(0.5) ? 0.4 : 1)
}

/** The first two speakers speak more often than the others. */
function another(random: SeededRandom, speakers: number, previous: number): number {
  const near = random.chance(0.5) ? 2 : speakers
  const other = random.whole(0, Math.max(2, near) - 1)
  return other === previous ? (previous + 1 + random.whole(0, speakers - 2)) % speakers : other
}

function speakTurn(
  random: SeededRandom,
  speech: LanguageProfile,
  { start, speaker, turn }: { start: number; speaker: number; turn: number },
): SpokenWord[] {
  const words: SpokenWord[] = []
  const pace = random.between(0.85, 1.2)
  let now = start
  const isAnswer = random.chance(0.25)
  const sentences = isAnswer ? 1 : random.whole(1, 4)
  for (let i = 0; i < sentences; i++) {
    const texts = isAnswer ? random.pick(speech.answers).split(' ') : sentence(random, speech)
    for (const [k, text] of texts.entries()) {
      const end = now + speech.secondsOf(text) * pace * random.between(0.8, 1.25)
      const isLast = k === texts.length - 1
      const punctuation = isLast
        ? random.pick(speech.stops)
        : k > 2 && random.chance(0.12)
          ? speech.comma
          : ''
      words.push({ text, punctuation, start: now, end, speaker, turn })
      const pause = isLast
        ? random.between(0.15, 0.9)
        : punctuation
          ? random.between(0.05, 0.4)
          : random.between(0, 0.04)
      now = end + (random.chance(0.02) ? 0.5 : 0) + pause
    }
  }
  return words
}

/** Frequent words are drawn more often. */
function sentence(random: SeededRandom, { words }: LanguageProfile): string[] {
  return Array.from(
    { length: random.whole(2, 16) },
    () => words[Math.floor(random.next() ** 2 * words.length)]!,
  )
}

/** A back-channel inside another speaker's turn, in a pause or over its words. */
function backChannel(
  random: SeededRandom,
  speech: LanguageProfile,
  over: SpokenWord[],
  label: { speaker: number; turn: number },
): SpokenWord[] {
  const texts = random.pick(speech.backChannels).split(' ')
  let now = over[random.whole(2, over.length - 2)]!.end + random.between(-0.1, 0.1)
  return texts.map((text, i) => {
    const start = now
    now += speech.secondsOf(text) * 0.9
    return { text, punctuation: i === texts.length - 1 ? speech.stops[0]! : '', start, end: now, ...label }
  })
}
