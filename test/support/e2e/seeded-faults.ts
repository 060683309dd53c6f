// Random faults in every emulated service, drawn from a seed: throttling, proxy errors and lost responses.
import type { Cloud } from '../../../emulators/cloud.ts'
import { dashscopeErrors } from '../../../emulators/dashscope/dashscope.ts'
import { seededRandom } from '../../../emulators/seeded-random.ts'

/** Random numbers from 0 to 1, the same for the same seed. */
export function createSeededRandom(seed: number): () => number {
  let count = 0
  return () => seededRandom(seed, count++)
}

/** Injects random faults into all services; returns a function that removes them. */
export function injectFaults({ dashscope, oss, tablestore, mns }: Cloud, seed: number): () => void {
  const next = createSeededRandom(seed)
  const hits = (share: number) => () => next() < share
  // The provider downloads by signed URL and gives up after two failures, so its requests are spared.
  const ours = (share: number) => (request: { signed: string }) => request.signed !== 'url' && next() < share
  const busy = { kind: 'refuse', status: 503, code: 'OTSServerBusy' } as const
  const conflict = { kind: 'refuse', status: 409, code: 'OTSRowOperationConflict' } as const
  const writes = /^(?:Put|Update|Delete)Row$/
  const messageWrites = /^(?:SendMessage|DeleteMessage|ChangeMessageVisibility)$/
  const ends = [
    tablestore.fault({ probability: 0.04, how: busy }),
    tablestore.fault({ probability: 0.02, how: { kind: 'drop' } }),
    tablestore.fault({ operation: writes, probability: 0.03, how: conflict }),
    tablestore.fault({ operation: writes, probability: 0.04, how: { kind: 'lose' } }),
    tablestore.fault({ probability: 0.02, how: { kind: 'delay', seconds: 0.3 } }),
    tablestore.fault({ probability: 0.01, how: { ...busy, code: 'OTSQuotaExhausted' } }),
    tablestore.fault({ probability: 0.2, how: { kind: 'refuseRows', code: 'OTSNotEnoughCapacityUnit' } }),
    mns.fault({ probability: 0.05, how: { kind: 'html' } }),
    mns.fault({ probability: 0.03, how: { kind: 'drop' } }),
    mns.fault({ operation: messageWrites, probability: 0.03, how: { kind: 'delay', seconds: 0.3 } }),
    mns.fault({ probability: 0.03, how: { kind: 'refuse', status: 503, code: 'InternalError' } }),
    mns.fault({ operation: messageWrites, probability: 0.08, how: { kind: 'lose' } }),
    // A message lost on receive is hidden for half a minute, so one is enough.
    mns.fault({ operation: 'ReceiveMessage', times: 1, how: { kind: 'lose' } }),
    mns.fault({ operation: 'SendMessage', times: 1, how: { kind: 'swallow' } }),
    oss.fault({ kind: 'error', status: 503, code: 'ServiceUnavailable', when: ours(0.05) }),
    oss.fault({ kind: 'drop', when: ours(0.04) }),
    oss.fault({ kind: 'drop', times: 1, when: ({ signed }) => signed === 'url' }),
    oss.fault({ kind: 'dropAfter', when: ours(0.05) }),
    oss.fault({ kind: 'slow', seconds: 0.3, when: hits(0.04) }),
    // A worker that is throttled repeatedly slows down to a few requests a minute, which would take minutes.
    dashscope.fault({ kind: 'error', ...dashscopeErrors.rateQuota, times: 2, when: hits(0.04) }),
    dashscope.fault({ kind: 'drop', when: hits(0.05) }),
    dashscope.fault({ kind: 'html', when: hits(0.04) }),
    dashscope.taskFault({ kind: 'pollHtml', when: hits(0.05) }),
    dashscope.taskFault({ kind: 'pollDrop', when: hits(0.05) }),
    dashscope.taskFault({ kind: 'submitLost', when: hits(0.1) }),
  ]
  return () => {
    for (const end of ends) end()
  }
}
