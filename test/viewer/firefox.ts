// A page of Firefox, driven by WebDriver BiDi (https://w3c.github.io/webdriver-bidi), which Firefox speaks by itself.
import { spawn } from 'node:child_process'
import { EventEmitter, once } from 'node:events'
import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { WebSocket } from 'undici'
import type { TestPage } from './browser.ts'

interface Message {
  id?: number
  type: 'success' | 'error' | 'event'
  method?: string
  params?: { text?: string; url?: string }
  message?: string
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers freely
  result?: any
}

const preferences = {
  'media.autoplay.default': 0,
  'media.autoplay.blocking_policy': 0,
  'media.autoplay.block-webaudio': false,
  'network.proxy.type': 0,
  'app.normandy.enabled': false,
  'browser.safebrowsing.downloads.remote.enabled': false,
  'datareporting.policy.dataSubmissionEnabled': false,
  'services.settings.server': 'data:,',
  'toolkit.telemetry.enabled': false,
}

/** Undefined if it is not installed. */
export function findFirefox(): string | undefined {
  const folders = (process.env.PATH ?? '').split(delimiter)
  return ['firefox-esr', 'firefox']
    .flatMap(name => folders.map(folder => join(folder, name)))
    .find(file => existsSync(file))
}

/** `profile`: an empty folder. */
export async function openFirefox(program: string, profile: string): Promise<TestPage> {
  const lines = Object.entries(preferences).map(
    ([name, value]) => `user_pref(${JSON.stringify(name)}, ${JSON.stringify(value)});`,
  )
  await writeFile(join(profile, 'user.js'), lines.join('\n'))
  const args = ['--headless', '--no-remote', '--profile', profile, '--remote-debugging-port=0']
  const browser = spawn(program, [...args, '--width=1000', '--height=800', 'about:blank'], {
    env: { ...process.env, HOME: profile },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const address = await new Promise<string>((resolve, reject) => {
    let said = ''
    browser.stderr.setEncoding('utf8').on('data', (piece: string) => {
      said += piece
      const [, found] = /WebDriver BiDi listening on (ws:\S+)\s/.exec(said) ?? []
      if (found) resolve(found)
    })
    browser.once('exit', () => reject(new Error(`Firefox has ended: ${said.slice(-400)}`)))
  })
  const socket = new WebSocket(`${address}/session`)
  const answers = new EventEmitter()
  const events: string[] = []
  socket.addEventListener('message', ({ data }) => {
    const message = JSON.parse(String(data)) as Message
    if (message.type === 'event')
      events.push(`${message.method} ${message.params?.text ?? message.params?.url}`)
    else answers.emit(String(message.id), message)
  })
  await new Promise((resolve, reject) => {
    socket.addEventListener('open', resolve)
    socket.addEventListener('error', reject)
  })
  let count = 0

  async function send(method: string, params: object = {}) {
    const id = ++count
    const answered = once(answers, String(id))
    socket.send(JSON.stringify({ id, method, params }))
    const [{ type, message, result }] = (await answered) as [Message]
    if (type === 'error') throw new Error(`${method}: ${message}`)
    return result
  }

  await send('session.new', { capabilities: {} })
  await send('session.subscribe', { events: ['log.entryAdded', 'browsingContext.userPromptOpened'] })
  const { contexts } = await send('browsingContext.getTree')
  const context = contexts[0].context as string
  await send('browsingContext.setViewport', { context, viewport: { width: 1000, height: 800 } })
  const perform = (id: string, type: string, actions: object[], parameters?: object) =>
    send('input.performActions', {
      context,
      actions: [{ id, type, actions, ...(parameters && { parameters }) }],
    })

  return {
    events,
    async goto(url) {
      await send('browsingContext.navigate', { context, url, wait: 'complete' })
    },
    async evaluate(expression) {
      // As JSON: values of this protocol have types of their own.
      const { type, result, exceptionDetails } = await send('script.evaluate', {
        expression: `Promise.resolve(${expression}).then(value => JSON.stringify(value))`,
        ...{ target: { context }, awaitPromise: true, userActivation: true },
      })
      if (type === 'exception') throw new Error(exceptionDetails.text)
      return result.type === 'undefined' ? undefined : JSON.parse(result.value)
    },
    async beforeScripts(source) {
      await send('script.addPreloadScript', { functionDeclaration: `() => { ${source} }` })
    },
    async resize(width, height) {
      await send('browsingContext.setViewport', { context, viewport: { width, height } })
    },
    async click(x, y) {
      await perform('mouse', 'pointer', [
        { type: 'pointerMove', x: Math.round(x), y: Math.round(y) },
        { type: 'pointerDown', button: 0 },
        { type: 'pointerUp', button: 0 },
      ])
    },
    async press(key) {
      const value = keyValues[key] ?? key
      await perform('keyboard', 'key', [
        { type: 'keyDown', value },
        { type: 'keyUp', value },
      ])
    },
    async close() {
      const ended = once(browser, 'exit')
      await send('browser.close').catch(() => browser.kill())
      await ended
    },
  }
}

/** Of WebDriver. */
const keyValues: Record<string, string> = {
  Enter: '\ue007',
  Escape: '\ue00c',
  ArrowLeft: '\ue012',
  ArrowRight: '\ue014',
}
