// The home page in a real browser: titles that look like HTML, keyboard and rights. `npm run test:home` does more.
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it, vi } from 'vitest'
import { createSeals } from '../../../src/server/http/pages/seals.ts'
import { closedAfterEach } from '../../support/closed-after-each.ts'
import { hasChromium, openPage } from '../../support/servers/chromium.ts'
import { uploadServersOfEachTest } from '../../support/servers/upload-server.ts'
import { transcript } from '../../support/transcripts.ts'

const serve = uploadServersOfEachTest()
const browse = closedAfterEach(openPage)
const eventually = { timeout: 20_000, interval: 50 }

const titles = [
  '</h3><img src=x onerror=alert(1)>',
  '<script>document.title = "taken"</script>',
  'عنوان طويل',
  'a&lt;b',
]

describe.skipIf(!hasChromium)('the home page', () => {
  it('titles are text, whatever they hold, and the page complains of nothing', async () => {
    const server = await serve()
    server.jobs.search = async () => ({
      transcripts: titles.map((title, i) => ({ ...transcript({ id: `tr_${i}`, title }) })),
    })
    const page = await browse(new URL('/', server.url).href)
    const shown = () =>
      page.evaluate(`[...document.querySelectorAll('#list h3')].map(one => one.textContent)`)
    await vi.waitFor(async () => expect(await shown()).toEqual(titles), eventually)
    expect(await page.evaluate(`document.querySelectorAll('#list img, #list script').length`)).toBe(0)
    expect(await page.evaluate('document.title')).toBe('Recordings')
    expect(page.complaints).toEqual([])
  })

  it('a list that was loaded again keeps the focus, and new transcripts stand before it', async () => {
    const server = await serve()
    const one = (id: string) => ({ ...transcript({ id: `tr_${id}`, title: id }) })
    server.jobs.search = async () => ({ transcripts: [one('old')] })
    const page = await browse(new URL('/', server.url).href)
    const shown = () =>
      page.evaluate(`[...document.querySelectorAll('#list h3')].map(one => one.textContent)`)
    await vi.waitFor(async () => expect(await shown()).toEqual(['old']), eventually)
    await page.evaluate(`document.querySelector('#list h3 a').focus()`)
    server.jobs.search = async () => ({ transcripts: [one('new'), one('old')] })
    await vi.waitFor(() => expect(server.jobs.listeners()).toBeGreaterThan(1), eventually)
    server.jobs.emitChange({ owner: 'local', id: 'tr_new', listChanged: true })
    await vi.waitFor(async () => expect(await shown()).toEqual(['new', 'old']), eventually)
    expect(await page.evaluate('document.activeElement.textContent')).toBe('old')
  })

  it('the button for more reads the next page alone, and a change reads again all that is shown', async () => {
    const server = await serve()
    const one = (id: number) => ({ ...transcript({ id: `tr_${id}`, title: String(id) }) })
    const asked: (string | undefined)[] = []
    let first = 1
    server.jobs.search = async (_owner, _query, { cursor }) => {
      asked.push(cursor)
      const id = cursor === undefined ? first : Number(cursor)
      return { transcripts: [one(id)], nextCursor: String(id + 1) }
    }
    const page = await browse(new URL('/', server.url).href)
    const shown = () =>
      page.evaluate(`[...document.querySelectorAll('#list h3')].map(one => one.textContent).join(' ')`)
    const showMore = () => page.evaluate(`document.getElementById('more').click()`)
    await vi.waitFor(async () => expect(await shown()).toBe('1'), eventually)
    await showMore()
    await vi.waitFor(async () => expect(await shown()).toBe('1 2'), eventually)
    await showMore()
    await vi.waitFor(async () => expect(await shown()).toBe('1 2 3'), eventually)
    expect(asked).toEqual([undefined, '2', '3'])
    expect(await page.evaluate('document.activeElement.textContent')).toBe('3')
    await vi.waitFor(() => expect(server.jobs.listeners()).toBeGreaterThan(1), eventually)
    first = 0
    server.jobs.emitChange({ owner: 'local', id: 'tr_0', listChanged: true })
    await vi.waitFor(async () => expect(await shown()).toBe('0 1 2'), eventually)
    expect(asked.slice(3)).toEqual([undefined, '1', '2'])
  })

  describe('for a keyboard', () => {
    async function open() {
      const server = await serve()
      const one = { ...transcript({ id: 'tr_one', title: 'one' }) }
      server.jobs.search = async () => ({ transcripts: [one] })
      server.jobs.rename = async (_owner, _id, { title }) => Object.assign(one, { title })
      const running = new Set<string>()
      server.jobs.unfinished = async () =>
        [...running].map(title => {
          const progress = { done: 0, message: '' }
          return { id: `tr_${title}`, tool: 'transcribe_audio', title, state: 'running', progress }
        })
      const page = await browse(new URL('/', server.url).href)
      const focused = () =>
        page.evaluate('document.activeElement.ariaLabel || document.activeElement.id') as Promise<string>
      const until = (condition: string) =>
        vi.waitFor(async () => expect(await page.evaluate(condition)).toBe(true), eventually)
      await until(`document.querySelector('#list h3') !== null`)
      await vi.waitFor(() => expect(server.jobs.listeners()).toBeGreaterThan(1), eventually)
      return {
        ...{ page, focused, until },
        /** Elsewhere, not at this page. */
        async changeTitle(title: string) {
          one.title = title
          server.jobs.emitChange({ owner: 'local', id: 'tr_one', listChanged: true })
          await until(`document.querySelector('#list h3').textContent === '${title}'`)
        },
        async show(...titles: string[]) {
          running.clear()
          for (const title of titles) running.add(title)
          server.jobs.emitChange({ owner: 'local', id: 'tr_one', listChanged: false })
          await until(`document.querySelectorAll('#jobs li').length === ${titles.length}`)
        },
      }
    }

    it('the focus stays where entries before it go, and moves on from one that goes itself', async () => {
      const { page, focused, show } = await open()
      await show('first', 'second', 'third')
      await page.evaluate(`document.querySelector('[aria-label="Cancel second"]').focus()`)
      await show('second', 'third')
      expect(await focused()).toBe('Cancel second')
      await show('third')
      expect(await focused()).toBe('Cancel third')
      await show()
      expect(await focused()).toBe('transcripts-title')
    })

    it('the focus stays at the button of an entry that is drawn again', async () => {
      const { page, focused, until } = await open()
      const button = `document.querySelector('[aria-label="Rename one"]')`
      await page.evaluate(`${button}.focus(); ${button}.click()`)
      await page.evaluate(`document.getElementById('new-title').value = 'two'`)
      await page.evaluate(`document.querySelector('#rename button').click()`)
      await until(`document.querySelector('#list h3').textContent === 'two'`)
      expect(await focused()).toBe('Rename two')
    })

    it('an open list of files stays open, with the focus, where its entry is drawn again', async () => {
      const { page, changeTitle } = await open()
      await page.evaluate(`document.querySelector('#list details').open = true`)
      await page.evaluate(`document.querySelectorAll('#list details a')[1].focus()`)
      const format = await page.evaluate('document.activeElement.textContent')
      await changeTitle('two')
      expect(await page.evaluate('document.activeElement.textContent')).toBe(format)
      expect(await page.evaluate(`document.querySelector('#list details a').checkVisibility()`)).toBe(true)
    })

    it('the focus comes back from a question to an entry that was drawn again meanwhile', async () => {
      const { page, focused, until, changeTitle } = await open()
      const button = `document.querySelector('[aria-label="Delete one"]')`
      await page.evaluate(`${button}.focus(); ${button}.click()`)
      await changeTitle('two')
      await page.evaluate(`document.querySelector('#delete button:not([value=yes])').click()`)
      await until(`!document.getElementById('delete').open`)
      await vi.waitFor(async () => expect(await focused()).toBe('Delete two'), eventually)
    })

    it('the focus moves on from an upload that is stopped', async () => {
      const { page, focused, until } = await open()
      await page.evaluate(`const given = new DataTransfer()
        for (const name of ['a.wav', 'b.wav']) given.items.add(new File(['x'], name))
        document.getElementById('files').files = given.files
        document.getElementById('files').dispatchEvent(new Event('change'))`)
      for (const next of ['Remove b.wav', 'files']) {
        await until(`document.querySelectorAll('#uploads progress').length === 0`)
        const button = `document.querySelector('#uploads li > button')`
        await page.evaluate(`${button}.focus(); ${button}.click()`)
        expect(await focused()).toBe(next)
      }
    })
  })

  describe('of several people', () => {
    const tokens = ['ann', 'bob'].map(name => ({ name, token: `${name}-0123456789abcdef` }))
    const seals = createSeals(async () => Buffer.alloc(32, 1))

    async function open() {
      const clock = { moved: 0 }
      const server = await serve({ tokens, seals, limits: { now: () => Date.now() + clock.moved } })
      const page = await browse(new URL('/', server.url).href)
      const until = (condition: string) =>
        vi.waitFor(async () => expect(await page.evaluate(condition)).toBe(true), eventually)
      const form = `document.getElementById('token-form').checkVisibility()`
      return {
        ...{ server, page, clock, until, form },
        async signIn(name: string) {
          await until(form)
          await page.evaluate(`document.getElementById('token').focus()`)
          await page.evaluate(`document.getElementById('token').value = '${name}-0123456789abcdef'`)
          await page.evaluate(`document.getElementById('token-form').requestSubmit()`)
          await until(`document.getElementById('list').innerText.includes('What ${name} said')`)
        },
      }
    }

    it('after a sign-out nothing of the owner stays on the page', async () => {
      const { page, signIn, until, form } = await open()
      await signIn('ann')
      expect(await page.evaluate('document.activeElement.id')).toBe('transcripts-title')
      expect(await page.evaluate('document.cookie')).toBe('')
      await page.evaluate(`document.getElementById('query').value = 'words of ann'`)
      await page.evaluate(`document.getElementById('sign-out').click()`)
      await until(form)
      expect(await page.evaluate('document.body.innerText')).not.toMatch(/ann/)
      expect(await page.evaluate(`document.getElementById('query').value`)).toBe('')
    })

    it('work that the end of a session has stopped goes on for its owner alone', async () => {
      const { server, page, clock, signIn, until, form } = await open()
      await signIn('ann')
      clock.moved = 13 * 3600_000
      const chosen = `const given = new DataTransfer()
        given.items.add(new File(['private'], 'of-ann.wav'))
        document.getElementById('files').files = given.files
        document.getElementById('files').dispatchEvent(new Event('change'))
        document.getElementById('query').value = 'words of ann'`
      await page.evaluate(chosen)
      await until(form)
      await until(`document.body.innerText.includes('of-ann.wav')`)
      await signIn('bob')
      expect(await page.evaluate('document.body.innerText')).not.toMatch(/ann/)
      expect(await page.evaluate(`document.getElementById('query').value`)).toBe('')
      expect(await page.evaluate('Object.keys(sessionStorage).length')).toBe(0)
      expect(await readdir(join(server.folder, 'uploads')).catch(() => [])).toEqual([])
    })
  })
})
