// The home page in a real Chromium: sign-in, an upload, its order on the emulated cloud, the bar, the viewer, and axe.
import { readFile, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { uploadFiles } from '../../src/drivers/uploads/files.ts'
import { createUploads } from '../../src/drivers/uploads/uploads.ts'
import { serveHttp } from '../../src/server/http/http.ts'
import { createSeals } from '../../src/server/http/pages/seals.ts'
import { fixture, type HttpServer, startHttpServer, tempFolder } from '../support/e2e/system.ts'
import { openTerminal } from '../support/e2e/terminal.ts'
import { fakeJobs } from '../support/jobs/fake-jobs.ts'
import { type BrowserPage, findChromium, openBrowser } from '../viewer/browser.ts'

const token = 'ann-0123456789abcdef'
const hostile = '</h3><img src=x onerror=alert(1)> عنوان'
const faults: string[] = []

function tell(name: string, value: unknown, isFine: boolean): void {
  process.stdout.write(`${isFine ? 'ok  ' : 'BAD '} ${name}: ${JSON.stringify(value)}\n`)
  if (!isFine) faults.push(name)
}

const program = findChromium()
if (!program) throw new Error('Chromium is not installed.')
const [profile, terminal] = await Promise.all([tempFolder(), openTerminal()])
const server = await startHttpServer({ ...terminal.env, SPEECH_TOKENS: `ann:${token}` })
const page = await openBrowser(program, profile.path)
try {
  await run(page, server)
  await endSession(page)
} finally {
  await page.close()
  await server.stop()
  await terminal.close()
  await profile.remove()
}
process.exitCode = faults.length > 0 ? 1 : 0

async function run(page: BrowserPage, server: HttpServer): Promise<void> {
  const { origin } = new URL(server.url)
  await page.goto(`${origin}/`)
  await until('the form for a token', "!document.getElementById('token-form').hidden")
  await checkAxe('sign-in')
  await signIn('wrong')
  await until(
    'a wrong token is told',
    "document.getElementById('status').textContent.includes('does not know')",
  )
  await signIn(token)
  await until(
    'nothing is there yet',
    "document.getElementById('found').textContent.includes('no transcripts')",
  )
  await choose(fixture('interview.mp3'))
  await until(
    'the price',
    "/at most \\$0\\.\\d+/.test(document.querySelector('#uploads .state')?.textContent)",
  )
  tell('price', await textOf('#uploads .state'), true)
  await checkAxe('an upload')
  const release = terminal.dashscope.fault({ kind: 'hang' })
  await page.evaluate("document.querySelector('#uploads form').requestSubmit()")
  await until('a job with a bar', "document.querySelector('#jobs progress') !== null")
  await checkAxe('a job')
  tell('state of the job', await textOf('#jobs .state'), true)
  release()
  await page.evaluate("document.querySelector('#jobs button').click()")
  await until('a cancelled job', "document.querySelector('#jobs progress') === null")
  await choose(fixture('clip.mp4'))
  await until('the price of another', "document.querySelector('#uploads form') !== null")
  await page.evaluate("document.querySelector('#uploads form').requestSubmit()")
  await until('a transcript', "document.querySelector('#list h3')?.textContent === 'clip'")
  await until('a finished transcript', "document.querySelector('#list details') !== null")
  await page.evaluate("document.querySelector('#list .actions > button').click()")
  await page.evaluate(`document.getElementById('new-title').value = ${JSON.stringify(hostile)}`)
  await page.evaluate("document.querySelector('#rename button').click()")
  await until(
    'a hostile title as text',
    `document.querySelector('#list h3').textContent === ${JSON.stringify(hostile)}`,
  )
  tell('elements in the title', await page.evaluate("document.querySelectorAll('h3 img').length"), true)
  await search('the')
  await until('passages with times', "document.querySelector('.matches a')?.textContent.includes(':')")
  await checkAxe('a search')
  const [link, file] = await page.evaluate<string[]>(
    "[document.querySelector('.matches a').href, document.querySelector('#list details a').href]",
  )
  const download = await page.evaluate<string>(
    `fetch(${JSON.stringify(file)}).then(answer => answer.headers.get('content-disposition'))`,
  )
  tell('a download', download, download?.startsWith('attachment') ?? false)
  await page.goto(link!)
  await until(
    'the viewer at a time',
    "location.pathname.startsWith('/t/') && /^#t=\\d+$/.test(location.hash)",
  )
  await until('its text', "document.querySelectorAll('.row').length > 0")
  await page.goto(`${origin}/`)
  await until('the session goes on', "document.querySelector('#list h3') !== null")
  await page.evaluate("document.querySelector('#list .actions > button:last-child').click()")
  await checkAxe('the question before a deletion')
  await page.evaluate("document.querySelector('#delete button[value=yes]').click()")
  await until('nothing is left', "document.getElementById('list').children.length === 0")
  await page.evaluate("document.getElementById('sign-out').click()")
  await until('the form again', "document.getElementById('sign-in')?.hidden === false")
  const foreign = page.events.filter(event => !event.startsWith('Network') || !event.includes(origin))
  // The wrong token, and each upload before it begins, are lines in the console.
  const isExpected = /"blob:|"data:|"level":"verbose"|status of 401|status of 404.*\/uploads\//
  const bad = foreign.filter(event => !isExpected.test(event))
  tell('errors and requests elsewhere', bad, bad.length === 0)
}

/** The clock of a server in this process goes on while a recording is being sent. */
async function endSession(page: BrowserPage): Promise<void> {
  const folder = await tempFolder()
  const file = join(folder.path, 'long.wav')
  await writeFile(file, Buffer.alloc(2_000_000, 7))
  let moved = 0
  const planned = { audio: '', name: '', id: 'tr_1', content: '', state: 'new' as const, seconds: 60 }
  const plan = { recordings: [planned], copies: [], unreadable: [], seconds: 60, newSeconds: 60 }
  const jobs = { ...fakeJobs(), plan: async () => ({ ...plan, usd: 0.5, unknownLengths: 0 }) }
  const uploads = createUploads({
    store: uploadFiles(join(folder.path, 'uploads')),
    maxBytes: 50e6,
    jobs: { unfinishedJobs: async () => [] },
  })
  const seals = createSeals(async () => Buffer.alloc(32, 1))
  const tokens = [{ name: 'ann', token }]
  const server = await serveHttp(
    { jobs, uploads, seals, version: '0', waitSeconds: 45 },
    { host: '127.0.0.1', port: 0, tokens, limits: { now: () => Date.now() + moved } },
  )
  try {
    await page.goto(`${new URL(server.url).origin}/`)
    await until('a form', "!document.getElementById('token-form').hidden")
    await signIn(token)
    await until('a home page', "!document.getElementById('upload').hidden")
    await throttle(400_000)
    await choose(file)
    await until('an upload', "document.querySelector('#uploads progress')?.value > 0")
    moved = 13 * 3600_000
    await search('word')
    await until('the form when the session has ended', "!document.getElementById('sign-in').hidden")
    tell('transcripts that stay', await page.evaluate("document.querySelectorAll('#list li').length"), true)
    await until('the upload has gone on', "document.querySelector('#uploads form') !== null")
    await throttle(-1)
    await signIn(token)
    await until('its price after the sign-in', "document.body.innerText.includes('at most $0.5000')")
  } finally {
    await server.close(async () => jobs.release())
    await uploads.close()
    await folder.remove()
  }
}

async function throttle(uploadThroughput: number): Promise<void> {
  const line = { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput }
  await page.send('Network.emulateNetworkConditions', line)
}

function signIn(given: string): Promise<void> {
  return page.evaluate(
    `document.getElementById('token').value = '${given}'; document.getElementById('token-form').requestSubmit()`,
  )
}

function search(words: string): Promise<void> {
  return page.evaluate(
    `document.getElementById('query').value = '${words}'; document.getElementById('search').requestSubmit()`,
  )
}

async function choose(file: string): Promise<void> {
  const { root } = (await page.send('DOM.getDocument')) as { root: { nodeId: number } }
  const found = await page.send('DOM.querySelector', { nodeId: root.nodeId, selector: '#files' })
  await page.send('DOM.setFileInputFiles', { nodeId: found.nodeId, files: [file] })
}

function textOf(selector: string): Promise<string> {
  return page.evaluate(`document.querySelector(${JSON.stringify(selector)}).textContent`)
}

/** Looks with each frame of the page. */
async function until(name: string, condition: string): Promise<void> {
  const seconds = 60
  const look = () =>
    page.evaluate<boolean>(
      `(async () => { const end = Date.now() + ${seconds * 1000}
      while (!(${condition})) { if (Date.now() > end) return false; await new Promise(requestAnimationFrame) }
      return true })()`,
    )
  // The page begins again after a sign-out.
  const holds = await look().catch(look)
  if (!holds) {
    const shown = await page.evaluate<string>('document.body.innerText')
    throw new Error(`${name}: not within ${seconds} s. The page shows: ${shown}`)
  }
  tell(name, true, true)
}

async function checkAxe(name: string): Promise<void> {
  const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
  await page.evaluate(`${axe}; 0`)
  for (const value of ['light', 'dark'])
    for (const width of [1000, 320]) {
      await page.send('Emulation.setEmulatedMedia', { features: [{ name: 'prefers-color-scheme', value }] })
      const size = { width, height: 700, deviceScaleFactor: 1, mobile: false }
      await page.send('Emulation.setDeviceMetricsOverride', size)
      const found = await page.evaluate<string[]>(
        'axe.run().then(({ violations }) => violations.map(({ id, nodes }) => id + ": " + nodes[0].html))',
      )
      const isWide = await page.evaluate<boolean>('document.documentElement.scrollWidth > innerWidth')
      tell(`axe, ${name}, ${value}, ${width} px`, found, found.length === 0)
      if (isWide) tell(`${name} is wider than ${width} px`, true, false)
    }
}
