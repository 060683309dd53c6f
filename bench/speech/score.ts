// Scores by sclite, the tool of NIST for recognisers: words that are wrong, lost, doubled or moved.
import { execFileSync } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { HeardWord } from './pocketsphinx.ts'

export interface Score {
  words: number
  /** Wrong, lost and doubled words in a hundred. */
  WER: string
  lost: number
  doubled: number
  /** Found, but at another time. */
  moved: number
}

export const sclite = ['/usr/lib/sctk/bin/sclite', '/usr/bin/sclite'].find(existsSync)

/** A word that begins more than `maxSeconds` off has moved. */
export function score(truth: HeardWord[], heard: HeardWord[], folder: string, maxSeconds: number): Score {
  const kinds = align(truth, heard, folder)
  const count = { C: 0, S: 0, D: 0, I: 0, moved: 0 }
  let [i, k] = [0, 0]
  for (const kind of kinds) {
    count[kind]++
    if (kind === 'C' && Math.abs(truth[i]!.start - heard[k]!.start) > maxSeconds) count.moved++
    if (kind !== 'I') i++
    if (kind !== 'D') k++
  }
  return {
    words: truth.length,
    WER: ((100 * (count.S + count.D + count.I)) / truth.length).toFixed(1),
    lost: count.D,
    doubled: count.I,
    moved: count.moved,
  }
}

/** The best path through both texts: each word is correct, substituted, deleted or inserted. */
function align(truth: HeardWord[], heard: HeardWord[], folder: string) {
  const write = (name: string, words: HeardWord[]) => {
    writeFileSync(join(folder, name), `${words.map(({ text }) => text).join(' ')} (talk_1)\n`)
    return [join(folder, name), 'trn']
  }
  const input = ['-r', ...write('truth.trn', truth), '-h', ...write('heard.trn', heard), '-i', 'rm']
  const found = execFileSync(sclite!, [...input, '-o', 'sgml', 'stdout'], {
    encoding: 'utf8',
    maxBuffer: 1e9,
  })
  return [...found.matchAll(/(?<![^\n:])([CSDI]),/g)].map(([, kind]) => kind as 'C' | 'S' | 'D' | 'I')
}
