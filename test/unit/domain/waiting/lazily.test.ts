// Things that are loaded with the first call and kept.
import { expect, it } from 'vitest'
import { lazily } from '../../../../src/domain/waiting/lazily.ts'

it('what is loaded is kept, and what has failed is tried again with the next call', async () => {
  let count = 0
  const page = lazily(async () => {
    if (++count === 1) throw new Error('EMFILE')
    return `page ${count}`
  })
  expect(await page.loaded()).toBeUndefined()
  const first = [page.get(), page.get()]
  expect(await page.loaded()).toBeUndefined()
  for (const one of first) await expect(one).rejects.toThrow('EMFILE')
  expect(await page.loaded()).toBeUndefined()
  expect([await page.get(), await page.get(), await page.loaded()]).toEqual(['page 2', 'page 2', 'page 2'])
})
