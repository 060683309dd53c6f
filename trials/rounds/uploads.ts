// Uploads over lines that break, to a server that is killed: each arrives whole, and little of it is sent twice.
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { fixture } from '../../test/support/e2e/system.ts'
import { callTool } from '../core/call.ts'
import { type HttpDoor, openHttp } from '../core/http.ts'
import { startProvider } from '../core/provider.ts'
import type { Random } from '../core/random.ts'
import type { Round, Trial } from '../core/round.ts'
import { untilIdle } from '../core/tally.ts'

const breaksOfUpload = 12
const killShare = 0.15
/** Bytes that the server had not written when the line broke are sent again: its buffers, for each break. */
const maxTwiceBytes = 128_000
/** A server that hangs fails the try. */
const answerMs = 30_000
const tus = { 'tus-resumable': '1.0.0' }

interface Server {
  door: HttpDoor
  /** Kills it, and starts another one with the same folders. */
  restart(): Promise<void>
}

export const uploads: Round = {
  name: 'uploads',
  summary: `uploads whose line breaks ${breaksOfUpload} times, to a server that is killed (40; quick: 4)`,
  async run(trial) {
    const { tally } = trial
    const provider = await startProvider()
    const home = trial.home('home', { provider: provider.url })
    const open = () => openHttp({ env: home.env }, '2026-07-28')
    const server: Server = {
      door: await open(),
      async restart() {
        await server.door.kill()
        server.door = await open()
      },
    }
    let [sent, bytes] = [0, 0]
    const size = trial.size(40, 4)
    for (let i = 0; i < size; i++)
      await tally.attempt(`upload ${i}`, async () => {
        const outcome = await sendBroken(trial, server)
        if (typeof outcome === 'string') return outcome
        sent += outcome.sent
        bytes += outcome.bytes
        return undefined
      })
    const twice = (sent - bytes) / (size * breaksOfUpload)
    const perBreak = `${(twice / 1000).toFixed(0)} kB sent twice for each break`
    tally.note(`${(bytes / 1e6).toFixed(0)} MB, ${perBreak}`)
    if (twice > maxTwiceBytes) tally.fail(perBreak)
    await untilIdle(server.door, home)
    tally.leftAt(server.door, home)
    await tally.end(server.door)
    await provider.close()
  },
}

/** The bytes that were sent, or what is wrong. */
async function sendBroken(
  { random, tally }: Trial,
  server: Server,
): Promise<string | { sent: number; bytes: number }> {
  const file = await recording(random)
  const asked = await callTool(server.door, 'request_upload', { name: 'meeting.m4a' }, tally)
  if (asked.fault || asked.isError) return asked.fault ?? asked.text
  const { pathname } = new URL(asked.data.url)
  const ask = (method: string, headers: Record<string, string | number> = {}) =>
    answer(new URL(pathname, server.door.url), method, headers)
  const named = `filename ${Buffer.from('meeting.m4a').toString('base64')}`
  const began = await ask('POST', { ...tus, 'upload-length': file.length, 'upload-metadata': named })
  if (began.statusCode !== 201) return `begun with status ${began.statusCode}`
  let [sent, offset, furthest] = [0, 0, 0]
  for (let i = 0; i < breaksOfUpload; i++) {
    const length = random.below((2 * (file.length - offset)) / (breaksOfUpload - i))
    const end = Math.min(file.length - 1, offset + length)
    await sendAndBreak(new URL(pathname, server.door.url), file, offset, end)
    sent += end - offset
    // Bytes of an earlier connection may still arrive.
    furthest = Math.max(furthest, end)
    if (random.chance(killShare)) await server.restart()
    const kept = await offsetOf(ask)
    if (kept === undefined) return `no offset after break ${i}`
    if (kept < offset || kept > furthest) return `offset ${kept} after ${offset} to ${end} were sent`
    offset = kept
  }
  const sendRest = (from: number) => {
    sent += file.length - from
    const headers = { ...tus, ...patch, 'upload-offset': from, 'content-length': file.length - from }
    return answer(new URL(pathname, server.door.url), 'PATCH', headers, file.subarray(from))
  }
  let whole = await sendRest(offset)
  // Bytes of an earlier connection came meanwhile.
  for (let i = 0; i < 10 && whole.statusCode === 409; i++) whole = await sendRest((await offsetOf(ask)) ?? 0)
  const hash = `sha-256=:${createHash('sha256').update(file).digest('base64')}:`
  if (whole.headers['repr-digest'] !== hash) return `other bytes arrived (status ${whole.statusCode})`
  const audio = whole.headers['upload-address']
  const heard = await callTool(server.door, 'transcribe_audio', { audio, wait_seconds: 60 }, tally)
  if (heard.fault || heard.isError) return heard.fault ?? heard.text
  return { sent, bytes: file.length }
}

const patch = { 'content-type': 'application/offset+octet-stream' }

/** A recording that no other try has: behind the film, a box of MP4 that players skip. */
async function recording(random: Random): Promise<Buffer> {
  const film = await readFile(fixture('meeting.m4a'))
  const spare = Buffer.alloc(8 + 1_000 * (1 + random.below(500)))
  spare.writeUInt32BE(spare.length)
  spare.write('free', 4, 'latin1')
  random.bytes(32).copy(spare, 8)
  return Buffer.concat([film, spare])
}

/** Another connection may still hold the upload for a moment. */
async function offsetOf(
  ask: (method: string, headers?: Record<string, string>) => Promise<IncomingMessage>,
): Promise<number | undefined> {
  for (let i = 0; i < 50; i++) {
    const { statusCode, headers } = await ask('HEAD', tus)
    if (statusCode === 200) return Number(headers['upload-offset'])
    if (statusCode !== 423) return undefined
    await sleep(20)
  }
  return undefined
}

async function answer(
  url: URL,
  method: string,
  headers: Record<string, string | number>,
  body?: Buffer,
): Promise<IncomingMessage> {
  const request = httpRequest(url, { method, headers, signal: AbortSignal.timeout(answerMs) })
  request.end(body)
  const [response] = (await once(request, 'response')) as [IncomingMessage]
  await text(response)
  return response
}

/** Announces all of the rest, sends the bytes from `start` to `end`, and cuts the line. */
async function sendAndBreak(url: URL, file: Buffer, start: number, end: number): Promise<void> {
  const length = file.length - start
  const headers = { ...tus, ...patch, 'upload-offset': start, 'content-length': length }
  const request = httpRequest(url, { method: 'PATCH', headers })
  request.on('error', () => {})
  await new Promise(resolve => request.write(file.subarray(start, end), resolve))
  request.destroy()
}
