// Invents a conversation: who says which word when, with turns that overlap, short answers and back-channels.
import { type Language, type LanguageProfile, languages } from './languages.ts'
import { createSeededRandom, type SeededRandom } from './random.ts'

export interface SpokenWord {
  text: string
  /** What stands behind the word in writing: a comma, a full stop, or nothing. */
  mark: string
  start: number
  end: number
  speaker: number
  /** Which turn; a back-channel is one of its own. */
  turn: number
}

export interface Conversation {
  language: Language
  speakers: number
  /** In order of time. */
  words: SpokenWord[]
  duration: number
}

/** Words (signs in zh and ja count half) of a conversation. */
const length = 220

export function generateConversation(seed: number): Conversation {
  const chance = createSeededRandom(seed)
  const language = (['en', 'zh', 'ja'] as const)[seed % 3]!
  const speech = languages[language]
  const speakers = 2 + (Math.floor(seed / 3) % 5)
  const words: SpokenWord[] = []
  let [turn, speaker, now] = [0, 0, chance.between(0.5, 3)]
  while (words.length < length) {
    const said = speakTurn(chance, speech, { start: now, speaker, turn: turn++ })
    words.push(...said)
    now = said.at(-1)!.end
    if (said.length > 8 && chance.chance(0.3)) {
      const other = another(chance, speakers, speaker)
      words.push(...backChannel(chance, speech, said, { speaker: other, turn: turn++ }))
    }
    speaker = another(chance, speakers, speaker)
    now = Math.max(0, now + turnGap(chance))
  }
  words.sort((a, b) => a.start - b.start)
  return { language, speakers, words, duration: Math.max(...words.map(({ end }) => end)) + 1 }
}

/** From −0.3 to 1 second, mostly short; one in twelve interrupts. */
function turnGap(chance: SeededRandom): number {
  if (chance.chance(0.08)) return chance.between(-1.2, -0.3)
  return chance.between(-0.3, chance.chance(0.5) ? 0.4 : 1)
}

/** Whoever spoke a while ago answers more often than one who was silent. */
function another(chance: SeededRandom, speakers: number, but: number): number {
  const near = chance.chance(0.5) ? 2 : speakers
  const other = chance.whole(0, Math.max(2, near) - 1)
  return other === but ? (but + 1 + chance.whole(0, speakers - 2)) % speakers : other
}

function speakTurn(
  chance: SeededRandom,
  speech: LanguageProfile,
  { start, speaker, turn }: { start: number; speaker: number; turn: number },
): SpokenWord[] {
  const words: SpokenWord[] = []
  const pace = chance.between(0.85, 1.2)
  let now = start
  const isAnswer = chance.chance(0.25)
  const sentences = isAnswer ? 1 : chance.whole(1, 4)
  for (let i = 0; i < sentences; i++) {
    const texts = isAnswer ? chance.pick(speech.answers).split(' ') : sentence(chance, speech)
    for (const [k, text] of texts.entries()) {
      const end = now + speech.secondsOf(text) * pace * chance.between(0.8, 1.25)
      const isLast = k === texts.length - 1
      const mark = isLast ? chance.pick(speech.stops) : k > 2 && chance.chance(0.12) ? speech.comma : ''
      words.push({ text, mark, start: now, end, speaker, turn })
      const pause = isLast
        ? chance.between(0.15, 0.9)
        : mark
          ? chance.between(0.05, 0.4)
          : chance.between(0, 0.04)
      now = end + (chance.chance(0.02) ? 0.5 : 0) + pause
    }
  }
  return words
}

/** Common words come often, as everywhere. */
function sentence(chance: SeededRandom, { words }: LanguageProfile): string[] {
  return Array.from(
    { length: chance.whole(2, 16) },
    () => words[Math.floor(chance.next() ** 2 * words.length)]!,
  )
}

/** Somewhere inside another's turn, in a pause or over his words. */
function backChannel(
  chance: SeededRandom,
  speech: LanguageProfile,
  over: SpokenWord[],
  who: { speaker: number; turn: number },
): SpokenWord[] {
  const texts = chance.pick(speech.backChannels).split(' ')
  let now = over[chance.whole(2, over.length - 2)]!.end + chance.between(-0.1, 0.1)
  return texts.map((text, i) => {
    const start = now
    now += speech.secondsOf(text) * 0.9
    return { text, mark: i === texts.length - 1 ? speech.stops[0]! : '', start, end: now, ...who }
  })
}
