// Doctor's checks of the shared store and queue: created, found, refused, misconfigured or unreachable.
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type MnsEmulator, startMns } from '../../../emulators/mns/mns.ts'
import { type OssEmulator, startOss } from '../../../emulators/oss/oss.ts'
import { startTablestore, type TablestoreEmulator } from '../../../emulators/tablestore/tablestore.ts'
import { type App, createApp } from '../../../src/app.ts'
import { checkQueue, checkStore } from '../../../src/cli/doctor/team.ts'
import { type Config, readConfig } from '../../../src/config/config.ts'
import { describeError } from '../../../src/domain/errors.ts'
import { openTerminal, type Terminal } from '../../support/e2e/terminal.ts'
import { failure } from '../../support/failure.ts'

const nowhere = 'http://127.0.0.1:1'
/** Milliseconds; more than a emulator needs, and less than a test should take. */
const shortMs = 500

interface Cloud {
  tablestore: TablestoreEmulator
  mns: MnsEmulator
  oss: OssEmulator
  env: Record<string, string>
}

const key = { accessKeyId: 'LTAI5tTeam', accessKeySecret: 'secret-of-the-team' }
const open: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of open.splice(0).toReversed()) await close()
})

async function startCloud(): Promise<Cloud> {
  const [tablestore, mns, oss] = await Promise.all([startTablestore(key), startMns(key), startOss()])
  open.push(tablestore.close, mns.close, oss.close)
  const env = {
    TABLESTORE_ENDPOINT: tablestore.endpoint,
    TABLESTORE_INSTANCE: tablestore.instance,
    MNS_ENDPOINT: mns.endpoint,
    OSS_BUCKET: oss.bucket,
    OSS_ENDPOINT: oss.endpoint,
    OSS_REGION: oss.region,
    OSS_ACCESS_KEY_ID: oss.accessKeyId,
    OSS_ACCESS_KEY_SECRET: oss.accessKeySecret,
    ALIBABA_ACCESS_KEY: key.accessKeyId,
    ALIBABA_SECRET_KEY: key.accessKeySecret,
  }
  return { tablestore, mns, oss, env }
}

/** The two checks as the command makes them. */
async function checks(env: Record<string, string>, limit?: number) {
  const config: Config = readConfig({ PATH: '', SPEECH_DATA_DIR: '/nowhere', ...env })
  const app: App = await createApp(config)
  open.push(app.close)
  return {
    store: () => checkStore(app.setUpStore!, config, limit),
    queue: (isBucketGood = true) => checkQueue(app.setUpQueue!, config, isBucketGood, limit),
  }
}

describe('a reachable store and queue', () => {
  it('the check creates missing tables and queues, and then finds them', async () => {
    const { tablestore, mns, env } = await startCloud()
    const { store, queue } = await checks(env)
    const made = [await store(), (await queue()).text]
    expect(Object.keys(tablestore.tables()).length).toBeGreaterThan(1)
    expect(mns.queues().toSorted()).toEqual(['speech-jobs', 'speech-jobs-brief'])
    expect(made[0]).toContain(`Tablestore at ${new URL(tablestore.endpoint).host}: `)
    for (const table of Object.keys(tablestore.tables())) expect(made[0]).toContain(table)
    for (const name of mns.queues()) expect(made[1]).toContain(name)

    // The keys of servers and workers may not make anything, and doctor is run with them, too.
    tablestore.set({ forbidden: ['CreateTable', 'CreateSearchIndex'] })
    mns.set({ forbidden: ['CreateQueue'] })
    expect([await store(), (await queue()).text]).not.toEqual(made)
  })

  it('the queue check warns if workers cannot download recordings', async () => {
    const { env } = await startCloud()
    const { queue } = await checks(env)
    expect(await queue(true)).toMatchObject({ isOn: true })
    const { isOn, text } = await queue(false)
    expect(isOn).toBe(false)
    expect(text).toContain('recordings do not reach the workers')
  })
})

describe('a store or queue with a problem', () => {
  it('the check names missing permissions', async () => {
    const { tablestore, mns, env } = await startCloud()
    tablestore.set({ forbidden: ['CreateTable'] })
    mns.set({ forbidden: ['CreateQueue'] })
    const { store, queue } = await checks(env)
    const [ofStore, ofQueue] = [await failure(store()), await failure(queue())]
    expect(ofStore.code).toBe('STORE_REFUSED')
    expect(ofStore.hint).toContain('ots:CreateTable')
    expect(ofQueue.code).toBe('QUEUE_REFUSED')
    expect(ofQueue.hint).toContain('mns:CreateQueue')
  })

  it('the check reports a wrong key without printing it', async () => {
    const { env } = await startCloud()
    const { store, queue } = await checks({ ...env, ALIBABA_SECRET_KEY: 'another-secret' })
    const errors = [await failure(store()), await failure(queue())]
    expect(errors.map(({ code }) => code)).toEqual(['STORE_REFUSED', 'QUEUE_REFUSED'])
    for (const error of errors) expect(describeError(error)).not.toMatch(/LTAI5tTeam|another-secret/)
  })

  it.each<[string, (cloud: Cloud) => Record<string, string>]>([
    ['that nobody listens at', () => ({ TABLESTORE_ENDPOINT: nowhere, MNS_ENDPOINT: nowhere })],
    [
      'that never answers',
      ({ tablestore, mns }) => {
        tablestore.fault({ how: { kind: 'hang' } })
        mns.fault({ how: { kind: 'hang' } })
        return {}
      },
    ],
  ])('the check times out at an address %s', async (_, wrong) => {
    const cloud = await startCloud()
    const { store, queue } = await checks({ ...cloud.env, ...wrong(cloud) }, shortMs)
    const [ofStore, ofQueue] = await Promise.all([failure(store()), failure(queue())])
    expect(ofStore.code).toBe('STORE_FAILED')
    expect(ofStore.hint).toContain('TABLESTORE_ENDPOINT')
    expect(ofQueue.code).toBe('QUEUE_FAILED')
    expect(ofQueue.hint).toContain('MNS_ENDPOINT')
  })
})

describe('a check of the shared services', () => {
  const at = { tablestoreEndpoint: 'https://inst.eu-central-1.ots.aliyuncs.com' }

  it('a check joins several findings into one line', async () => {
    const setUp = async () => ['Table speech_a was made.', 'Table speech_b was there.']
    expect(await checkStore(setUp, at)).toBe(
      'Tablestore at inst.eu-central-1.ots.aliyuncs.com: Table speech_a was made; table speech_b was there',
    )
  })

  it('a check times out even if the work ignores its signal', async () => {
    const error = await failure(checkStore(() => new Promise(() => {}), at, 20))
    expect(error).toMatchObject({
      code: 'STORE_FAILED',
      hint: expect.stringContaining('TABLESTORE_ENDPOINT'),
    })
  })
})

describe('speech-mcp doctor', () => {
  let terminal: Terminal
  beforeAll(async () => {
    terminal = await openTerminal()
  })
  afterAll(() => terminal.close())

  const lines = (stdout: string) => stdout.match(/^(?:ok {4}|-- {4}|FAIL {2})[\w ]+(?=: )/gm)

  it('doctor prints one line for the store and one for the queue', async () => {
    const { env, tablestore } = await startCloud()
    const { code, stdout, stderr } = await terminal.run(['doctor'], { env })
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(lines(stdout)?.slice(2, 5)).toEqual(['ok    uploads', 'ok    store', 'ok    queue'])
    expect(stdout).not.toContain(tablestore.accessKeySecret)
  })

  it('doctor warns about a queue without a working bucket and exits with 1', async () => {
    const { env, oss } = await startCloud()
    await oss.close()
    const { code, stdout } = await terminal.run(['doctor'], { env })
    expect(code).toBe(1)
    expect(lines(stdout)?.slice(2, 5)).toEqual(['FAIL  uploads', 'ok    store', '--    queue'])
  })
})
