// The Tablestore emulator: authentication and injected faults.
import { Agent } from 'node:http'
import Tablestore from 'tablestore'
import { describe, expect, it } from 'vitest'
import { startTablestore, type TablestoreEmulator } from '../../../emulators/tablestore/tablestore.ts'
import {
  client,
  clientOf,
  create,
  errorCodeOf,
  keyOf,
  now,
  put,
  startTablestoreForEachTest,
  tableName,
  tablestore,
  useClient,
} from '../../support/emulators/tablestore-client.ts'

const { Condition, RowExistenceExpectation: Row } = Tablestore

startTablestoreForEachTest()

describe('authentication', () => {
  it('a request without the security token of the key is refused', async () => {
    tablestore.set({ securityToken: 'token' })
    expect(await errorCodeOf(client.listTable({}))).toBe('OTSAuthFailed')
    await clientOf({ securityToken: 'token' }).listTable({})
  })

  it('an authentication error does not reveal the secret', async () => {
    const error = await clientOf({ secretAccessKey: 'what' })
      .listTable({})
      .catch((error: Error) => error)
    expect((error as Error & { code: number }).code).toBe(403)
    expect((error as Error).message).not.toContain(tablestore.accessKeySecret)
  })

  it.each<[string, Partial<Tablestore.ConfigOptions>]>([
    ['another key', { accessKeyId: 'who' }],
    ['another secret', { secretAccessKey: 'what' }],
    ['another instance', { instancename: 'elsewhere' }],
    ['a token', { securityToken: 'none' }],
  ])('a request with %s is refused', async (_, key) => {
    expect(await errorCodeOf(clientOf(key).listTable({}))).toBe('OTSAuthFailed')
  })

  it('a request with a wrong clock, a forbidden operation or an unknown table is refused', async () => {
    tablestore.set({ now: () => now + 16 * 60_000 })
    expect(await errorCodeOf(client.listTable({}))).toBe('OTSAuthFailed')
    tablestore.set({ now: () => now, forbidden: ['ListTable'] })
    expect(await errorCodeOf(client.listTable({}))).toBe('OTSNoPermissionAccess')
    expect(await errorCodeOf(client.describeTable({ tableName: 'nowhere' }))).toBe('OTSObjectNotExist')
  })
})

describe('faults', () => {
  it('the faults refuse, drop and lose apply as many times as requested', async () => {
    const fault = (how: Parameters<TablestoreEmulator['fault']>[0]['how']) =>
      tablestore.fault({ operation: 'PutRow', times: 1, how })
    fault({ kind: 'refuse', status: 503, code: 'OTSServerBusy' })
    expect(await errorCodeOf(put(1))).toBe('OTSServerBusy')
    fault({ kind: 'drop' })
    await expect(put(1)).rejects.toThrow()
    expect(tablestore.tables()).toEqual({ calls: 0 })
    fault({ kind: 'lose' })
    await expect(put(1)).rejects.toThrow()
    expect(tablestore.tables()).toEqual({ calls: 1 })
  })

  it('a fault applies only to its tables and operations', async () => {
    await create('other')
    const off = tablestore.fault({
      table: 'calls',
      how: { kind: 'refuse', status: 503, code: 'OTSServerBusy' },
    })
    await client.describeTable({ tableName: 'other' })
    expect(await errorCodeOf(client.describeTable({ tableName }))).toBe('OTSServerBusy')
    off()
    await client.describeTable({ tableName })
  })

  it('random faults repeat with the same seed', async () => {
    const outcomes = async () => {
      const emulator = await startTablestore({ seed: 7 })
      const { endpoint, instance: instancename, accessKeyId, accessKeySecret } = emulator
      emulator.fault({ probability: 0.5, how: { kind: 'refuse', status: 503, code: 'OTSServerBusy' } })
      const client = new Tablestore.Client({
        endpoint,
        instancename,
        accessKeyId,
        secretAccessKey: accessKeySecret,
        maxRetries: 0,
      })
      const codes: unknown[] = []
      for (let i = 0; i < 12; i++) codes.push(await errorCodeOf(client.listTable({})))
      await emulator.close()
      return codes
    }
    const first = await outcomes()
    expect(new Set(first).size).toBe(2)
    expect(await outcomes()).toEqual(first)
  })

  it('the list of calls records injected faults', async () => {
    tablestore.fault({ operation: 'PutRow', times: 1, how: { kind: 'lose' } })
    await expect(put(1)).rejects.toThrow()
    await errorCodeOf(put(1, [], new Condition(Row.EXPECT_NOT_EXIST, null)))
    await put(1)
    const puts = tablestore.calls.filter(({ operation }) => operation === 'PutRow')
    expect(puts.map(({ table, status, code }) => [table, status, code])).toEqual([
      ['calls', undefined, undefined],
      ['calls', 403, 'OTSConditionCheckFail'],
      ['calls', 200, undefined],
    ])
  })

  it('closing the emulator ends delayed and hanging requests', async () => {
    const agent = new Agent({ keepAlive: true })
    useClient(clientOf({ httpOptions: { agent } } as never))
    await client.listTable({})
    tablestore.fault({ operation: 'GetRow', how: { kind: 'hang' } })
    tablestore.fault({ operation: 'PutRow', how: { kind: 'delay', seconds: 3_600 } })
    const waiting = [client.getRow({ tableName, primaryKey: keyOf(1) }), put(1)]
    const ends = Promise.allSettled(waiting)
    await expect.poll(() => tablestore.tables()).toEqual({ calls: 1 })
    await tablestore.close()
    expect((await ends).map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    agent.destroy()
  })
})
