// The OSS emulator: injected faults and the upload speed.
import { once } from 'node:events'
import { request } from 'node:http'
import { describe, expect, it, vi } from 'vitest'
import { type OssEmulator, type OssOptions, startOss } from '../../../emulators/oss/oss.ts'
import { closedAfterEach } from '../../support/closed-after-each.ts'
import { clientOf, refusalOf, signedHeaders } from '../../support/emulators/oss-client.ts'

const start = closedAfterEach((options: OssOptions = {}) => startOss(options))

describe('faults', () => {
  const put = (server: OssEmulator, key = 'key') => clientOf(server).put(key, Buffer.from('x'))

  it('an error fault hits the matching requests as often as requested', async () => {
    const server = await start()
    const denied = { status: 403, code: 'AccessDenied', message: 'Forbidden by a policy.' }
    const off = server.fault({ kind: 'error', ...denied, when: ({ kind }) => kind === 'delete' })
    server.fault({ kind: 'error', status: 503, code: 'ServiceUnavailable', times: 1, every: 2 })
    await put(server)
    expect(await refusalOf(put(server, 'two'))).toMatchObject({ status: 503, code: 'ServiceUnavailable' })
    await put(server, 'three')
    expect(await refusalOf(clientOf(server).delete('key'))).toMatchObject(denied)
    off()
    await clientOf(server).delete('key')
    expect(server.objects().map(({ key }) => key)).toEqual(['three'])
  })

  it('a drop fault closes the connection before or after the operation', async () => {
    const server = await start()
    server.fault({ kind: 'drop', when: ({ key }) => key === 'before' })
    server.fault({ kind: 'dropAfter', when: ({ key }) => key === 'after' })
    expect(await refusalOf(put(server, 'before'))).toMatchObject({ status: -1 })
    expect(await refusalOf(put(server, 'after'))).toMatchObject({ status: -1 })
    expect(server.objects().map(({ key }) => key)).toEqual(['after'])
  })

  it('an upload whose client disconnects stores nothing', async () => {
    const server = await start()
    const path = '/speech-emulator/half'
    const headers = { ...signedHeaders(server, { method: 'PUT', resource: path }), 'content-length': '1000' }
    const sender = request(`${server.endpoint}${path}`, { method: 'PUT', headers })
    sender.once('error', () => undefined)
    sender.write(Buffer.alloc(500))
    await vi.waitFor(() => expect(server.requests[0]?.bytes).toBe(500), 20_000)
    sender.destroy()
    await vi.waitFor(() => expect(server.requests[0]).toMatchObject({ aborted: true, status: 0 }), 20_000)
    expect(server.objects()).toEqual([])
  })

  it('a hanging request ends when the server closes', async () => {
    const server = await start()
    server.fault({ kind: 'hang', when: ({ key }) => key === 'hangs' })
    server.fault({ kind: 'slow', seconds: 3600, when: ({ key }) => key === 'slow' })
    const calls = ['hangs', 'slow'].map(key => refusalOf(put(server, key)))
    await vi.waitFor(() => expect(server.requests).toHaveLength(2), 20_000)
    await server.close()
    expect(await Promise.all(calls)).toMatchObject([{ status: -1 }, { status: -1 }])
    expect(server.objects()).toEqual([])
  })

  it('uploads are limited to the configured speed', async () => {
    const server = await start({ mbitPerSecond: 0.001 })
    const sender = request(`${server.endpoint}/speech-emulator/slow`, {
      method: 'PUT',
      headers: signedHeaders(server, { method: 'PUT', resource: '/speech-emulator/slow' }),
    })
    // At this speed 100 KB take about 13 minutes.
    sender.end(Buffer.alloc(100_000))
    await vi.waitFor(() => expect(server.requests[0]?.bytes).toBeGreaterThan(0), 20_000)
    const cut = once(sender, 'error')
    expect(server.objects()).toEqual([])
    server.set({ mbitPerSecond: undefined })
    await put(server, 'fast')
    expect(server.objects().map(({ key }) => key)).toEqual(['fast'])
    await server.close()
    await cut
  })
})
