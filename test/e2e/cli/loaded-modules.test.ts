// Lazy loading: the cloud client libraries are loaded only when they are needed.
import { readdir, readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startMns } from '../../../emulators/mns/mns.ts'
import { startOss } from '../../../emulators/oss/oss.ts'
import { startTablestore } from '../../../emulators/tablestore/tablestore.ts'
import { entry } from '../../support/e2e/system.ts'
import { openTerminal, type Terminal } from '../../support/e2e/terminal.ts'
import { noteLoadedModules } from '../../support/loaded-modules.ts'

/** Files of dist/vendor/, and the packages they are. */
const cloudLibraries = {
  tablestore: 'tablestore',
  'alicloud-mns': '@alicloud/mns',
  'ali-oss': 'ali-oss',
  'prom-client': 'prom-client',
  'tus-server': '@tus/server',
}

let terminal: Terminal
beforeAll(async () => {
  terminal = await openTerminal()
})
afterAll(() => terminal.close())

/** The packages among the modules that a command has loaded by its end. */
async function loadedBy(args: string[], env: Record<string, string> = {}): Promise<string[]> {
  const noted = await noteLoadedModules(terminal.work, args[0] ?? 'serve')
  await terminal.start(args, { env: { ...env, ...noted.env }, input: '' }).result
  const modules = await noted.loaded()
  expect(modules.some(url => url.includes('/dist/chunks/'))).toBe(true)
  return Object.entries(cloudLibraries)
    .filter(([name]) => modules.some(url => url.endsWith(`/dist/vendor/${name}.js`)))
    .map(([, library]) => library)
}

/** The texts of the files in a folder of dist/. */
async function filesIn(name: string): Promise<string[]> {
  const folder = join(dirname(entry), name)
  const files = (await readdir(folder, { withFileTypes: true })).filter(one => one.isFile())
  return Promise.all(files.map(({ name: file }) => readFile(join(folder, file), 'latin1')))
}

it('the program carries no library that it never calls', async () => {
  const [chunks, packages] = await Promise.all([filesIn('chunks'), filesIn('vendor')])
  const isIn = (texts: string[], part: RegExp) => texts.some(text => part.test(text))
  expect({
    'validators of JSON Schema': isIn([...chunks, ...packages], /\bajv\b/i),
    // The client of the bucket has Node's.
    decompression: isIn(chunks, /\bunzip/i),
  }).toEqual({ 'validators of JSON Schema': false, decompression: false })
})

it('all scripts are ASCII, which V8 holds in half the memory', async () => {
  const dist = dirname(entry)
  const scripts = (await readdir(dist, { recursive: true })).filter(name => /\.c?js$/.test(name))
  expect(scripts.length).toBeGreaterThan(50)
  const texts = await Promise.all(scripts.map(name => readFile(join(dist, name), 'latin1')))
  expect(scripts.filter((_, index) => /[\u0080-\u00ff]/.test(texts[index]!))).toEqual([])
})

it('the server loads few files of its own until a client that only looks at it leaves', async () => {
  const noted = await noteLoadedModules(terminal.work, 'files')
  await terminal.start([], { env: noted.env, input: '' }).result
  const files = (await noted.loaded()).filter(url => url.includes('/dist/'))
  expect(files.length).toBeGreaterThan(2)
  // 42 before the shared ones lay in one: scripts/build/core.mjs.
  expect(files.length).toBeLessThan(10)
})

describe('commands without cloud settings', () => {
  it.each([[[]], [['transcribe', 'silence.wav']], [['doctor']]])(
    '%j loads no cloud library if no cloud service is configured',
    async args => {
      expect(await loadedBy(args)).toEqual([])
    },
  )
})

describe('commands with cloud settings', () => {
  const nowhere = 'http://127.0.0.1:1'
  const env = {
    TABLESTORE_ENDPOINT: nowhere,
    MNS_ENDPOINT: nowhere,
    OSS_ENDPOINT: nowhere,
    OSS_BUCKET: 'speech',
    ALIBABA_ACCESS_KEY: 'id',
    ALIBABA_SECRET_KEY: 'secret',
  }

  it('starting the server loads no cloud library', async () => {
    expect(await loadedBy([], env)).toEqual([])
  })

  it('doctor loads the libraries of the configured services', async () => {
    const [tables, mns, oss] = await Promise.all([startTablestore(), startMns(), startOss()])
    const endpoints = {
      TABLESTORE_ENDPOINT: tables.endpoint,
      MNS_ENDPOINT: mns.endpoint,
      OSS_ENDPOINT: oss.endpoint,
      OSS_REGION: oss.region,
    }
    expect(await loadedBy(['doctor'], { ...env, ...endpoints })).toEqual([
      'tablestore',
      '@alicloud/mns',
      'ali-oss',
    ])
    await Promise.all([tables.close(), mns.close(), oss.close()])
  })
})
