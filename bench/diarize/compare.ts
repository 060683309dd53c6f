// Scores the alignment and the baselines over many conversations, and checks the targets.

import type { FileRecognition } from '../../src/domain/ports.ts'
import { align } from '../../src/pipeline/diarization/align.ts'
import { bySentence, byWord, type Labels } from './baselines.ts'
import { generateConversation } from './conversation.ts'
import { type Noise, type RecognisedConversation, recogniseConversation } from './recognitions.ts'
import { edits, wrongWords } from './score.ts'

/** `ours` and `one pass` are the product; the others are baselines over two passes. */
export const methods = ['ours', 'one pass', 'sentence', 'word', 'word, nearest'] as const
export type Method = (typeof methods)[number]

export interface Row {
  noise: Noise
  /** Shares, from 0 to 1. */
  wder: Record<Method, number>
  cpwer: Record<Method, number>
  /** WDER of the oracle: the labels of the speaker model for the words that it recognised, and none for the others. */
  floor: number
  /** One sentence for each missed target. */
  missed: string[]
}

/** Above this share there are no words to match: the result is shown, but has no target. */
const maxGarbledShare = 0.5
/** The WDER of two passes with the noise of 200 ms, 800 ms and turns. */
const maxOnePassWder = 0.0206
const none = { jitter: 0, offset: 0, garbled: 0, merged: 0, missing: 0 }
const words = { ...none, garbled: 0.1 }
const turns = { merged: 0.15, missing: 0.1 }

export const noises: Noise[] = [
  { ...none, name: 'none' },
  { ...words, name: 'words garbled' },
  { ...words, name: 'jitter 100 ms', jitter: 0.1 },
  { ...words, name: 'jitter 200 ms', jitter: 0.2 },
  { ...words, name: 'jitter 300 ms', jitter: 0.3 },
  { ...words, name: 'offset 300 ms', offset: 0.3 },
  { ...words, name: 'offset 800 ms', offset: 0.8 },
  { ...words, name: 'offset 2 s', offset: 2 },
  { ...none, name: 'words all wrong, 200 ms', jitter: 0.2, garbled: 1 },
  { ...words, ...turns, name: 'turns merged, missing' },
  { ...words, ...turns, name: '100 ms, 300 ms, turns', jitter: 0.1, offset: 0.3 },
  { ...words, ...turns, name: '200 ms, 800 ms, turns', jitter: 0.2, offset: 0.8 },
  { ...words, ...turns, name: '300 ms, 2 s, turns', jitter: 0.3, offset: 2 },
]

const assign: Record<Method, (recognised: RecognisedConversation) => Labels | Promise<Labels>> = {
  ours: ({ speakerPass, textPass, duration }) => aligned(speakerPass, textPass, duration),
  'one pass': ({ onePass, duration }) => aligned(onePass, onePass, duration),
  sentence: ({ speakerPass, textPass }) => bySentence(speakerPass, textPass),
  word: ({ speakerPass, textPass }) => byWord(speakerPass, textPass, false),
  'word, nearest': ({ speakerPass, textPass }) => byWord(speakerPass, textPass, true),
}

async function aligned(
  speakerPass: FileRecognition,
  textPass: FileRecognition,
  duration: number,
): Promise<Labels> {
  const { segments } = await align(speakerPass, textPass, duration)
  return segments.flatMap(({ words = [], speaker }) =>
    words.map(() => (speaker ? Number(speaker.slice(1)) : null)),
  )
}

/** The same conversations for each noise, `count` of them. */
export async function compare(noise: Noise, count: number): Promise<Row> {
  const wrong = { ours: 0, 'one pass': 0, sentence: 0, word: 0, 'word, nearest': 0 }
  const edited = { ...wrong }
  let [total, oracleErrors] = [0, 0]
  for (let seed = 1; seed <= count; seed++) {
    const recognised = recogniseConversation(generateConversation(seed), noise, seed)
    total += recognised.truth.length
    oracleErrors += wrongWords(recognised.truth, recognised.oracle)
    for (const method of methods) {
      const labels = await assign[method](recognised)
      const [pass, truth] =
        method === 'one pass'
          ? [recognised.onePass, recognised.onePassTruth]
          : [recognised.textPass, recognised.truth]
      const texts = pass.sentences.flatMap(({ words = [] }) => words.map(word => word.text.trim()))
      wrong[method] += wrongWords(truth, labels)
      edited[method] += edits(texts, truth, labels)
    }
  }
  const wder = shares(wrong, total)
  const floor = oracleErrors / total
  return { noise, wder, cpwer: shares(edited, total), floor, missed: missedBy(noise, wder) }
}

function shares(counts: Record<Method, number>, total: number): Record<Method, number> {
  return Object.fromEntries(methods.map(method => [method, counts[method] / total])) as Record<Method, number>
}

/** Targets: a limit without noise and with little noise, and half of the better baseline with any noise. */
function missedBy({ jitter, offset, garbled, name }: Noise, wder: Record<Method, number>): string[] {
  const best = Math.min(wder.sentence, wder.word, wder['word, nearest'])
  const missed: string[] = []
  const check = (limit: number, reason: string) => {
    if (wder.ours > limit)
      missed.push(`${name}: WDER ${percent(wder.ours)}, but at most ${percent(limit)} (${reason})`)
  }
  if (garbled > maxGarbledShare) return missed
  if (wder['one pass'] > maxOnePassWder)
    missed.push(
      `${name}: one pass has WDER ${percent(wder['one pass'])}, but at most ${percent(maxOnePassWder)}`,
    )
  if (name === 'none') check(0.01, 'no noise')
  else check(best / 2, 'half of the better baseline')
  if (jitter <= 0.2 && offset <= 0.8) check(0.03, 'up to 200 ms and 800 ms')
  return missed
}

export function percent(share: number): string {
  return `${(100 * share).toFixed(2)} %`
}
