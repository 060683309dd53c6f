// The queue that machines share: the contract of a queue, and what only a service far away does to it.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { type MnsEmulator, startMns } from '../../emulators/mns/mns.ts'
import { describeError } from '../../src/domain/errors.ts'
import type { Delivery, Disposition, JobMessage } from '../../src/domain/queue.ts'
import { type MnsQueue, mnsQueue } from '../../src/drivers/queue/mns/mns.ts'
import type { MnsOptions } from '../../src/drivers/queue/mns/options.ts'
import { queueContract } from '../support/contracts/queue.ts'
import { failure } from '../support/failure.ts'
import { createLatch } from '../support/jobs/harness.ts'

const { signal } = new AbortController()
const patient = { timeout: 15_000, interval: 5 }

function openQueue(
  { endpoint, accessKeyId, accessKeySecret }: MnsEmulator,
  more: Partial<MnsOptions> = {},
): MnsQueue {
  const key = { accessKeyId, accessKeySecret }
  const wish = {
    concurrency: 4,
    ownersOf: async () => ['ann'],
    firstDelaySeconds: 0.01,
    visibilitySeconds: 2,
    ...more,
  }
  return mnsQueue({ endpoint, key, queue: 'jobs', ...wish })
}

async function startQueue(): Promise<MnsEmulator> {
  const mns = await startMns()
  await openQueue(mns).setUp(signal)
  return mns
}

queueContract('MNS', async () => {
  const mns = await startQueue()
  return { open: concurrency => openQueue(mns, { concurrency }), remove: mns.close }
})

describe('the queue that machines share', () => {
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

  function queueOf(more: Partial<MnsOptions> = {}): MnsQueue {
    const queue = openQueue(mns, more)
    open.push(queue)
    return queue
  }

  const ticket: JobMessage = { id: 'tr_1', owner: 'ann', lane: 'long' }

  /** What each call of the work is handed; they are told what to say. */
  function served(
    queue: MnsQueue,
    say: (n: number, hand: Delivery) => Disposition | Promise<Disposition>,
  ): JobMessage[] {
    const handed: JobMessage[] = []
    queue.serve(async (ticket, hand) => say(handed.push(ticket), hand))
    return handed
  }

  it('carries an id and nothing else', async () => {
    await queueOf().send({ ...ticket, owner: 'a secret name' })
    const [message] = mns.messages()
    expect(JSON.parse(Buffer.from(message!.body, 'base64').toString())).toEqual({ v: 1, job: 'tr_1' })
  })

  it('hands out again what nobody has extended, and not what somebody does', async () => {
    const { open: release, opened: released } = createLatch()
    const queue = queueOf()
    await queue.send(ticket)
    const extending = served(queue, async (_, hand) => {
      const timer = setInterval(() => void hand.extend(), 100)
      await released
      clearInterval(timer)
      return 'done' as const
    })
    const other = served(queueOf(), () => 'done')
    await vi.waitFor(
      () =>
        expect(
          mns.calls.filter(({ operation }) => operation === 'ChangeMessageVisibility').length,
        ).toBeGreaterThan(3),
      patient,
    )
    expect([extending.length, other.length].sort()).toEqual([0, 1])
    release()
    await vi.waitFor(() => expect(mns.messages()).toEqual([]), patient)
    expect([extending.length, other.length].sort()).toEqual([0, 1])
  })

  it('hands out at once what a worker gives back, and later what somebody else is at', async () => {
    const queue = queueOf()
    await queue.send(ticket)
    const verdicts: Disposition[] = ['now', 'later', 'done']
    const handed = served(queue, n => verdicts[n - 1]!)
    await vi.waitFor(() => expect(mns.messages()).toEqual([]), patient)
    expect(handed).toHaveLength(3)
  })

  it('sends again what a proxy has answered, and takes no page for an answer', async () => {
    mns.fault({ operation: 'SendMessage', times: 3, how: { kind: 'html' } })
    await queueOf().send(ticket)
    expect(mns.messages()).toHaveLength(1)
  })

  it('sends twice rather than never where the answer was lost', async () => {
    mns.fault({ operation: 'SendMessage', times: 1, how: { kind: 'lose' } })
    await queueOf().send(ticket)
    expect(mns.messages()).toHaveLength(2)
  })

  it('goes on serving when the service comes back, and says since when it is silent', async () => {
    const off = mns.fault({ operation: 'ReceiveMessage', how: { kind: 'html' } })
    const queue = queueOf()
    const handed = served(queue, () => 'done')
    await vi.waitFor(() => expect(queue.unreachableSince()).toBeGreaterThan(Date.now() - 10_000), patient)
    off()
    await queue.send(ticket)
    await vi.waitFor(() => expect(handed).toHaveLength(1), patient)
    expect(queue.unreachableSince()).toBeUndefined()
  })

  it('gives up a message that no version of ours understands only after a while', async () => {
    const { default: Client } = (await import('@alicloud/mns' as string)) as {
      default: new (
        account: string,
        options: object,
      ) => { sendMessage(queue: string, message: object): Promise<unknown> }
    }
    const client = new Client(mns.accountId, { ...mns })
    for (const body of ['rubbish', '{}', '{"v":2,"job":"tr_1"}'])
      await client.sendMessage('jobs', { MessageBody: Buffer.from(body).toString('base64') })
    const handed = served(queueOf(), () => 'done')
    await vi.waitFor(() => expect(mns.messages()).toEqual([]), patient)
    expect(handed).toEqual([])
  })

  it('leaves a message alone while the store cannot say whose it is', async () => {
    let isFailing = true
    const queue = queueOf({ ownersOf: async () => (isFailing ? Promise.reject(new Error('No.')) : ['ann']) })
    await queue.send(ticket)
    const handed = served(queue, () => 'done')
    await vi.waitFor(() => expect(mns.messages()[0]?.dequeued).toBeGreaterThan(1), patient)
    isFailing = false
    await vi.waitFor(() => expect(mns.messages()).toEqual([]), patient)
    expect(handed).toEqual([ticket])
  })

  it('works for each who has a job of this id', async () => {
    const queue = queueOf({ ownersOf: async () => ['ann', 'ben'] })
    await queue.send(ticket)
    const handed = served(queue, () => 'done')
    await vi.waitFor(() => expect(mns.messages()).toEqual([]), patient)
    expect(handed.map(({ owner }) => owner)).toEqual(['ann', 'ben'])
  })

  it('with one place serves both lanes', async () => {
    const queue = queueOf({ concurrency: 1, pollSeconds: 1 })
    const handed = served(queue, () => 'done')
    await queue.send({ ...ticket, id: 'note', lane: 'brief' })
    await queue.send(ticket)
    await vi.waitFor(() => expect(handed.map(({ id }) => id).sort()).toEqual(['note', 'tr_1']), patient)
  })

  it('ends at once though it waits for a message', async () => {
    const queue = queueOf({ pollSeconds: 20 })
    served(queue, () => 'done')
    await vi.waitFor(
      () => expect(mns.calls.filter(({ operation }) => operation === 'ReceiveMessage')).toHaveLength(2),
      patient,
    )
    await queue.close()
    await queueOf().send(ticket)
    expect(mns.messages()).toMatchObject([{ dequeued: 0 }])
  })

  it.each<[string, (mns: MnsEmulator) => Partial<MnsOptions>, string, RegExp]>([
    [
      'a wrong key',
      () => ({ key: { accessKeyId: 'who', accessKeySecret: 'what' } }),
      'QUEUE_REFUSED',
      /ALIBABA_ACCESS_KEY/,
    ],
    [
      'a wrong secret',
      ({ accessKeyId }) => ({ key: { accessKeyId, accessKeySecret: 'what' } }),
      'QUEUE_REFUSED',
      /ALIBABA_SECRET_KEY/,
    ],
    ['a queue that is not there', () => ({ queue: 'others' }), 'QUEUE_NOT_SET_UP', /doctor/],
    [
      'a missing right',
      mns => {
        mns.set({ forbidden: ['SendMessage'] })
        return {}
      },
      'QUEUE_REFUSED',
      /mns:SendMessage/,
    ],
  ])('says what to do about %s, and tells no secret', async (_, wrong, code, hint) => {
    const error = await failure(queueOf(wrong(mns)).send(ticket))
    expect(error).toMatchObject({ code, retryable: false })
    expect(error.hint).toMatch(hint)
    expect(describeError(error)).not.toMatch(/127\.0\.0\.1|what|LTAI/)
  })

  it('makes what is missing once, and finds it then without the right to make anything', async () => {
    await mns.close()
    mns = await startMns()
    const [one, other] = await Promise.all([queueOf().setUp(signal), queueOf().setUp(signal)])
    expect(mns.queues().toSorted()).toEqual(['jobs', 'jobs-brief'])
    expect([...one, ...other].join(' ')).toContain('was made')
    mns.set({ forbidden: ['CreateQueue'] })
    expect(await queueOf().setUp(signal)).toEqual(['Queue jobs is there.', 'Queue jobs-brief is there.'])
  })
})
