// A page of Chromium, driven over a pipe by its own debugging protocol.
import { spawn } from 'node:child_process'
import { EventEmitter, once } from 'node:events'
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import type { Readable, Writable } from 'node:stream'

export interface Page {
  goto(url: string): Promise<void>
  /** The value of an expression in the page. */
  evaluate(expression: string): Promise<unknown>
  /** Does something that leads to another page, and resolves when that one is there. */
  follow(expression: string): Promise<void>
  close(): Promise<void>
}

/** Undefined if it is not installed. */
export function findChromium(): string | undefined {
  const folders = (process.env.PATH ?? '').split(delimiter)
  const files = ['chromium', 'chromium-browser', 'google-chrome'].flatMap(name =>
    folders.map(folder => join(folder, name)),
  )
  return files.find(file => existsSync(file))
}

interface Message {
  id?: number
  method?: string
  sessionId?: string
  result?: Record<string, unknown>
  error?: { message: string }
}

/** `profile`: an empty folder. */
export async function openPage(program: string, profile: string): Promise<Page> {
  const flags = [
    '--headless',
    '--no-sandbox',
    '--disable-gpu',
    '--no-proxy-server',
    '--remote-debugging-pipe',
  ]
  const browser = spawn(program, [...flags, `--user-data-dir=${profile}`], {
    env: { ...process.env, HOME: profile },
    stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'],
  })
  const [toBrowser, fromBrowser] = [browser.stdio[3] as Writable, browser.stdio[4] as Readable]
  const messages = new EventEmitter()
  let received = ''
  fromBrowser.setEncoding('utf8').on('data', (piece: string) => {
    const parts = (received + piece).split('\0')
    received = parts.pop()!
    for (const part of parts) {
      const message = JSON.parse(part) as Message
      messages.emit(message.id === undefined ? message.method! : `answer-${message.id}`, message)
    }
  })
  let count = 0

  async function send(method: string, params: object = {}, sessionId?: string) {
    const id = ++count
    const answered = once(messages, `answer-${id}`)
    toBrowser.write(`${JSON.stringify({ id, method, params, sessionId })}\0`)
    const [{ result, error }] = (await answered) as [Message]
    if (error) throw new Error(`${method}: ${error.message}`)
    return result!
  }

  const { targetId } = await send('Target.createTarget', { url: 'about:blank' })
  const { sessionId } = (await send('Target.attachToTarget', { targetId, flatten: true })) as {
    sessionId: string
  }
  await send('Page.enable', {}, sessionId)

  async function loading(work: () => Promise<unknown>): Promise<void> {
    const loaded = once(messages, 'Page.loadEventFired')
    await work()
    await loaded
  }

  const evaluate: Page['evaluate'] = async expression => {
    const { result } = await send('Runtime.evaluate', { expression, returnByValue: true }, sessionId)
    return (result as { value?: unknown }).value
  }
  return {
    goto: url => loading(() => send('Page.navigate', { url }, sessionId)),
    evaluate,
    follow: expression => loading(() => evaluate(expression)),
    async close() {
      const ended = once(browser, 'exit')
      await send('Browser.close').catch(() => browser.kill())
      await ended
    },
  }
}
