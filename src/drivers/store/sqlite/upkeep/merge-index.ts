// Merges the parts of the search index that hold deleted rows: FTS5 keeps their words until then.
import { setTimeout as sleep } from 'node:timers/promises'
import type Database from 'libsql'
import type { Connection } from '../connection.ts'
import type { Exec } from './in-background.ts'

/** Takes some 20 ms, for which writers wait. */
const pagesPerStep = 128
/** Lets writers in, also those of other processes. */
const pauseMs = 5
/** A percentage: FTS5 merges each level of parts, where so many rows are deleted, by itself. */
const deletedPercent = 1

/**
 * Resolves with true when no word of a deleted row is left. The small parts, which hold the newest rows, are merged
 * first and alone. If a large part holds a deleted row, the whole index is merged into one.
 */
export async function mergeIndex(
  read: Connection['read'],
  exec: Exec,
  isClosing: () => boolean,
): Promise<boolean> {
  const isClean = async () => !(await read(hasDeletedRows))
  /** Returns false if nothing was left to merge. */
  async function step(pages: number): Promise<boolean> {
    const before = await read(structure)
    await exec(command('merge', pages))
    await sleep(pauseMs)
    return (await read(structure)) !== before
  }

  /** Merges until nothing is left to merge. */
  async function merge(firstPages: number): Promise<void> {
    let pages = firstPages
    while (!isClosing() && (await step(pages))) pages = pagesPerStep
  }

  if (await isClean()) return true
  await exec(command('deletemerge', deletedPercent))
  await merge(pagesPerStep)
  // A negative number begins to merge everything into one part.
  if (!(await isClean())) await merge(-pagesPerStep)
  return isClean()
}

function command(name: string, value: number): string {
  return `INSERT INTO search (search, rank) VALUES ('${name}', ${value})`
}

/** FTS5 keeps a page of deleted rows for each part of the index, under ids from 2^53 on. */
function hasDeletedRows(database: Database.Database): boolean {
  return (
    database.prepare('SELECT 1 FROM search_data WHERE id >= 9007199254740992 LIMIT 1').get() !== undefined
  )
}

/** Parts of the index and how far they are merged: FTS5 keeps them under this id. */
function structure(database: Database.Database): unknown {
  return (
    database.prepare('SELECT hex(block) AS parts FROM search_data WHERE id = 10').get() as { parts: string }
  ).parts
}
