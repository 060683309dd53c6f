// Sends one file to the address of a ticket: a small tus client that goes on after a break.

export interface Sending {
  /** The ticket's, also relative to that of the page. */
  address: string
  file: File
  /** Called with the number of bytes that have arrived or are on their way. */
  onProgress(done: number): void
  /** Called when the connection is broken, before it is tried again. */
  onBroken(): void
  /** Aborted to stop; what was sent stays. */
  signal?: AbortSignal
}

/** Another try does not help. */
class Refused extends Error {}

const maxPauseMs = 10_000

const encoded = (text: string) => btoa(String.fromCharCode(...new TextEncoder().encode(text)))
const decoded = (text: string) =>
  new TextDecoder().decode(Uint8Array.from(atob(text), letter => letter.charCodeAt(0)))

/** A page cannot hash a large file; its date tells it from others. */
export const fingerprintOf = ({ name, size, lastModified }: File) => [name, size, lastModified].join('/')

/** Resolves with the address of the upload, which tools take. Rejects with a sentence, or where it was stopped. */
export async function sendFile({ onProgress, onBroken, signal, ...sending }: Sending): Promise<string> {
  let furthest = 0
  for (let failures = 0; ; failures++) {
    try {
      const found = await sendOnce(sending, signal, done => {
        if (done > furthest) failures = 0
        furthest = Math.max(furthest, done)
        onProgress(done)
      })
      if (found) return found
    } catch (error) {
      if (error instanceof Refused || signal?.aborted) throw error
    }
    onBroken()
    await new Promise(resolve => setTimeout(resolve, Math.min(maxPauseMs, 500 * 2 ** failures)))
    signal?.throwIfAborted()
  }
}

type FileAt = Pick<Sending, 'address' | 'file'>

async function sendOnce(
  { address, file }: FileAt,
  signal: AbortSignal | undefined,
  onOffset: (done: number) => void,
): Promise<string | null> {
  const offset = await begin({ address, file }, signal)
  onOffset(offset)
  const headers = { 'Upload-Offset': `${offset}`, 'Content-Type': 'application/offset+octet-stream' }
  const last =
    offset === file.size
      ? await ask('HEAD', address, { signal })
      : await ask('PATCH', address, {
          ...{ headers, body: file.slice(offset), signal },
          onSent: sent => onOffset(offset + sent),
        })
  if (last.status >= 300) throw failed(last)
  return last.getResponseHeader('Upload-Address')
}

/** The number of bytes that have arrived. */
async function begin({ address, file }: FileAt, signal: AbortSignal | undefined): Promise<number> {
  const fingerprint = fingerprintOf(file)
  const found = await ask('HEAD', address, { signal })
  if (found.status === 200) {
    const pairs = (found.getResponseHeader('Upload-Metadata') ?? '').split(',').map(pair => pair.split(' '))
    const known = pairs.find(([key]) => key === 'fingerprint')?.[1]
    if (known !== undefined && decoded(known) === fingerprint)
      return Number(found.getResponseHeader('Upload-Offset'))
    throw new Refused('This address was used for another file. Ask for another one.')
  }
  // The upload may have begun.
  const refusal = failed(found)
  if (!(refusal instanceof Refused)) throw refusal
  const metadata = `filename ${encoded(file.name)},fingerprint ${encoded(fingerprint)}`
  const headers = { 'Upload-Length': `${file.size}`, 'Upload-Metadata': metadata }
  const created = await ask('POST', address, { headers, signal })
  if (created.status !== 201) throw failed(created)
  return 0
}

function failed({ status, responseText }: XMLHttpRequest): Error {
  const text = responseText.replace(/^[A-Z_]+: /, '') || `The server answered ${status}.`
  const passes = [409, 423, 429].includes(status) || (status >= 500 && status !== 507)
  return passes ? new Error(text) : new Refused(text)
}

interface RequestOptions {
  headers?: Record<string, string>
  body?: Blob
  signal?: AbortSignal | undefined
  onSent?(bytes: number): void
}

/** `fetch` does not say how much it has sent. */
function ask(method: string, address: string, { headers, body, signal, onSent }: RequestOptions) {
  return new Promise<XMLHttpRequest>((resolve, reject) => {
    const request = new XMLHttpRequest()
    request.open(method, address)
    for (const [name, value] of Object.entries({ 'Tus-Resumable': '1.0.0', ...headers }))
      request.setRequestHeader(name, value)
    if (onSent) request.upload.onprogress = event => onSent(event.loaded)
    request.onload = () => resolve(request)
    request.onerror =
      request.ontimeout =
      request.onabort =
        () => reject(new Error('The connection is broken.'))
    signal?.addEventListener('abort', () => request.abort())
    request.send(body)
  })
}
