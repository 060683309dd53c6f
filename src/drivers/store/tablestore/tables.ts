// Tables, their primary keys and their names.
import { createHash } from 'node:crypto'

type KeyType = 'STRING' | 'INTEGER'

/**
 * Primary keys by table. The first column selects the partition, so it starts with varying characters: ids are hashes, and
 * owners get the start of a hash.
 */
export const tables = {
  /** Transcripts, whole or with the location of their parts. */
  transcripts: { id: 'STRING', owner: 'STRING' },
  /** Parts of values that exceed the size of a row. */
  texts: { of: 'STRING', part: 'INTEGER' },
  /** Transcripts of an owner by age. */
  listing: { owner: 'STRING', created: 'STRING', id: 'STRING' },
  jobs: { id: 'STRING', owner: 'STRING' },
  /** Queued and running jobs by age, in shards. */
  unfinished: { shard: 'STRING', created: 'STRING', id: 'STRING', owner: 'STRING' },
  /** Checkpoints by the hash of owner and key. */
  checkpoints: { hash: 'STRING' },
  /** Checkpoints of a job, by the hash of owner and job; and costs of a month, by owner and day. */
  kept: { of: 'STRING', hash: 'STRING' },
} as const satisfies Record<string, Record<string, KeyType>>

export type Table = keyof typeof tables

/** The table with the search index. */
export const searchedTable: Table = 'transcripts'
export const indexName = 'words'

export const shards = ['0', '1', '2', '3', '4', '5', '6', '7']

export function tableNameOf(prefix: string, table: Table): string {
  return `${prefix}${table}`
}

export function hashOf(...parts: string[]): string {
  return createHash('sha256').update(parts.join('\0')).digest('hex').slice(0, 40)
}

/** Owner with a hash prefix, which spreads similar names over partitions. */
export function ownerKey(owner: string): string {
  return `${hashOf(owner).slice(0, 4)} ${owner}`
}

export function shardOf(id: string): string {
  return shards[Number.parseInt(hashOf(id).slice(0, 2), 16) % shards.length]!
}
