// A page in the system's Chromium, over its own protocol: https://chromedevtools.github.io/devtools-protocol.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable, Writable } from 'node:stream'

const program = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync)

export const hasChromium = program !== undefined

type Params = Record<string, unknown>
// biome-ignore lint/suspicious/noExplicitAny: tests look into answers freely
type Reply = any

export interface Page {
  /** Value of an expression in the page; a promise is waited for. */
  evaluate(expression: string): Promise<Reply>
  goto(url: string): Promise<void>
  /** Evaluates what leads to another page, and resolves when that one is there. */
  follow(expression: string): Promise<void>
  /** Puts a file of this machine into the input that the selector finds. */
  choose(selector: string, file: string): Promise<void>
  /** Errors and refusals that the browser has written to its console. */
  complaints: string[]
  close(): Promise<void>
}

export async function openPage(url?: string): Promise<Page> {
  const profile = await mkdtemp(join(tmpdir(), 'speech-mcp-chromium-'))
  const flags = [
    ...['--headless', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--no-first-run'],
    '--no-proxy-server',
  ]
  const child = spawn(program!, [...flags, '--remote-debugging-pipe', `--user-data-dir=${profile}`], {
    stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'],
  })
  const [, , , input, output] = child.stdio as unknown as [unknown, unknown, unknown, Writable, Readable]
  const waiting = new Map<number, (message: Reply) => void>()
  const complaints: string[] = []
  let onLoad = () => {}
  let [last, rest] = [0, '']
  output.setEncoding('utf8').on('data', (text: string) => {
    const messages = (rest + text).split('\0')
    rest = messages.pop()!
    for (const message of messages.map(one => JSON.parse(one))) {
      waiting.get(message.id)?.(message)
      if (message.method === 'Page.loadEventFired') onLoad()
      if (message.method === 'Log.entryAdded') complaints.push(message.params.entry.text)
      if (message.method === 'Runtime.exceptionThrown') complaints.push(message.params.exceptionDetails.text)
    }
  })

  async function ask(method: string, params: Params = {}, sessionId?: string): Promise<Reply> {
    const id = ++last
    const answered = new Promise<Reply>(resolve => waiting.set(id, resolve))
    input.write(`${JSON.stringify({ id, method, params, ...(sessionId && { sessionId }) })}\0`)
    const { result, error } = await answered
    if (error) throw new Error(`${method}: ${error.message}`)
    return result
  }

  const { targetId } = await ask('Target.createTarget', { url: 'about:blank' })
  const { sessionId } = await ask('Target.attachToTarget', { targetId, flatten: true })
  const send = (method: string, params?: Params) => ask(method, params, sessionId)
  await Promise.all(['Page', 'Runtime', 'Log', 'DOM'].map(domain => send(`${domain}.enable`)))
  const evaluate = async (expression: string) => {
    const { result } = await send('Runtime.evaluate', { expression, awaitPromise: true, returnByValue: true })
    return result.value
  }

  async function loading(work: () => Promise<unknown>): Promise<void> {
    const loaded = new Promise<void>(resolve => {
      onLoad = resolve
    })
    await work()
    await loaded
  }

  const goto = (url: string) => loading(() => send('Page.navigate', { url }))
  if (url) await goto(url)
  return {
    evaluate,
    goto,
    follow: expression => loading(() => evaluate(expression)),
    async choose(selector, file) {
      const { root } = await send('DOM.getDocument')
      const { nodeId } = await send('DOM.querySelector', { nodeId: root.nodeId, selector })
      await send('DOM.setFileInputFiles', { nodeId, files: [file] })
    },
    complaints,
    async close() {
      child.kill('SIGKILL')
      await once(child, 'exit')
      await rm(profile, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}
