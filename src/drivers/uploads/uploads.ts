// Tickets for uploads: who may send how much until when, what has come of it, and when it is deleted.
import { timingSafeEqual } from 'node:crypto'
import { isBatchId } from '../../domain/batch/batch.ts'
import { codeOf } from '../../domain/errors.ts'
import {
  type ByteStream,
  type FinishedUpload,
  type UploadRecord,
  type UploadStart,
  type UploadStore,
  type Uploads,
  uploadAddress,
} from '../../domain/network/uploads.ts'
import type { Store } from '../../domain/ports.ts'
import { createKeyedMutex } from '../../domain/waiting/keyed-mutex.ts'
import { log } from '../../log.ts'
import * as refusals from './refusals.ts'
import { fileName, hashOf, randomText } from './texts.ts'

export interface UploadOptions {
  store: UploadStore
  /** The largest recording. */
  maxBytes: number
  /** Jobs that are not over keep their recordings. */
  jobs: Pick<Store, 'unfinishedJobs'>
  /** The current time in milliseconds. */
  now?: () => number
}

/** A ticket ends after this time, and so does an upload after it was last ordered. */
const lifeMs = 24 * 3600 * 1000
const sweepIntervalMs = 30 * 60_000
/** Tickets and uploads that an owner has at once, and the bytes of these, in largest recordings. */
const maxUploads = 50
const maxLargest = 4
/** Connections that send at once, of all owners: each may take 2 MB of memory. */
const maxSending = 64
/** Bytes of the disk that uploads leave to others. */
const spareBytes = 64e6

export function createUploads(options: UploadOptions): Uploads {
  const { store, maxBytes, jobs, now = Date.now } = options
  /** Uploads to which a connection sends. */
  const active = new Map<string, { stop(): void; ended: Promise<void> }>()
  /** An upload begins, is hashed and is cancelled in turns. */
  const turnOfUpload = createKeyedMutex()
  /** The tickets and bytes of an owner are counted and changed in turns, so is the space of a disk. */
  const turnOfOwner = createKeyedMutex()
  const turnAtDisk = createKeyedMutex()
  let timer: NodeJS.Timeout | undefined

  const isOver = ({ hash, endsAt, usedAt = 0 }: UploadRecord) =>
    now() > (hash === undefined ? endsAt : usedAt + lifeMs)

  async function ofOwner(owner: string): Promise<UploadRecord[]> {
    return (await store.list(owner)).filter(record => !isOver(record))
  }

  async function existing(id: string): Promise<UploadRecord> {
    const record = await store.get(id)
    if (!record) throw refusals.unknownUpload()
    return record
  }

  async function finish(record: UploadRecord): Promise<FinishedUpload | undefined> {
    const { id, bytes } = record
    if (bytes === undefined) return undefined
    if (record.hash !== undefined) return finished(record)
    if ((await store.received(record)) < bytes) return undefined
    return turnOfUpload(id, async () => finished(await sealed(record)))
  }

  /** Reading takes a while: another server may begin the upload again meanwhile. */
  async function sealed({ id, attempt }: UploadRecord): Promise<UploadRecord> {
    const record = await ofAttempt(id, attempt)
    if (record.hash !== undefined) return record
    const hash = await store.seal(record)
    await ofAttempt(id, attempt)
    const expected = record.metadata?.sha256?.trim().toLowerCase()
    if (expected && expected !== hash) {
      await restart(record)
      throw refusals.otherBytes()
    }
    const whole = { ...record, hash, usedAt: now() }
    await store.save(whole)
    log.info('uploaded', { id, bytes: record.bytes })
    return whole
  }

  async function ofAttempt(id: string, attempt: string | undefined): Promise<UploadRecord> {
    const record = await existing(id)
    if (record.attempt !== attempt) throw refusals.superseded()
    return record
  }

  /** The ticket is as it was before its upload began. */
  async function restart(record: UploadRecord): Promise<void> {
    await store.clear(record)
    const { bytes: _bytes, metadata: _metadata, isPut: _isPut, attempt: _attempt, ...ticket } = record
    await store.save(ticket)
  }

  /** A connection that broke may still be open here. */
  async function stop(id: string): Promise<void> {
    const sending = active.get(id)
    sending?.stop()
    await sending?.ended
  }

  async function begin(id: string, start: UploadStart): Promise<UploadRecord> {
    const record = await existing(id)
    const { bytes, isPut = false } = start
    // A PUT cannot go on where it broke off, so it begins again.
    const isSamePut = isPut && record.isPut
    if (isSamePut && record.hash === undefined) await stop(id)
    const isNew = record.bytes === undefined || isSamePut || (await store.received(record)) === 0
    if (record.hash !== undefined || active.has(id) || !isNew) throw refusals.usedTicket(record)
    if (bytes > record.maxBytes) throw refusals.tooLarge(record.maxBytes)
    if (bytes === 0) throw refusals.emptyFile()
    return turnOfOwner(record.owner, () => reserve(record, start))
  }

  async function reserve(record: UploadRecord, { bytes, name, metadata, isPut = false }: UploadStart) {
    const { id, owner } = record
    const others = (await ofOwner(owner)).filter(other => other.id !== id)
    const taken = others.reduce((sum, other) => sum + (other.bytes ?? 0), 0)
    if (taken + bytes > maxLargest * maxBytes) throw refusals.tooMuch(maxLargest * maxBytes)
    const given = fileName(name)
    const attempt = randomText()
    const begun = { ...record, bytes, metadata, isPut, attempt, ...(given && { name: given }) }
    const open = async () => {
      await store.clear(begun)
      await store.save(begun)
      return begun
    }
    // A bucket has room for all.
    if ((await store.freeBytes()) === undefined) return open()
    return turnAtDisk('disk', async () => {
      const free = (await store.freeBytes()) ?? 0
      if (free - spareBytes - (await outstanding(id)) < bytes) throw refusals.diskFull()
      return open()
    })
  }

  /** Bytes that are still to come of the uploads under way, but for one. */
  async function outstanding(id: string): Promise<number> {
    const open = (await store.list()).filter(
      other => other.id !== id && other.hash === undefined && !isOver(other),
    )
    const left = open.map(async other => Math.max(0, (other.bytes ?? 0) - (await store.received(other))))
    return (await Promise.all(left)).reduce((sum, bytes) => sum + bytes, 0)
  }

  async function append(record: UploadRecord, from: number, bytes: ByteStream): Promise<void> {
    await ofAttempt(record.id, record.attempt)
    await store.append(record, from, bytes)
  }

  async function findRecord(owner: string, id: string): Promise<UploadRecord & FinishedUpload> {
    const record = await store.get(id)
    if (!record || record.owner !== owner) throw refusals.unknownUpload()
    const whole = await finish(record)
    if (whole) return { ...record, ...whole }
    if (isOver(record)) throw refusals.unknownUpload()
    throw refusals.unfinished(await store.received(record), record.bytes)
  }

  return {
    isHere: store.isHere,
    createTicket: (owner, { name, bytes = 0 }) =>
      turnOfOwner(owner, async () => {
        if (bytes > maxBytes) throw refusals.tooLarge(maxBytes)
        if ((await ofOwner(owner)).length >= maxUploads) throw refusals.tooMany(maxUploads)
        const [id, secret] = [randomText(), randomText()]
        const createdAt = now()
        const endsAt = createdAt + lifeMs
        const given = fileName(name)
        const record = { id, owner, secretHash: hashOf(secret), createdAt, endsAt, maxBytes }
        await store.save({ ...record, ...(given && { name: given }) })
        return { id, pass: `${id}.${secret}`, maxBytes, endsAt }
      }),
    async admit(pass) {
      const [id = '', secret = ''] = pass.split('.')
      const record = /^[a-z0-9]{26}$/.test(id) ? await store.get(id) : undefined
      const isRight = timingSafeEqual(
        Buffer.from(hashOf(secret)),
        Buffer.from(record?.secretHash ?? hashOf('')),
      )
      if (!record || !isRight) throw refusals.unknownTicket()
      if (isOver(record)) throw refusals.lateTicket()
      return record
    },
    begin: (id, start) => turnOfUpload(id, () => begin(id, start)),
    received: record => store.received(record),
    async append(record, from, bytes) {
      const { id, endsAt } = record
      if (active.has(id)) throw refusals.inUse()
      if (active.size >= maxSending) throw refusals.tooBusy()
      const end = setTimeout(() => bytes.destroy?.(refusals.lateTicket()), endsAt - now())
      const work = append(record, from, bytes)
      const ended = work
        .catch(() => {})
        .then(() => {
          clearTimeout(end)
          active.delete(id)
        })
      active.set(id, { stop: () => void bytes.destroy?.(refusals.superseded()), ended })
      await work.finally(() => ended)
    },
    finish,
    cancel: id =>
      turnOfUpload(id, async () => {
        await stop(id)
        const record = await existing(id)
        if (record.hash !== undefined) throw refusals.usedTicket(record)
        await restart(record)
      }),
    async find(owner, id) {
      const { name, bytes, hash } = await findRecord(owner, id)
      return { id, name, bytes, hash }
    },
    async open(owner, id, run) {
      const { name, ...record } = await findRecord(owner, id)
      await store.save({ ...record, name, usedAt: now() })
      return { file: await store.open({ ...record, name }, run), name }
    },
    async sweep() {
      const over = (await store.list()).filter(record => isOver(record) && !active.has(record.id))
      if (over.length === 0) return
      const unfinished = await jobs.unfinishedJobs()
      // A batch may not have come to all of its recordings.
      const isInUse = ({ id, owner }: UploadRecord) =>
        unfinished.some(
          job => job.owner === owner && (isBatchId(job.id) || job.request.audio === uploadAddress(id)),
        )
      const unwanted = over.filter(record => !isInUse(record))
      for (const record of unwanted) await store.remove(record)
      if (unwanted.length > 0) log.info('uploads-swept', { removed: unwanted.length })
    },
    startSweep() {
      const sweep = () =>
        void this.sweep().catch(error => log.warn('uploads-not-swept', { code: codeOf(error) }))
      sweep()
      timer ??= setInterval(sweep, sweepIntervalMs).unref()
    },
    async close() {
      clearInterval(timer)
      await store.close()
    },
  }
}

/** The record is of a whole upload. */
function finished({ id, name = 'recording', bytes, hash }: UploadRecord): FinishedUpload {
  return { id, name, bytes: bytes!, hash: hash! }
}
