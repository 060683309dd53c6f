// Recordings that people upload, in the bucket of a team: pieces that any server adds, one after the other.
import { createHash } from 'node:crypto'
import { type FileHandle, open as openFile } from 'node:fs/promises'
import { join } from 'node:path'
import type OSS from 'ali-oss'
import pLimit from 'p-limit'
import { isDiskFull, isSpeechError, SpeechError } from '../../../domain/errors.ts'
import type { ByteStream, UploadRecord, UploadStore } from '../../../domain/network/uploads.ts'
import { freeYoungBuffers } from '../../../system/small-heap.ts'
import { receivedKeys } from '../keys.ts'
import { type OssSession, transferTimeout } from './client.ts'
import { isGone } from './errors.ts'
import { type OssOptions, ossSessions } from './oss.ts'

/** A piece lies in memory until it is stored; what a server that dies had of it is sent again. */
const pieceBytes = 2 << 20
const maxAtOnce = 4

interface Piece {
  key: string
  start: number
  end: number
}

/** The part of a piece that no piece before it has. */
interface Span extends Piece {
  /** Bytes of the piece that are skipped. */
  skip: number
}

export function receivedInOss(options: OssOptions): UploadStore {
  const { withSession, sessionOptions, close } = ossSessions(options)
  const transfer = transferTimeout(sessionOptions.timeoutSeconds)
  const forEver = new AbortController().signal

  async function listKeys(session: OssSession, prefix: string): Promise<string[]> {
    const keys: string[] = []
    for (let token: string | undefined = ''; token !== undefined; ) {
      const from: OSS.ListV2ObjectsQuery = token ? { 'continuation-token': token } : {}
      const list = (client: OSS) => client.listV2({ prefix, 'max-keys': 1000, ...from })
      const page = await session.request(list, forEver)
      keys.push(...(page.objects ?? []).map(({ name }) => name))
      token = page.isTruncated ? page.nextContinuationToken : undefined
    }
    return keys
  }

  /** Without gaps, from the beginning. Pieces of connections that overlapped have the same bytes: both sent one file. */
  async function spansOf(session: OssSession, record: UploadRecord): Promise<Span[]> {
    const keys = await listKeys(session, receivedKeys.piecesOf(record))
    const pieces = keys.flatMap(key => {
      const [, start, length] = /-(\d+)-(\d+)$/.exec(key) ?? []
      return length === undefined ? [] : [{ key, start: Number(start), end: Number(start) + Number(length) }]
    })
    const spans: Span[] = []
    for (let end = 0; ; end = spans.at(-1)!.end) {
      const next = pieces.filter(piece => piece.start <= end && piece.end > end)
      if (next.length === 0) return spans
      const longest = next.reduce((a, b) => (b.end > a.end ? b : a))
      spans.push({ ...longest, skip: end - longest.start })
    }
  }

  async function bytesOf(session: OssSession, { key, skip }: Span, signal = forEver): Promise<Buffer> {
    const { content } = await session.request(client => client.get(key, transfer), signal)
    return (content as Buffer).subarray(skip)
  }

  async function put(session: OssSession, record: UploadRecord, start: number, bytes: Buffer): Promise<void> {
    const key = `${receivedKeys.piecesOf(record)}${String(start).padStart(15, '0')}-${bytes.length}`
    await session.request(client => client.put(key, bytes, transfer), forEver)
  }

  async function readRecord(session: OssSession, id: string): Promise<UploadRecord | undefined> {
    try {
      const { content } = await session.request(client => client.get(receivedKeys.record(id)), forEver)
      return JSON.parse(String(content)) as UploadRecord
    } catch (error) {
      if (isSpeechError(error) && isGone(error)) return undefined
      throw error
    }
  }

  async function deleteAll(session: OssSession, keys: string[]): Promise<void> {
    await pLimit(maxAtOnce).map(keys, key => session.request(client => client.delete(key), forEver))
  }

  return {
    isHere: false,
    save: record =>
      withSession(async session => {
        const { id, owner } = record
        const content = Buffer.from(JSON.stringify(record))
        await session.request(client => client.put(receivedKeys.record(id), content), forEver)
        // Written with the ticket; it never changes.
        if (record.bytes === undefined)
          await session.request(
            client => client.put(receivedKeys.owner(owner) + id, Buffer.from(id)),
            forEver,
          )
      }),
    get: id => withSession(session => readRecord(session, id)),
    list: owner =>
      withSession(async session => {
        const keys = await listKeys(
          session,
          owner === undefined ? receivedKeys.owners : receivedKeys.owner(owner),
        )
        const ids = keys.map(key => key.split('/').at(-1)!)
        const found = await pLimit(maxAtOnce).map(ids, id => readRecord(session, id))
        return found.flatMap(record => record ?? [])
      }),
    freeBytes: async () => undefined,
    remove: ({ id, owner }) =>
      withSession(async session => {
        await deleteAll(session, await listKeys(session, receivedKeys.pieces(id)))
        await deleteAll(session, [receivedKeys.record(id), receivedKeys.owner(owner) + id])
      }),
    clear: ({ id }) =>
      withSession(async session => deleteAll(session, await listKeys(session, receivedKeys.pieces(id)))),
    received: record =>
      withSession(async session =>
        Math.min((await spansOf(session, record)).at(-1)?.end ?? 0, record.bytes ?? 0),
      ),
    append: (record, from, bytes) =>
      withSession(async session => {
        let at = from
        for await (const { piece, error } of pieces(bytes, record.bytes! - from)) {
          if (piece.length > 0) await put(session, record, at, piece)
          at += piece.length
          freeYoungBuffers()
          if (error) throw error
        }
      }),
    seal: record =>
      withSession(async session => {
        const hash = createHash('sha256')
        let left = record.bytes!
        for (const span of await spansOf(session, record)) {
          const bytes = (await bytesOf(session, span)).subarray(0, left)
          hash.update(bytes)
          left -= bytes.length
          freeYoungBuffers()
        }
        return hash.digest('hex')
      }),
    open: (record, { signal, scratch }) =>
      withSession(async session => {
        const path = join(await scratch(), 'upload')
        const spans = await spansOf(session, record)
        if ((spans.at(-1)?.end ?? 0) < record.bytes!) throw lost()
        const file = await openFile(path, 'w', 0o600).catch(throwUnwritable)
        try {
          await pLimit(maxAtOnce).map(spans, async span =>
            writeAt(file, await bytesOf(session, span, signal), span.start + span.skip),
          )
          await file.truncate(record.bytes)
        } finally {
          await file.close()
        }
        return path
      }),
    close,
  }
}

/** Cuts a stream into pieces. After a break the last one holds what had come, with the error. */
async function* pieces(
  stream: ByteStream,
  bytesLeft: number,
): AsyncGenerator<{ piece: Buffer; error?: unknown }> {
  const size = Math.max(1, Math.min(pieceBytes, bytesLeft))
  const piece = Buffer.allocUnsafeSlow(size)
  let filled = 0
  try {
    for await (const chunk of stream)
      for (let taken = 0; taken < chunk.length; ) {
        const part = chunk.subarray(taken, taken + size - filled)
        piece.set(part, filled)
        filled += part.length
        taken += part.length
        if (filled < size) continue
        // The same memory is filled again once the piece is stored.
        yield { piece }
        filled = 0
      }
  } catch (error) {
    yield { piece: piece.subarray(0, filled), error }
    return
  }
  yield { piece: piece.subarray(0, filled) }
}

async function writeAt(file: FileHandle, bytes: Buffer, at: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const write = file.write(bytes, done, bytes.length - done, at + done)
    done += (await write.catch(throwUnwritable)).bytesWritten
  }
}

function lost(): SpeechError {
  return new SpeechError('RECORDING_LOST', 'Parts of the uploaded recording are missing in the bucket.', {
    hint: 'Upload the recording again, with another ticket of request_upload.',
  })
}

function throwUnwritable(cause: unknown): never {
  if (!isDiskFull(cause)) throw cause
  throw new SpeechError('DISK_FULL', 'The disk has no room for the uploaded recording.', {
    hint: 'Free some space there, or set SPEECH_DATA_DIR to a folder with room.',
    cause,
  })
}
