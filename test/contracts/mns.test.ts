// The MNS queue: the queue contract, and the failures of a remote service.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { type MnsEmulator, startMns } from '../../emulators/mns/mns.ts'
import { describeError } from '../../src/domain/errors.ts'
import type { Delivery, Disposition, JobMessage } from '../../src/domain/queue.ts'
import type { MnsOptions } from '../../src/drivers/queue/mns/client.ts'
import { type MnsQueue, mnsQueue } from '../../src/drivers/queue/mns/mns.ts'
import { queueContract } from '../support/contracts/queue.ts'
import { failure } from '../support/failure.ts'
import { createLatch } from '../support/jobs/harness.ts'

const { signal } = new AbortController()
const patiently = { interval: 5 }

function openQueue(
  { endpoint, accessKeyId, accessKeySecret }: MnsEmulator,
  more: Partial<MnsOptions> = {},
): MnsQueue {
  const key = { accessKeyId, accessKeySecret }
  const options = {
    concurrency: 4,
    ownersOf: async () => ['ann'],
    firstDelaySeconds: 0.01,
    visibilitySeconds: 2,
    ...more,
  }
  return mnsQueue({ endpoint, key, queue: 'jobs', ...options })
}

async function startQueue(): Promise<MnsEmulator> {
  const mns = await startMns()
  await openQueue(mns).setUp(signal)
  return mns
}

queueContract('MNS', async () => {
  const mns = await startQueue()
  // Its messages are not extended, and must not come twice on a busy machine.
  const open = (concurrency: number) => openQueue(mns, { concurrency, visibilitySeconds: 60 })
  return { open, remove: mns.close }
})

describe('the MNS queue', () => {
  let mns: MnsEmulator
  let open: MnsQueue[]
  beforeEach(async () => {
    mns = await startQueue()
    open = []
  })
  afterEach(async () => {
    for (const queue of open) await queue.close()
    await mns.close()
  })

  function openAndTrack(more: Partial<MnsOptions> = {}): MnsQueue {
    const queue = openQueue(mns, more)
    open.push(queue)
    return queue
  }

  const message: JobMessage = { id: 'tr_1', owner: 'ann', lane: 'long' }

  /** Messages in the order of delivery; `work` receives the number of the delivery. */
  function serve(
    queue: MnsQueue,
    work: (n: number, delivery: Delivery) => Disposition | Promise<Disposition>,
  ): JobMessage[] {
    const delivered: JobMessage[] = []
    queue.serve(async (message, delivery) => work(delivered.push(message), delivery))
    return delivered
  }

  it('a message carries only the job id', async () => {
    await openAndTrack().send({ ...message, owner: 'a secret name' })
    const [sent] = mns.messages()
    expect(JSON.parse(Buffer.from(sent!.body, 'base64').toString())).toEqual({ v: 1, job: 'tr_1' })
  })

  it('an extended message is not redelivered', async () => {
    const { open: release, opened: released } = createLatch()
    let now = Date.now()
    mns.set({ now: () => now })
    const queue = openAndTrack()
    await queue.send(message)
    const extending = serve(queue, async (_, delivery) => {
      const timer = setInterval(() => void delivery.extend(), 100)
      await released
      clearInterval(timer)
      return 'ack' as const
    })
    const other = serve(openAndTrack(), () => 'ack')
    const extensions = () => mns.calls.filter(({ operation }) => operation === 'ChangeMessageVisibility')
    // Most of its visibility timeout passes between two extensions, several times over.
    for (let count = 1; count <= 4; count++) {
      await vi.waitFor(() => expect(extensions().length).toBeGreaterThanOrEqual(count), patiently)
      now += 1_500
      mns.set({ now: () => now })
    }
    expect([extending.length, other.length].sort()).toEqual([0, 1])
    release()
    await vi.waitFor(() => expect(mns.messages()).toEqual([]), patiently)
    expect([extending.length, other.length].sort()).toEqual([0, 1])
  })

  it('a released message is redelivered at once, and a delayed one later', async () => {
    const queue = openAndTrack()
    await queue.send(message)
    const dispositions: Disposition[] = ['release', 'delay', 'ack']
    const delivered = serve(queue, n => dispositions[n - 1]!)
    await vi.waitFor(() => expect(mns.messages()).toEqual([]), patiently)
    expect(delivered).toHaveLength(3)
  })

  it('a send is retried if a proxy responds with a web page', async () => {
    mns.fault({ operation: 'SendMessage', times: 3, how: { kind: 'html' } })
    await openAndTrack().send(message)
    expect(mns.messages()).toHaveLength(1)
  })

  it('a send whose response was lost is sent twice rather than never', async () => {
    mns.fault({ operation: 'SendMessage', times: 1, how: { kind: 'lose' } })
    await openAndTrack().send(message)
    expect(mns.messages()).toHaveLength(2)
  })

  it('a queue reports the start of an outage and resumes after it', async () => {
    const off = mns.fault({ operation: 'ReceiveMessage', how: { kind: 'html' } })
    const queue = openAndTrack()
    const delivered = serve(queue, () => 'ack')
    await vi.waitFor(() => expect(queue.unreachableSince()).toBeGreaterThan(Date.now() - 10_000), patiently)
    off()
    await queue.send(message)
    await vi.waitFor(() => expect(delivered).toHaveLength(1), patiently)
    expect(queue.unreachableSince()).toBeUndefined()
  })

  it('an unreadable message is deleted only after several deliveries', async () => {
    const { default: Client } = (await import('@alicloud/mns' as string)) as {
      default: new (
        account: string,
        options: object,
      ) => { sendMessage(queue: string, message: object): Promise<unknown> }
    }
    const client = new Client(mns.accountId, { ...mns })
    for (const body of ['rubbish', '{}', '{"v":2,"job":"tr_1"}'])
      await client.sendMessage('jobs', { MessageBody: Buffer.from(body).toString('base64') })
    const delivered = serve(openAndTrack(), () => 'ack')
    await vi.waitFor(() => expect(mns.messages()).toEqual([]), patiently)
    expect(delivered).toEqual([])
  })

  it('a message is kept while the store cannot name its owners', async () => {
    let isFailing = true
    const queue = openAndTrack({
      ownersOf: async () => (isFailing ? Promise.reject(new Error('No.')) : ['ann']),
    })
    await queue.send(message)
    const delivered = serve(queue, () => 'ack')
    await vi.waitFor(() => expect(mns.messages()[0]?.dequeued).toBeGreaterThan(1), patiently)
    isFailing = false
    await vi.waitFor(() => expect(mns.messages()).toEqual([]), patiently)
    expect(delivered).toEqual([message])
  })

  it('a message runs the job of every owner that has this id', async () => {
    const queue = openAndTrack({ ownersOf: async () => ['ann', 'ben'] })
    await queue.send(message)
    const delivered = serve(queue, () => 'ack')
    await vi.waitFor(() => expect(mns.messages()).toEqual([]), patiently)
    expect(delivered.map(({ owner }) => owner)).toEqual(['ann', 'ben'])
  })

  it('a concurrency of one serves both lanes', async () => {
    const queue = openAndTrack({ concurrency: 1, pollSeconds: 1 })
    const delivered = serve(queue, () => 'ack')
    await queue.send({ ...message, id: 'note', lane: 'short' })
    await queue.send(message)
    await vi.waitFor(() => expect(delivered.map(({ id }) => id).sort()).toEqual(['note', 'tr_1']), patiently)
  })

  it('closing ends at once while a receive request is waiting', async () => {
    const queue = openAndTrack({ pollSeconds: 20 })
    serve(queue, () => 'ack')
    await vi.waitFor(
      () => expect(mns.calls.filter(({ operation }) => operation === 'ReceiveMessage')).toHaveLength(2),
      patiently,
    )
    await queue.close()
    await openAndTrack().send(message)
    expect(mns.messages()).toMatchObject([{ dequeued: 0 }])
  })

  it.each<[string, (mns: MnsEmulator) => Partial<MnsOptions>, string, RegExp]>([
    [
      'a wrong key',
      () => ({ key: { accessKeyId: 'unknown-id', accessKeySecret: 'wrong-secret' } }),
      'QUEUE_REFUSED',
      /ALIBABA_ACCESS_KEY/,
    ],
    [
      'a wrong secret',
      ({ accessKeyId }) => ({ key: { accessKeyId, accessKeySecret: 'wrong-secret' } }),
      'QUEUE_REFUSED',
      /ALIBABA_SECRET_KEY/,
    ],
    ['a missing queue', () => ({ queue: 'others' }), 'QUEUE_NOT_SET_UP', /doctor/],
    [
      'a missing permission',
      mns => {
        mns.set({ forbidden: ['SendMessage'] })
        return {}
      },
      'QUEUE_REFUSED',
      /mns:SendMessage/,
    ],
  ])('the error about %s names the remedy and no secret', async (_, wrong, code, hint) => {
    const error = await failure(openAndTrack(wrong(mns)).send(message))
    expect(error).toMatchObject({ code, retryable: false })
    expect(error.hint).toMatch(hint)
    expect(describeError(error)).not.toMatch(/127\.0\.0\.1|wrong-secret|LTAI/)
  })

  it('setting up creates missing queues once, and needs no permission to create existing ones', async () => {
    await mns.close()
    mns = await startMns()
    const [one, other] = await Promise.all([openAndTrack().setUp(signal), openAndTrack().setUp(signal)])
    expect(mns.queues().toSorted()).toEqual(['jobs', 'jobs-brief'])
    expect([...one, ...other].join(' ')).toContain('was created')
    mns.set({ forbidden: ['CreateQueue'] })
    expect(await openAndTrack().setUp(signal)).toEqual(['Queue jobs exists.', 'Queue jobs-brief exists.'])
  })
})
