// Server-sent events as providers really send them, and what else comes where they were asked for.

/** One event, or a whole JSON document that came in place of all of them. */
export interface ServerSentEvent {
  /** Empty where it has no name. */
  event: string
  /** From DashScope's comment `:HTTP_STATUS/400`. */
  status?: number
  /** Undefined where what came is not JSON. */
  json: unknown
}

/** No event of a text model is that long: such an answer counts as broken off. */
const longestLine = 8_000_000

/**
 * The frames of an answer. They are told apart by their `data:` lines, as some servers leave out the blank lines between
 * them. A JSON document is one frame, a list of them as many; the page of a proxy is none. A last line without an end
 * counts where it is whole.
 */
export async function* readEvents(pieces: AsyncIterable<string>): AsyncGenerator<ServerSentEvent, void> {
  let document: string[] | undefined
  let isStream = false
  let event = ''
  let status: number | undefined
  let data: string | undefined
  const frame = (json: unknown): ServerSentEvent => {
    const made = { event, ...(status !== undefined && { status }), json }
    event = ''
    status = undefined
    data = undefined
    return made
  }

  for await (const line of linesOf(pieces)) {
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
      if (json !== undefined) yield frame(json)
      else if (/^\[DONE\]\s*$/.test(data)) data = undefined
      continue
    }
    // The rest of it does not come any more.
    if (data?.trim()) yield frame(undefined)
    data = undefined
    if (line === '') event = ''
    if (name === 'event') event = value.trim()
    const told = /^HTTP_STATUS\/(\d{3})/.exec(value)
    if (name === '' && told) status = Number(told[1])
  }
  if (data?.trim()) yield frame(undefined)
  if (document) for (const json of documentsOf(document.join('\n'))) yield frame(json)
}

/** What an answer other than a success says of itself; undefined where it is not JSON. */
export async function readJsonBody(pieces: AsyncIterable<string>): Promise<unknown> {
  let body: unknown
  for await (const { json } of readEvents(pieces)) body ??= json
  return body
}

async function* linesOf(pieces: AsyncIterable<string>): AsyncGenerator<string, void> {
  let rest = ''
  for await (const piece of pieces) {
    const [first = '', ...more] = piece.split('\n')
    rest += first
    for (const next of more) {
      yield rest.replace(/\r$/, '')
      rest = next
    }
    if (rest.length > longestLine) return
  }
  if (rest) yield rest.replace(/\r$/, '')
}

/** Name and value; a comment has no name. */
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
