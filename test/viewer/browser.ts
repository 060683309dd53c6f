// A page of Chromium, driven over a pipe by its own debugging protocol.
import { spawn } from 'node:child_process'
import { EventEmitter, once } from 'node:events'
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import type { Readable, Writable } from 'node:stream'

/** A page of any browser. */
export interface TestPage {
  /** Resolves when the page has loaded. */
  goto(url: string): Promise<void>
  /** The value of an expression, also of a promise. Rejects with what it throws. */
  evaluate<T>(expression: string): Promise<T>
  /** Runs before the scripts of every page that is opened from now on. */
  beforeScripts(source: string): Promise<void>
  resize(width: number, height: number): Promise<void>
  /** With the mouse, in pixels of the page. */
  click(x: number, y: number): Promise<void>
  /** A key of the keyboard, such as `Enter`. */
  press(key: string): Promise<void>
  /** Names of the events that came: dialogs, errors of scripts, refused requests. */
  readonly events: string[]
  close(): Promise<void>
}

export interface BrowserPage extends TestPage {
  /** `evaluate` in the frame of the page. */
  inFrame<T>(expression: string): Promise<T>
  /** Milliseconds of processor time of the longest tasks of the page's main thread while `work` goes on. */
  longestTasks(work: () => Promise<void>): Promise<number[]>
  send(method: string, params?: object): Promise<Record<string, unknown>>
}

interface Message {
  id?: number
  method?: string
  params?: Record<string, unknown>
  result?: Record<string, unknown>
  error?: { message: string }
}

interface TraceEvent {
  name: string
  pid: number
  tid: number
  args: { data?: { message?: string } }
  /** Microseconds of processor time. */
  tdur?: number
}

const keyCodes: Record<string, number> = { Enter: 13, Escape: 27, ArrowLeft: 37, ArrowRight: 39 }

/** Undefined if it is not installed. */
export function findChromium(): string | undefined {
  const folders = (process.env.PATH ?? '').split(delimiter)
  const names = ['chromium', 'chromium-browser', 'google-chrome']
  return names.flatMap(name => folders.map(folder => join(folder, name))).find(file => existsSync(file))
}

/** `profile`: an empty folder. */
export async function openBrowser(program: string, profile: string): Promise<BrowserPage> {
  const flags = [
    ...['--headless', '--no-sandbox', '--disable-gpu', '--no-proxy-server', '--remote-debugging-pipe'],
    ...['--autoplay-policy=no-user-gesture-required', '--window-size=1000,800'],
    // Frames of hosts stay in the process of their page, where the test can look into them.
    '--disable-features=IsolateSandboxedIframes',
    `--user-data-dir=${profile}`,
  ]
  const browser = spawn(program, flags, {
    env: { ...process.env, HOME: profile },
    stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'],
  })
  const [toBrowser, fromBrowser] = [browser.stdio[3] as Writable, browser.stdio[4] as Readable]
  const messages = new EventEmitter()
  const events: string[] = []
  let received = ''
  fromBrowser.setEncoding('utf8').on('data', (piece: string) => {
    const parts = (received + piece).split('\0')
    received = parts.pop()!
    for (const part of parts) {
      const message = JSON.parse(part) as Message
      const { method, params } = message
      if (/javascriptDialogOpening|exceptionThrown|requestWillBeSent$|entryAdded/.test(method ?? ''))
        events.push(`${method} ${JSON.stringify(params).slice(0, 400)}`)
      messages.emit(message.id === undefined ? method! : `answer-${message.id}`, message)
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

  const traced: TraceEvent[] = []
  messages.on('Tracing.dataCollected', ({ params }: Message) =>
    traced.push(...(params!.value as TraceEvent[])),
  )

  const { targetId } = await send('Target.createTarget', { url: 'about:blank' })
  const { sessionId } = (await send('Target.attachToTarget', { targetId, flatten: true })) as {
    sessionId: string
  }
  const toPage = (method: string, params?: object) => send(method, params, sessionId)
  for (const domain of ['Page', 'Runtime', 'Log', 'Network']) await toPage(`${domain}.enable`)

  /** Of the newest frame within the page. */
  const frameContext = { id: 0 }
  messages.on('Runtime.executionContextCreated', ({ params }: Message) => {
    const { id, auxData } = params!.context as { id: number; auxData: { frameId: string } }
    if (auxData.frameId !== targetId) frameContext.id = id
  })

  async function evaluate<T>(expression: string, contextId?: number): Promise<T> {
    const given = { expression, returnByValue: true, awaitPromise: true, userGesture: true }
    const { result, exceptionDetails } = await toPage('Runtime.evaluate', {
      ...given,
      ...(contextId !== undefined && { contextId }),
    })
    if (exceptionDetails) throw new Error(JSON.stringify(exceptionDetails).slice(0, 800))
    return (result as { value?: unknown }).value as T
  }

  const hasPage = (contextId: number) =>
    evaluate<boolean>('document.getElementById("list") !== null', contextId).catch(() => false)

  return {
    events,
    evaluate: expression => evaluate(expression),
    async inFrame(expression) {
      while (!(frameContext.id > 0 && (await hasPage(frameContext.id))))
        await evaluate('new Promise(requestAnimationFrame)')
      return evaluate(expression, frameContext.id)
    },
    send: toPage,
    async resize(width, height) {
      const metrics = { width, height, deviceScaleFactor: 1, mobile: false }
      await toPage('Emulation.setDeviceMetricsOverride', metrics)
    },
    async click(x, y) {
      for (const type of ['mousePressed', 'mouseReleased'])
        await toPage('Input.dispatchMouseEvent', { type, x, y, button: 'left', clickCount: 1 })
    },
    async press(key) {
      const text = key === 'Enter' ? '\r' : key.length === 1 ? key : undefined
      const code = keyCodes[key]
      const given = { key, ...(text && { text }), ...(code && { windowsVirtualKeyCode: code }) }
      await toPage('Input.dispatchKeyEvent', { type: 'keyDown', ...given })
      await toPage('Input.dispatchKeyEvent', { type: 'keyUp', ...given })
    },
    async goto(url) {
      const loaded = once(messages, 'Page.loadEventFired')
      await toPage('Page.navigate', { url })
      await loaded
    },
    async longestTasks(work) {
      const categories = ['toplevel', 'devtools.timeline', 'disabled-by-default-devtools.timeline']
      traced.length = 0
      await send('Tracing.start', {
        traceConfig: { includedCategories: categories },
        transferMode: 'ReportEvents',
      })
      await work()
      const complete = once(messages, 'Tracing.tracingComplete')
      await send('Tracing.end')
      await complete
      // The browser's own pages have such threads, too.
      const own = traced.find(
        ({ name, args }) => name === 'TimeStamp' && args.data?.message === 'measured page',
      )
      const tasks = traced.filter(({ name, pid, tid }) => {
        return name === 'RunTask' && pid === own?.pid && tid === own.tid
      })
      if (tasks.length === 0) throw new Error('The trace has no tasks of the page.')
      const times = tasks.map(({ tdur = 0 }) => Math.round(tdur / 100) / 10)
      return times.sort((a, b) => b - a).slice(0, 5)
    },
    beforeScripts: async source => void (await toPage('Page.addScriptToEvaluateOnNewDocument', { source })),
    async close() {
      const ended = once(browser, 'exit')
      await send('Browser.close').catch(() => browser.kill())
      await ended
    },
  }
}
