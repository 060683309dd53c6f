// Pages that many read at once: they take turns, apart from the calls of their owner, and end with the server.
import { once } from 'node:events'
import { describe, expect, it, vi } from 'vitest'
import type { TranscriptClip } from '../../../src/jobs/jobs.ts'
import { openSession } from '../../support/e2e/http.ts'
import { pageServersOfEachTest } from '../../support/servers/page-server.ts'
import { transcript } from '../../support/transcripts.ts'

const serve = pageServersOfEachTest()

/** Clips that are made when the test says so. */
function heldClips() {
  const held: { finish(): void; signal: AbortSignal }[] = []
  let isOpen = false
  const clip = (_owner: string, id: string, { signal }: { signal: AbortSignal }) =>
    new Promise<TranscriptClip>((resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason))
      const made = { audio: Buffer.from('MP3'), start: 0, end: 2, transcript: transcript({ id }) }
      const finish = () => resolve(made)
      held.push({ signal, finish })
      if (isOpen) finish()
    })
  const finishAll = () => {
    isOpen = true
    for (const { finish } of held) finish()
  }
  return { held, clip, finishAll }
}

describe('pages that are read at once', () => {
  it('a page that asks for 30 pieces leaves the calls of its owner alone', async () => {
    const { held, clip, finishAll } = heldClips()
    const server = await serve({ changes: { clip }, limits: { maxRequestsPerOwner: 4 } })
    const url = await server.address()
    const pieces = Array.from({ length: 30 }, (_, i) => fetch(`${url}audio?from=${i}`))
    await vi.waitFor(() => expect(held.length).toBe(4))
    const session = await openSession(server.url)
    const called = await session.ask({ id: 5, method: 'tools/list' })
    expect(called.result).toBeDefined()
    finishAll()
    expect((await Promise.all(pieces)).map(({ status }) => status)).toEqual(Array(30).fill(200))
  })

  it('a reader who leaves gives up the turn and the clip, and the next one has it', async () => {
    const { held, clip } = heldClips()
    const server = await serve({ changes: { clip } })
    const url = await server.address()
    const gone = new AbortController()
    const left = Array.from({ length: 4 }, (_, i) => fetch(`${url}audio?from=${i}`, { signal: gone.signal }))
    await vi.waitFor(() => expect(held.length).toBe(4))
    const next = fetch(`${url}audio?from=9`)
    const aborted = held.map(({ signal }) => once(signal, 'abort'))
    gone.abort()
    await Promise.allSettled(left)
    await Promise.all(aborted)
    await vi.waitFor(() => expect(held.length).toBe(5))
    held[4]!.finish()
    expect((await next).status).toBe(200)
  })

  it('where hundreds wait, further ones are told to come back', async () => {
    const { clip, finishAll } = heldClips()
    const server = await serve({ changes: { clip } })
    const url = await server.address()
    const all = Array.from({ length: 110 }, (_, i) => fetch(`${url}audio?from=${i}`))
    const refused = await Promise.race(all)
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '5'])
    finishAll()
    const statuses = (await Promise.all(all)).map(({ status }) => status)
    expect(statuses.filter(status => status === 200).length).toBeGreaterThanOrEqual(104)
  })

  it('a server that stops takes no new reader, and ends what is open', async () => {
    const { held, clip } = heldClips()
    const server = await serve({ changes: { clip }, limits: { shutdownTimeoutMs: 50 } })
    const url = await server.address()
    const open = fetch(`${url}audio?from=0`).catch(() => 'closed')
    await vi.waitFor(() => expect(held.length).toBe(1))
    await server.close(async () => {
      const refused = await fetch(url)
      expect([refused.status, await refused.text()]).toEqual([503, expect.stringContaining('is stopping')])
    })
    expect(await open).toBe('closed')
    await expect(fetch(url)).rejects.toThrow()
  })
})
