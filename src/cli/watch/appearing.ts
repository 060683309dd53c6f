// Recordings that appear in a folder: each is reported once it has stayed the same for a while.
import { dirname } from 'node:path'

export interface SeenFile {
  path: string
  bytes: number
  modifiedAt: string
}

export interface AppearingOptions {
  /** A file that has not changed for this long is whole. */
  settleMs: number
  /** True to report what is there at the first look, too. */
  existing: boolean
  /** Absent: files in all its folders. */
  onlyIn?: string
}

/** Returns a function that takes each look at the folder, and its time, and returns the files that are whole since. */
export function createAppearing({ settleMs, existing, onlyIn }: AppearingOptions) {
  const known = new Map<string, { mark: string; since: number; isOver: boolean }>()
  let isFirst = true

  return (files: SeenFile[], now: number): string[] => {
    const here = files.filter(({ path }) => onlyIn === undefined || dirname(path) === onlyIn)
    const whole: string[] = []
    for (const { path, bytes, modifiedAt } of here) {
      const mark = `${bytes} ${modifiedAt}`
      const before = known.get(path)
      // A file that changes after its end is another recording.
      if (before?.mark !== mark) known.set(path, { mark, since: now, isOver: isFirst && !existing })
      else if (!before.isOver && bytes > 0 && now - before.since >= settleMs) {
        before.isOver = true
        whole.push(path)
      }
    }
    const paths = new Set(here.map(({ path }) => path))
    for (const path of known.keys()) if (!paths.has(path)) known.delete(path)
    isFirst = false
    return whole.sort()
  }
}
