// The tables: their keys, which spread the load, and how they are called.
import { createHash } from 'node:crypto'

type Type = 'STRING' | 'INTEGER'

/**
 * The first part of a key says in which partition a row lies, so it begins with something that differs from row to row:
 * ids are hashes already; an owner is given the beginning of a hash.
 */
export const tables = {
  /** Transcripts, whole or with a word of where their parts are. */
  transcripts: { id: 'STRING', owner: 'STRING' },
  /** Parts of what is too large for a row. */
  texts: { of: 'STRING', part: 'INTEGER' },
  /** Which transcripts an owner has, by age. */
  listing: { owner: 'STRING', created: 'STRING', id: 'STRING' },
  jobs: { id: 'STRING', owner: 'STRING' },
  /** Which jobs are queued or running, in so many shards, by age. */
  unfinished: { shard: 'STRING', created: 'STRING', id: 'STRING', owner: 'STRING' },
  /** Results of paid or slow work, under the hash of owner and key. */
  checkpoints: { hash: 'STRING' },
  /** Which checkpoints a job has kept, under the hash of owner and job. */
  kept: { of: 'STRING', hash: 'STRING' },
} as const satisfies Record<string, Record<string, Type>>

export type Table = keyof typeof tables

/** In this table are the words of transcripts. */
export const searched: Table = 'transcripts'
export const indexName = 'words'

export const shards = ['0', '1', '2', '3', '4', '5', '6', '7']

export function nameOf(prefix: string, table: Table): string {
  return `${prefix}${table}`
}

export function hashOf(...facts: string[]): string {
  return createHash('sha256').update(facts.join('\0')).digest('hex').slice(0, 40)
}

/** An owner, so that owners lie apart though their names are alike. */
export function spread(owner: string): string {
  return `${hashOf(owner).slice(0, 4)} ${owner}`
}

export function shardOf(id: string): string {
  return shards[Number.parseInt(hashOf(id).slice(0, 2), 16) % shards.length]!
}
