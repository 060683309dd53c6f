// The part of a context that a model gets: its form, its limits, and its losses.
import { describe, expect, it } from 'vitest'
import { knownModels } from '../../../../src/domain/models/catalog.ts'
import { contextFor } from '../../../../src/domain/models/context.ts'
import { readTerms } from '../../../../src/domain/terms.ts'

const sent = (model: string, context: string) => contextFor(model, knownModels.find(model, 'words'), context)
const onePass = 'qwen-audio-3.1-asr-flash-filetrans'

describe('the terms of a context', () => {
  it.each([
    ['Anja, Kubernetes, OKR', ['Anja', 'Kubernetes', 'OKR']],
    ['Names: Anja Müller, Bob\nTerms: OKR; K8s', ['Anja Müller', 'Bob', 'OKR', 'K8s']],
    ['- Two-phase commit\n2. “Jev”\n\n', ['Two-phase commit', 'Jev']],
    ['阿里云、语音、钉钉', ['阿里云', '语音', '钉钉']],
    ['Kubernetes', ['Kubernetes']],
  ])('%j is a list', (context, terms) => {
    expect(readTerms(context)).toEqual({ isList: true, terms })
  })

  it.each([
    ['A meeting about Kubernetes, with Anja and anja.', ['Kubernetes', 'Anja']],
    [
      'Yesterday the team of Dr. Smith met. Our guest is Ludwig van Beethoven.',
      ['Dr', 'Smith', 'Ludwig van Beethoven'],
    ],
    ['We use gRPC, GPT-4 and "two phase commit" here.', ['gRPC', 'GPT-4', 'two phase commit']],
    ['Kubernetes came up; how we run Kubernetes is the topic of today.', ['Kubernetes']],
    ['欢迎使用「阿里云」语音服务。', ['阿里云']],
    ['nothing in particular is talked about in this one', []],
  ])('in %j names and terms stand out', (context, terms) => {
    expect(readTerms(context)).toEqual({ isList: false, terms })
  })
})

describe('a context', () => {
  it('a model without hotwords gets all of it as text', () => {
    expect(sent('qwen3-asr-flash-filetrans', ' Anja, OKR ')).toEqual({ text: 'Anja, OKR', losses: [] })
  })

  it('a model that takes none says so', () => {
    const { text, vocabulary, losses } = sent('fun-asr', 'Anja, OKR')
    expect({ text, vocabulary }).toEqual({})
    expect(losses).toEqual([expect.stringMatching(/^fun-asr takes no names or terms/)])
  })

  it('a term that is too long for the vocabulary is sent as text', () => {
    const long = ['Donaudampfschifffahrtsgesellschaftskapitänin', 'one two three four five six seven eight']
    const short = ['Donau', 'one two three', 'ä'.repeat(15), 'OKR', 'Bob', 'Eva']
    expect(sent(onePass, [long[0], ...short].join('\n'))).toEqual({
      text: long[0],
      vocabulary: Object.fromEntries(short.map(term => [term, 4])),
      losses: [],
    })
    expect(sent(onePass, [long[1], ...short].join('\n')).vocabulary).not.toHaveProperty(long[1]!)
  })

  it('more than 2,000 terms and more than 400 characters are named as lost', () => {
    const { text, vocabulary, losses } = sent(
      onePass,
      Array.from({ length: 2100 }, (_, i) => `t${i}`).join(','),
    )
    expect(Object.keys(vocabulary!)).toHaveLength(2000)
    expect(text!.length).toBeLessThanOrEqual(400)
    expect(text).toMatch(/^t2000, t2001, .*, t20\d\d$/)
    expect(losses).toEqual([
      expect.stringMatching(/did not get “t20\d\d”, .* and \d\d more: too long, or more/),
    ])
  })

  it('a text is cut between words and characters, not within', () => {
    const { text } = sent(onePass, `a ${'word and '.repeat(60)}`)
    expect(text).toMatch(/ (word|and)$/)
    expect([...sent(onePass, '🎙'.repeat(500)).text!]).toHaveLength(400)
  })
})
