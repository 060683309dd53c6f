// Sealed texts: they open for their purpose until their end, and no changed or invented one opens.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createSeals, type Purpose } from '../../../../../src/server/http/pages/seals.ts'

const key = (fill: number) => async () => Buffer.alloc(32, fill)
const seals = createSeals(key(1))
const end = 1_800_000_000_000
const payload = 'anja\ntr_0123456789abcdef'
const purposes: Purpose[] = ['page', 'session']

describe('seals', () => {
  it('a text opens for its purpose until its end, and says then that it has ended', async () => {
    const text = await seals.seal('page', payload, end)
    expect(text).toMatch(/^[\w-]{60,100}$/)
    expect(await seals.open('page', text, end - 1)).toEqual({ payload, endsAt: end })
    expect([await seals.open('page', text, end), await seals.open('page', text, end + 1e12)]).toEqual([
      'ended',
      'ended',
    ])
  })

  it('any payload and end come back as they were, for both purposes and in no other one', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...purposes),
        fc.string({ unit: 'binary', maxLength: 200 }),
        fc.integer({ min: 1, max: 4e9 }),
        async (purpose, given, seconds) => {
          const text = await seals.seal(purpose, given, seconds * 1000)
          expect(await seals.open(purpose, text, 0)).toEqual({ payload: given, endsAt: seconds * 1000 })
          const other = purposes.find(one => one !== purpose)!
          expect(await seals.open(other, text, 0)).toBeUndefined()
        },
      ),
      { numRuns: 40 },
    )
  })

  it('of every change of one letter and of every shorter or longer text, none opens', async () => {
    const text = await seals.seal('page', payload, end)
    const letters = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_+/=.%']
    const changed = [...text].flatMap((_, i) =>
      letters.map(letter => text.slice(0, i) + letter + text.slice(i + 1)),
    )
    const cut = [...text].map((_, i) => text.slice(0, i))
    const longer = [...letters, ' ', '\n', '=='].flatMap(more => [text + more, more + text])
    const all = [...changed, ...cut, ...longer, text + text].filter(one => one !== text)
    expect(all.length).toBeGreaterThan(4000)
    const opened = await Promise.all(all.map(one => seals.open('page', one, 0)))
    expect(opened.filter(one => one !== undefined)).toEqual([])
  })

  it('a text of another key and an invented one do not open', async () => {
    const foreign = await createSeals(key(2)).seal('page', payload, end)
    expect(await seals.open('page', foreign, 0)).toBeUndefined()
    for (const text of ['', 'x', 'A'.repeat(78), 'A'.repeat(5000), '../../etc/passwd'])
      expect(await seals.open('page', text, 0)).toBeUndefined()
  })

  it('a text that is too long to open is not made', async () => {
    await expect(seals.seal('page', 'a'.repeat(4000), end)).rejects.toThrow('too long')
    const longest = 'a'.repeat(2950)
    const text = await seals.seal('page', longest, end)
    expect(await seals.open('page', text, 0)).toMatchObject({ payload: longest })
  })

  it('the same arguments give the same text, which shows nothing of them', async () => {
    const text = await seals.seal('page', payload, end)
    expect(await createSeals(key(1)).seal('page', payload, end)).toBe(text)
    expect(await seals.seal('page', payload, end + 1000)).not.toBe(text)
    const bytes = Buffer.from(text, 'base64url').toString('latin1')
    expect([bytes.includes('anja'), bytes.includes('tr_')]).toEqual([false, false])
  })

  it('the key is asked for with each text: it may fail, and another one may take its place', async () => {
    const answers = [undefined, Buffer.alloc(32, 1), Buffer.alloc(32, 1), Buffer.alloc(32, 2)]
    const changing = createSeals(async () => {
      const found = answers.shift()
      if (!found) throw new Error('The bucket does not answer.')
      return found
    })
    expect(answers.length).toBe(4)
    await expect(changing.seal('page', payload, end)).rejects.toThrow('cannot be read')
    const text = await changing.seal('page', payload, end)
    expect(await changing.open('page', text, 0)).toEqual({ payload, endsAt: end })
    expect(await changing.open('page', text, 0)).toBeUndefined()
  })
})
