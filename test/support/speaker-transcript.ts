// A transcript of two speakers, for tests of text, exports and tools.
import type { Segment } from '../../src/domain/transcript.ts'
import { segment, transcript } from './transcripts.ts'

export type Spoken = [speaker: string | null, text: string, start: number, end: number]

export const spokenSegments = (...spoken: Spoken[]): Segment[] =>
  spoken.map(([speaker, text, start, end]) => ({ ...segment(text, start, end), speaker, estimated: false }))

export const alice = { id: 'S1', name: 'Alice', seconds: 7.5, share: 0.75 }
export const second = { id: 'S2', seconds: 2.5, share: 0.25 }

export const talk = transcript({
  id: 'tr_talk',
  title: 'Budget talk',
  speakers: [alice, second],
  upload: 'bucket',
  alignment: { offset: 0.31, matched: 0.92, unassigned: 0.02, timeOnly: 0.03 },
  segments: spokenSegments(
    ['S1', 'Shall we begin?', 0, 2],
    ['S1', 'The budget first.', 4.5, 6],
    ['S2', 'It is fine.', 6.1, 7],
    [null, 'Mhm.', 7.1, 7.4],
    ['S1', 'Good.', 7.5, 9],
  ),
})
