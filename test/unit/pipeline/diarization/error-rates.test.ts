// Error rates of the alignment over generated conversations with noise.
import { describe, expect, it } from 'vitest'
import { compare, noises } from '../../../../bench/diarize/compare.ts'

describe('aligned conversations', () => {
  const promised = ['none', 'jitter 200 ms', 'offset 800 ms', '200 ms, 800 ms, turns', '300 ms, 2 s, turns']
  it.each(noises.filter(({ name }) => promised.includes(name)))(
    'keeps the promised error rate with noise: $name',
    async noise => {
      expect((await compare(noise, 12)).missed).toEqual([])
    },
  )
})
