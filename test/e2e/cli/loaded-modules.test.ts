// Lazy loading: the cloud client libraries are loaded only when they are needed.
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startMns } from '../../../emulators/mns/mns.ts'
import { startOss } from '../../../emulators/oss/oss.ts'
import { startTablestore } from '../../../emulators/tablestore/tablestore.ts'
import { entry } from '../../support/e2e/system.ts'
import { openTerminal, type Terminal } from '../../support/e2e/terminal.ts'

const cloudLibraries = ['tablestore', '@alicloud/mns', 'ali-oss', 'prom-client']

let terminal: Terminal
beforeAll(async () => {
  terminal = await openTerminal()
  await writeFile(
    join(terminal.work, 'note.cjs'),
    `process.on('exit', () => require('node:fs').writeFileSync(process.env.LOADED, Object.keys(require('node:module')._cache).join('\\n')))`,
  )
})
afterAll(() => terminal.close())

/** The packages among the modules that a command has loaded by its end. */
async function loadedBy(args: string[], env: Record<string, string> = {}): Promise<string[]> {
  const file = join(terminal.work, `loaded-by-${args[0] ?? 'serve'}`)
  const NODE_OPTIONS = `--require ${JSON.stringify(join(terminal.work, 'note.cjs'))}`
  await terminal.start(args, { env: { ...env, NODE_OPTIONS, LOADED: file }, input: '' }).result
  const modules = (await readFile(file, 'utf8')).split('\n').map(name => name.replaceAll('\\', '/'))
  expect(modules.length).toBeGreaterThan(0)
  return cloudLibraries.filter(name => modules.some(module => module.includes(`/node_modules/${name}/`)))
}

it('the program carries no library that it never calls', async () => {
  const folder = join(dirname(entry), 'chunks')
  const chunks = await Promise.all(
    (await readdir(folder)).map(name => readFile(join(folder, name), 'latin1')),
  )
  const carried = ['validators of JSON Schema', 'decompression'].filter((_, i) =>
    chunks.some(text => [/\bajv\b/i, /\bunzip/i][i]!.test(text)),
  )
  expect(carried).toEqual([])
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
