// The source of a page in a frame of an MCP host: MCP Apps, version 2026-01-26, by messages of JSON-RPC to the parent.
import type { Source, ViewerData, ViewerFile, Waveform } from '../contract.ts'

/** As the server names it. */
const dataUri = (id: string) => `ui://speech/viewer/${encodeURIComponent(id)}`
const protocolVersion = '2026-01-26'
/** Of the frame, where the host lets the page choose. */
const heightPixels = 560

interface Message {
  jsonrpc: '2.0'
  id?: number | string
  method?: string
  params?: Record<string, unknown>
  result?: unknown
  error?: { message?: string }
}

interface HostContext {
  theme?: unknown
}

interface HostCapabilities {
  serverTools?: object
  downloadFile?: object
  updateModelContext?: object
}

interface Contents {
  contents?: (Partial<ViewerFile> & { _meta?: { from?: number; to?: number; next_from?: number } })[]
}

interface ToolResult {
  isError?: boolean
  content?: { text?: string }[]
}

export function hostSource(): Source {
  const waiting = new Map<number | string, { resolve(result: unknown): void; reject(error: Error): void }>()
  let count = 0
  let id = ''
  let found: (id: string) => void
  /** The host says which transcript is shown: with the arguments of the call, and again with its result. */
  const shown = new Promise<string>(resolve => {
    found = resolve
  })

  const post = (message: Omit<Message, 'jsonrpc'>) => parent.postMessage({ jsonrpc: '2.0', ...message }, '*')

  function request<T>(method: string, params: object): Promise<T> {
    const own = ++count
    post({ id: own, method, params: { ...params } })
    return new Promise((resolve, reject) =>
      waiting.set(own, { resolve: resolve as (result: unknown) => void, reject }),
    )
  }

  addEventListener('message', ({ source, data }: MessageEvent<Message | undefined>) => {
    if (source !== parent || data?.jsonrpc !== '2.0') return
    const { id: given, method, params = {}, result, error } = data
    if (method === undefined) {
      if (given === undefined) return
      if (error) waiting.get(given)?.reject(new Error(String(error.message ?? 'The host refused it.')))
      else waiting.get(given)?.resolve(result)
      waiting.delete(given)
    } else if (given !== undefined) answer(given, method)
    else told(method, params)
  })

  function answer(given: number | string, method: string): void {
    if (method === 'ping' || method === 'ui/resource-teardown') post({ id: given, result: {} })
    else parent.postMessage({ jsonrpc: '2.0', id: given, error: { code: -32601, message: 'Unknown' } }, '*')
  }

  function told(method: string, params: Record<string, unknown>): void {
    if (method === 'ui/notifications/host-context-changed') applyContext(params)
    const { arguments: input, structuredContent } = params as Record<
      string,
      { transcript_id?: unknown } | undefined
    >
    const given =
      method === 'ui/notifications/tool-result' ? structuredContent?.transcript_id : input?.transcript_id
    if (typeof given === 'string' && /^ui\/notifications\/tool-(?:input|result)$/.test(method)) found(given)
  }

  const read = (uri: string) => request<Contents>('resources/read', { uri })
  const textOf = async (uri: string) => (await read(uri)).contents?.[0]?.text ?? ''

  let capabilities: Promise<HostCapabilities> | undefined

  async function connect(): Promise<HostCapabilities> {
    const { hostContext, hostCapabilities = {} } = await request<{
      hostContext?: HostContext
      hostCapabilities?: HostCapabilities
    }>('ui/initialize', {
      protocolVersion,
      appInfo: { name: 'speech-mcp viewer', version: '1' },
      appCapabilities: {},
    })
    applyContext(hostContext ?? {})
    post({ method: 'ui/notifications/initialized', params: {} })
    post({ method: 'ui/notifications/size-changed', params: { height: heightPixels } })
    if (hostCapabilities.downloadFile) page.save = save
    return hostCapabilities
  }

  async function save(name: string, { mimeType, text, blob }: ViewerFile): Promise<void> {
    const resource = { uri: `file:///${name}`, mimeType, ...(blob === undefined ? { text } : { blob }) }
    const { isError } = await request<{ isError?: boolean }>('ui/download-file', {
      contents: [{ type: 'resource', resource }],
    })
    if (isError) throw new Error('The host has not saved the file.')
  }

  const page: Source = {
    async load() {
      capabilities ??= connect()
      const { serverTools, downloadFile } = await capabilities
      id ||= await shown
      const data = JSON.parse(await textOf(dataUri(id))) as ViewerData
      id = data.id
      // Bytes cannot be copied.
      const formats = data.formats.filter(format => downloadFile || format !== 'docx')
      return { ...data, formats, ...(serverTools && { canRename: true as const }) }
    },
    revision: () => textOf(`${dataUri(id)}/revision`),
    waveform: async () => JSON.parse(await textOf(`${dataUri(id)}/waveform`)) as Waveform,
    async piece(from) {
      const { contents } = await read(`transcript://${id}/audio?from=${from}`)
      const { blob = '', _meta: times = {} } = contents?.[0] ?? {}
      const { next_from: next } = times
      return {
        audio: new Blob([bytesOf(blob)], { type: 'audio/mpeg' }),
        start: times.from ?? from,
        end: times.to ?? from,
        ...(next !== undefined && { next }),
      }
    },
    async rename(speaker, name) {
      const { isError, content } = await request<ToolResult>('tools/call', {
        name: 'update_transcript',
        arguments: { transcript_id: id, speakers: [{ speaker, name }] },
      })
      if (isError) throw new Error(content?.[0]?.text ?? 'The name could not be changed.')
    },
    async file(format) {
      const { contents } = await read(`transcript://${id}/${format}`)
      return { mimeType: 'text/plain', ...contents?.[0] }
    },
    async tell(text) {
      await request('ui/update-model-context', { content: [{ type: 'text', text }] })
    },
  }
  return page
}

function applyContext({ theme }: HostContext): void {
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme
}

function bytesOf(base64: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(base64), letter => letter.charCodeAt(0))
}
