// Reads server-sent events as providers really send them, and the JSON documents that some send instead.

/** One event, or a whole JSON document that came instead of a stream. */
export interface ServerSentEvent {
  /** Empty when it has no name. */
  event: string
  /** From DashScope's comment `:HTTP_STATUS/400`. */
  status?: number
  /** Undefined when the data is not JSON. */
  json: unknown
}

/** No event of a text model is that long; such a response counts as broken off. */
const maxLineChars = 8_000_000

/**
 * Yields the events of a response. Each `data:` line that completes a JSON text ends an event, since some servers omit the
 * blank lines between events (eventsource-parser would join those). A JSON document is one event, a list of documents is
 * as many; the page of a proxy is none. A last line without a line break counts if it is complete.
 */
export async function* readEvents(chunks: AsyncIterable<string>): AsyncGenerator<ServerSentEvent, void> {
  let document: string[] | undefined
  let isStream = false
  let event = ''
  let status: number | undefined
  let data: string | undefined
  const complete = (json: unknown): ServerSentEvent => {
    const completed = { event, ...(status !== undefined && { status }), json }
    event = ''
    status = undefined
    data = undefined
    return completed
  }

  for await (const line of linesOf(chunks)) {
    if (document || (!isStream && /^\s*[[{<]/.test(line))) {
      document ??= []
      document.push(line)
      continue
    }
    const [name, value] = fieldOf(line)
    isStream ||= line !== ''
    if (name === 'data') {
      data = data === undefined ? value : `${data}\n${value}`
      const json = jsonOf(data)
      if (json !== undefined) yield complete(json)
      else if (/^\[DONE\]\s*$/.test(data)) data = undefined
      continue
    }
    // The data ended before it was complete JSON.
    if (data?.trim()) yield complete(undefined)
    data = undefined
    if (line === '') event = ''
    if (name === 'event') event = value.trim()
    const comment = /^HTTP_STATUS\/(\d{3})/.exec(value)
    if (name === '' && comment) status = Number(comment[1])
  }
  if (data?.trim()) yield complete(undefined)
  if (document) for (const json of documentsOf(document.join('\n'))) yield complete(json)
}

/** The JSON body of an error response; undefined when it is not JSON. */
export async function readJsonBody(chunks: AsyncIterable<string>): Promise<unknown> {
  let body: unknown
  for await (const { json } of readEvents(chunks)) body ??= json
  return body
}

async function* linesOf(chunks: AsyncIterable<string>): AsyncGenerator<string, void> {
  let rest = ''
  for await (const chunk of chunks) {
    const [first = '', ...more] = chunk.split('\n')
    rest += first
    for (const next of more) {
      yield rest.replace(/\r$/, '')
      rest = next
    }
    if (rest.length > maxLineChars) return
  }
  if (rest) yield rest.replace(/\r$/, '')
}

/** Splits a line into name and value; a comment has an empty name. */
function fieldOf(line: string): [name: string, value: string] {
  const colon = line.indexOf(':')
  return colon < 0 ? [line, ''] : [line.slice(0, colon), line.slice(colon + 1).replace(/^ /, '')]
}

function documentsOf(text: string): unknown[] {
  const json = jsonOf(text)
  if (json === undefined) return []
  return Array.isArray(json) ? json : [json]
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
