// The stand-in for MNS: queues in memory, over the service's own protocol on loopback.

export interface MnsCall {
  /** Such as `SendMessage`. */
  operation: string
  queue?: string
  at: number
  status?: number
  code?: string
}

export interface MnsFault {
  operation?: string | RegExp
  queue?: string | RegExp
  /** How many of those that fit: the first `times`; absent: all. */
  times?: number
  /** Chance that one that fits is hit, from 0 to 1; drawn from the seed. Default 1. */
  chance?: number
  /**
   * `refuse`: answered with this error and not done. `html`: a 502 of a proxy, not done. `lose`: done, and the connection
   * is cut instead of an answer. `drop`: not done, and cut. `swallow`: answered as if done, and not done. `hang`: never
   * answered. `delay`: answered after so many seconds.
   */
  how:
    | { kind: 'refuse'; status: number; code: string }
    | { kind: 'html' | 'lose' | 'drop' | 'swallow' | 'hang' }
    | { kind: 'delay'; seconds: number }
}

export interface MnsOptions {
  port?: number
  accountId?: string
  accessKeyId?: string
  accessKeySecret?: string
  securityToken?: string
  now?: () => number
  forbidden?: string[]
  seed?: number
}

export interface StandinMessage {
  id: string
  queue: string
  /** As it was sent, still in base64. */
  body: string
  priority: number
  /** How often it was handed out. */
  dequeued: number
  /** True while somebody has it in hand, or it is delayed. */
  hidden: boolean
}

export interface MnsStandin {
  endpoint: string
  accountId: string
  accessKeyId: string
  accessKeySecret: string
  calls: MnsCall[]
  fault(fault: MnsFault): () => void
  set(changes: Pick<MnsOptions, 'now' | 'forbidden' | 'securityToken'>): void
  /** Names of its queues. */
  queues(): string[]
  messages(): StandinMessage[]
  close(): Promise<void>
}

export async function startMns(_options: MnsOptions = {}): Promise<MnsStandin> {
  throw new Error('Not built yet.')
}
