// A transcript of what players get wrong: marks of markup, names, scripts without spaces, fast answers.
import type { Segment } from '../../src/domain/transcript.ts'
import { transcript } from '../support/transcripts.ts'

let at = 0.5
const said = (speaker: string, joiner: string, ...texts: string[]): Segment => {
  const start = at
  const words = texts.map(text => {
    const word = { text, start: at, end: at + 0.3 }
    at += 0.4
    return word
  })
  at += 0.8
  return { text: texts.join(joiner), start, end: at - 0.9, estimated: false, speaker, words }
}

export const players = transcript({
  speakers: [
    { id: 'S1', name: 'Ann & Bob', seconds: 1, share: 0.5 },
    { id: 'S2', name: 'Zoë', seconds: 1, share: 0.5 },
  ],
  segments: [
    said('S1', ' ', 'If', 'alpha', '<', 'beta', 'and', 'gamma', '>', 'delta', 'then', 'stop.'),
    said('S2', ' ', 'Take', 'List<String>', 'or', '<video>', 'tags.'),
    said('S1', ' ', 'R&D', 'costs', '&amp;', '{braces}', 'C:\\new', 'path.'),
    said('S2', '', '昨天', '下午', '我', '和', '王', '老师', '去了', '杭州', '的', '茶园。'),
    said('S1', '', 'สวัสดี', 'ครับ', 'อากาศ', 'ดี'),
    said('S2', ' ', 'مرحبا', 'كيف', 'حالك؟'),
    said('S1', ' ', 'Yes.'),
    said('S2', ' ', 'No.'),
    said('S1', ' ', 'Finally', 'it', 'is', 'over.'),
  ],
})
