// The MNS emulator, through the real client library.
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type MnsEmulator, type MnsOptions, startMns } from '../../emulators/mns/mns.ts'

interface Answer {
  code: number
  body: Record<string, string>
}

interface Client {
  [operation: string]: (...args: unknown[]) => Promise<Answer>
}

const usual = { VisibilityTimeout: 30, PollingWaitSeconds: 0, MessageRetentionPeriod: 600 }
let mns: MnsEmulator
let client: Client
let now: number

/** A client, possibly with a wrong key. */
async function clientOf(key: Partial<MnsEmulator & { securityToken: string }> = {}): Promise<Client> {
  const name: string = '@alicloud/mns'
  const { default: Library } = (await import(name)) as {
    default: new (account: string, options: object) => Client
  }
  const { endpoint, accountId, accessKeyId, accessKeySecret } = mns
  return new Library(accountId, { endpoint, accessKeyId, accessKeySecret, ...key })
}

async function restart(options: MnsOptions = {}): Promise<void> {
  await mns?.close()
  mns = await startMns({ now: () => now, ...options })
  client = await clientOf()
  await client.createQueue!('jobs', usual)
}

beforeEach(async () => {
  now = Date.now()
  await restart()
})
afterEach(() => mns.close())

const send = (body: string, more: object = {}) => client.sendMessage!('jobs', { MessageBody: body, ...more })
const receive = (wait = 0) => client.receiveMessage!('jobs', wait)

/** Advances the clock of the server, and wakes waiting receivers. */
function advance(seconds: number): void {
  now += 1000 * seconds
  mns.set({ now: () => now })
}

describe('queues', () => {
  it('a queue can be created again only with the same attributes', async () => {
    expect((await client.createQueue!('more', usual)).code).toBe(201)
    expect((await client.createQueue!('more', usual)).code).toBe(204)
    const other = client.createQueue!('more', { ...usual, VisibilityTimeout: 31 })
    await expect(other).rejects.toMatchObject({ name: 'MNSQueueAlreadyExistError' })
    await expect(client.createQueue!('bad!', usual)).rejects.toMatchObject({
      name: 'MNSInvalidQueueNameError',
    })
    const wide = client.createQueue!('wide', { VisibilityTimeout: 43_201 })
    await expect(wide).rejects.toMatchObject({ name: 'MNSInvalidArgumentError' })
  })

  it('a queue reports its message counts', async () => {
    for (const body of ['a', 'b', 'c']) await send(body)
    await send('d', { DelaySeconds: 5 })
    await receive()
    const { body } = await client.getQueueAttributes!('jobs')
    expect(body).toMatchObject({
      QueueName: 'jobs',
      ActiveMessages: '2',
      InactiveMessages: '1',
      DelayMessages: '1',
    })
  })

  it('operations on a missing queue are refused', async () => {
    await client.deleteQueue!('jobs')
    for (const asked of [send('a'), receive(), client.getQueueAttributes!('jobs')])
      await expect(asked).rejects.toMatchObject({ name: 'MNSQueueNotExistError' })
  })
})

describe('messages', () => {
  it('a message is delivered once while it is hidden, and deliveries are counted', async () => {
    const { body: sent } = await send('aGVsbG8=')
    const { body } = await receive()
    expect(body).toMatchObject({ MessageId: sent.MessageId, MessageBody: 'aGVsbG8=', DequeueCount: '1' })
    await expect(receive()).rejects.toMatchObject({ name: 'MNSMessageNotExistError' })
    advance(31)
    expect((await receive()).body.DequeueCount).toBe('2')
  })

  it('only the last receipt handle is valid, until the message becomes visible again', async () => {
    await send('a')
    const first = (await receive()).body.ReceiptHandle
    const { body } = await client.changeMessageVisibility!('jobs', first, 10)
    await expect(client.deleteMessage!('jobs', first)).rejects.toMatchObject({
      name: 'MNSMessageNotExistError',
    })
    advance(11)
    const late = client.deleteMessage!('jobs', body.ReceiptHandle)
    await expect(late).rejects.toMatchObject({ name: 'MNSMessageNotExistError' })
    expect((await client.deleteMessage!('jobs', (await receive()).body.ReceiptHandle)).code).toBe(204)
    expect(mns.messages()).toEqual([])
  })

  it('messages are delivered by priority, after their delay and within their retention period', async () => {
    await send('usual')
    await send('urgent', { Priority: 1 })
    await send('delayed', { DelaySeconds: 5 })
    expect((await receive()).body.MessageBody).toBe('urgent')
    expect((await receive()).body.MessageBody).toBe('usual')
    advance(6)
    expect((await receive()).body.MessageBody).toBe('delayed')
    advance(600)
    await expect(receive()).rejects.toMatchObject({ name: 'MNSMessageNotExistError' })
  })

  it('a message of more than 64 KB is refused', async () => {
    await expect(send('x'.repeat(65_537))).rejects.toMatchObject({ name: 'MNSMessageBodyTooLargeError' })
    expect((await send('x'.repeat(65_536))).code).toBe(201)
  })

  it('messages are sent, received and deleted in batches', async () => {
    await client.batchSendMessage!(
      'jobs',
      ['a', 'b', 'c'].map(MessageBody => ({ MessageBody })),
    )
    const found = (await client.batchReceiveMessage!('jobs', 16, 0)).body as unknown as Record<
      string,
      string
    >[]
    expect(found.map(({ MessageBody }) => MessageBody)).toEqual(['a', 'b', 'c'])
    await client.batchDeleteMessage!(
      'jobs',
      found.map(({ ReceiptHandle }) => ReceiptHandle),
    )
    expect(mns.messages()).toEqual([])
  })
})

describe('long polling', () => {
  it('a waiting receiver gets a message that is sent or becomes visible', async () => {
    const waiting = receive(20)
    await send('a')
    expect((await waiting).body.MessageBody).toBe('a')
    const again = receive(20)
    advance(31)
    expect((await again).body.DequeueCount).toBe('2')
  })

  it('a waiting receiver gets a message that becomes visible between two looks at the clock', async () => {
    for (let before = 1; before <= 7; before++) {
      await send(`after ${before}`, { DelaySeconds: 1 })
      let looks = 0
      const start = now
      mns.set({ now: () => (now = looks++ < before ? start : start + 2000) })
      const { body } = await receive(30)
      expect(body.MessageBody).toBe(`after ${before}`)
      await client.deleteMessage!('jobs', body.ReceiptHandle)
    }
  }, 10_000)

  it('a receiver that disconnects takes no message', async () => {
    const { default: http } = await import('node:http')
    const agent = new http.Agent()
    const waiting = client.get!('/queues/jobs/messages?waitseconds=20', 'Message', { agent })
    await new Promise<void>(resolve => {
      const look = () => (mns.calls.at(-1)?.operation === 'ReceiveMessage' ? resolve() : setImmediate(look))
      look()
    })
    agent.destroy()
    await expect(waiting).rejects.toThrow()
    // Waits until the server notices the disconnect.
    for (let n = 0; n < 3; n++) await client.getQueueAttributes!('jobs')
    await send('a')
    expect((await receive()).body).toMatchObject({ MessageBody: 'a', DequeueCount: '1' })
  })

  it('closing the server ends waiting receivers', async () => {
    const waiting = receive(20)
    await Promise.all([expect(waiting).rejects.toThrow(), mns.close()])
  })
})

describe('authentication', () => {
  it.each([
    [{ accessKeyId: 'who' }, 'MNSInvalidAccessKeyIdError'],
    [{ accessKeySecret: 'what' }, 'MNSSignatureDoesNotMatchError'],
    [{ securityToken: 'none' }, 'MNSInvalidSecurityTokenError'],
  ])('a request with %j is refused', async (key, name) => {
    const other = await clientOf(key)
    await expect(other.getQueueAttributes!('jobs')).rejects.toMatchObject({ name })
  })

  it('a request with a wrong clock or a forbidden operation is refused', async () => {
    mns.set({ now: () => now + 16 * 60_000 })
    await expect(send('a')).rejects.toMatchObject({ name: 'MNSTimeExpiredError' })
    mns.set({ now: () => now, forbidden: ['SendMessage'] })
    await expect(send('a')).rejects.toMatchObject({ name: 'MNSAccessDeniedError' })
  })
})

describe('faults', () => {
  it('the faults refuse, html, drop, swallow and lose apply once each', async () => {
    const fault = (how: Parameters<MnsEmulator['fault']>[0]['how']) =>
      mns.fault({ operation: 'SendMessage', times: 1, how })
    fault({ kind: 'refuse', status: 500, code: 'InternalServerError' })
    await expect(send('a')).rejects.toMatchObject({ name: 'MNSInternalServerErrorError' })
    fault({ kind: 'html' })
    expect((await send('b')).code).toBe(502)
    fault({ kind: 'drop' })
    await expect(send('c')).rejects.toThrow()
    fault({ kind: 'swallow' })
    expect((await send('d')).code).toBe(201)
    expect(mns.messages()).toEqual([])
    fault({ kind: 'lose' })
    await expect(send('e')).rejects.toThrow()
    expect(mns.messages()).toMatchObject([{ body: 'e' }])
  })
})
