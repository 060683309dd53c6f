// Recordings that people upload over HTTP: a ticket, its bytes and where they lie, and the contracts for them.

/** A ticket and its upload, as it is stored. Times are milliseconds since 1970. */
export interface UploadRecord {
  id: string
  owner: string
  /** SHA-256 of the ticket's secret, in hexadecimal. */
  secretHash: string
  createdAt: number
  /** End of the ticket: what is not whole by then is deleted. */
  endsAt: number
  /** The largest recording that the ticket takes. */
  maxBytes: number
  /** Name of the file. */
  name?: string
  /** Length of the file; set once its upload has begun. */
  bytes?: number
  /** Unchanged, as the client that began the upload gave them. */
  metadata?: Record<string, string | null>
  /** True for a plain PUT, which cannot be resumed. */
  isPut?: boolean
  /** Random, another one each time the upload begins: tells its bytes from those of a file before. */
  attempt?: string
  /** SHA-256 of the whole file, in hexadecimal; set once it is whole. */
  hash?: string
  /** When it was last ordered; before that, when it was whole. */
  usedAt?: number
}

/** A stream of bytes; destroying it ends it with an error. */
export interface ByteStream extends AsyncIterable<Uint8Array> {
  destroy?(error: Error): unknown
}

/** Where records and bytes lie. Throws `DISK_FULL`, and the errors of a bucket. */
export interface UploadStore {
  /** True where the bytes lie on this machine: opening one fetches nothing. */
  readonly isHere: boolean
  save(record: UploadRecord): Promise<void>
  get(id: string): Promise<UploadRecord | undefined>
  /** Of one owner, or all. */
  list(owner?: string): Promise<UploadRecord[]>
  /** Space that is left; undefined where it is unknown. */
  freeBytes(): Promise<number | undefined>
  /** Deletes record and bytes. Also resolves if there are none. */
  remove(record: UploadRecord): Promise<void>
  /** Deletes the bytes, so that an upload can begin. */
  clear(record: UploadRecord): Promise<void>
  /** Number of bytes that lie there safely. */
  received(record: UploadRecord): Promise<number>
  /** Adds bytes behind the first `from`. If it rejects, it has kept what had come. */
  append(record: UploadRecord, from: number, bytes: ByteStream): Promise<void>
  /** Makes a file of the bytes, all of which are there; resolves with its SHA-256. May be repeated. */
  seal(record: UploadRecord): Promise<string>
  /** Path of the whole file, fetched into the scratch folder if it lies elsewhere. */
  open(record: UploadRecord, run: OpenRun): Promise<string>
  close(): Promise<void>
}

interface OpenRun {
  signal: AbortSignal
  scratch(): Promise<string>
}

export interface UploadTicket {
  id: string
  /** `id.secret`: the end of the address, and all that an upload needs. */
  pass: string
  maxBytes: number
  endsAt: number
}

/** A whole recording. */
export interface FinishedUpload {
  id: string
  name: string
  bytes: number
  hash: string
}

/** Opens uploads as recordings. */
export interface UploadSource {
  /** True where opening one fetches nothing. */
  readonly isHere: boolean
  /** Throws `UPLOAD_NOT_FOUND`, also for an upload of another owner, and `UPLOAD_UNFINISHED`. */
  find(owner: string, id: string): Promise<FinishedUpload>
  /** Path of the file, and its name. Throws as `find` does. */
  open(owner: string, id: string, run: OpenRun): Promise<{ file: string; name: string }>
}

export interface UploadStart {
  bytes: number
  name?: string | undefined
  metadata?: UploadRecord['metadata']
  isPut?: boolean
}

/** Tickets and their uploads. All methods throw `SpeechError`. */
export interface Uploads extends UploadSource {
  /** Throws `BUSY` where the owner has too many, and `TOO_LARGE`. */
  createTicket(
    owner: string,
    wish: { name?: string | undefined; bytes?: number | undefined },
  ): Promise<UploadTicket>
  /** The upload of a ticket, by its pass. Throws `UPLOAD_NOT_FOUND` and, where the ticket is over, `UPLOAD_REFUSED`. */
  admit(pass: string): Promise<UploadRecord>
  /** Throws `UPLOAD_REFUSED` for a ticket that was used, `TOO_LARGE`, `BUSY`, `DISK_FULL`. */
  begin(id: string, start: UploadStart): Promise<UploadRecord>
  received(record: UploadRecord): Promise<number>
  /** Throws `BUSY` while another connection sends to the same upload, or too many to all, and `DISK_FULL`. */
  append(record: UploadRecord, from: number, bytes: ByteStream): Promise<void>
  /**
   * The whole recording, once all bytes are there; undefined before. Throws `UPLOAD_REFUSED` where `hash` is not that of
   * the bytes, which are deleted then.
   */
  finish(record: UploadRecord): Promise<FinishedUpload | undefined>
  /** Deletes what was sent of an upload that is not whole; the ticket can be used again. */
  cancel(id: string): Promise<void>
  /** Deletes uploads that are over. */
  sweep(): Promise<void>
  /** Sweeps now and from time to time. */
  startSweep(): void
  close(): Promise<void>
}

/** `upload://` and an id, as tools take it. */
export function uploadAddress(id: string): string {
  return `upload://${id}`
}

/** Undefined for any other text. */
export function uploadIdIn(address: string): string | undefined {
  return /^upload:\/\/([\w-]{1,64})\/?$/i.exec(address.trim())?.[1]?.toLowerCase()
}
