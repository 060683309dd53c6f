// Downloads that take too long, and servers that ask to wait.
import { once } from 'node:events'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { createDownloader } from '../../../../src/drivers/download/download.ts'
import { log } from '../../../../src/log.ts'
import { type TempFolder, tempFolder } from '../../../support/e2e/system.ts'
import { anyAddress, downloadFailure, megabyte } from '../../../support/servers/download-server.ts'
import { certificate, type HttpsServer, startHttpsServer } from '../../../support/servers/https-server.ts'

let server: HttpsServer
let folder: TempFolder

beforeAll(async () => {
  server = await startHttpsServer()
  folder = await tempFolder()
})
afterAll(async () => {
  await server.close()
  await folder.remove()
})

const signal = new AbortController().signal
const impatient = { idleSeconds: 0.1, totalSeconds: 0.15, minBytesPerSecond: 1_000_000 }

function downloader(deadline?: typeof impatient) {
  return createDownloader({
    allows: anyAddress,
    ca: certificate,
    firstDelaySeconds: 0.001,
    ...(deadline && { deadline }),
  })
}
const download = (url: string, deadline?: typeof impatient) =>
  downloader(deadline).download(url, join(folder.path, 'recording'), { maxBytes: megabyte, signal })

it.each<[string, string, (socketWrite: (text: string) => void) => void]>([
  ['says nothing', 'could not be downloaded', () => {}],
  [
    'sends its headers one by one',
    'could not be downloaded',
    write => write(`HTTP/1.1 200 OK\r\nx-${Math.random()}: 1\r\n`),
  ],
  ['sends the recording drop by drop', 'too slowly', write => write('1\r\nx\r\n')],
])('a server that %s is given up, with its connection', async (_, told, send) => {
  let close = () => {}
  const closed = new Promise<void>(resolve => {
    close = resolve
  })
  const url = server.serve('/slow', (response, { socket }) => {
    const isBody = told === 'too slowly'
    if (isBody) socket.write('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n')
    const timer = setInterval(() => send(text => socket.write(text)), 20)
    socket.on('error', () => {})
    socket.once('close', () => {
      clearInterval(timer)
      close()
    })
    response.on('error', () => {})
  })
  const error = await downloadFailure(download(url, impatient))
  expect(error).toMatchObject({ code: 'DOWNLOAD_FAILED' })
  expect(error.message).toContain(told)
  await closed
})

it.each([429, 503])('a server that answers %i and asks to wait is asked again after that', async status => {
  const info = vi.spyOn(log, 'info').mockImplementation(() => {})
  const replies = [1, 0]
  const url = server.serve('/busy', response =>
    replies.shift() ? response.writeHead(status, { 'retry-after': '0.05' }).end() : response.end('sound'),
  )
  expect(await download(url)).toBe(5)
  expect(info).toHaveBeenCalledWith('retry', expect.objectContaining({ asked: 0.05, delay: 0.05 }))
})

it('a server that asks for hours is told of, and the identity of a recording is not waited for', async () => {
  const url = server.serve('/busy', response => response.writeHead(429, { 'retry-after': '7200' }).end())
  const error = await downloadFailure(downloader().identify(url, { maxBytes: megabyte, signal }))
  expect(error.message).toBe('The server responded with status 429. It asks to wait 2 hours.')
})

it('a fast server may send more than fits into the time of a slow one', async () => {
  const body = Buffer.alloc(900_000)
  const url = server.serve('/fast', async response => {
    response.write(body.subarray(0, 500_000))
    await new Promise(resolve => setTimeout(resolve, 200))
    response.end(body.subarray(500_000))
    await once(response, 'close')
  })
  // The bytes that have come give it 50 s.
  const patient = { ...impatient, idleSeconds: 5, minBytesPerSecond: 10_000 }
  expect(await download(url, patient)).toBe(body.length)
})
