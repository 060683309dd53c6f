// Recordings that appear in a folder: each is reported once it has stayed the same for a while.

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
}

/**
 * Returns a function that takes each look at the folder, and its time, and returns the files that are whole since. A file
 * that is gone for a while, as on a network disk, is the same one when it comes back.
 */
export function createAppearing({ settleMs, existing }: AppearingOptions) {
  const known = new Map<string, { mark: string; since: number; isOver: boolean }>()
  let isFirst = true

  return (files: SeenFile[], now: number): string[] => {
    const whole: string[] = []
    for (const { path, bytes, modifiedAt } of files) {
      const mark = `${bytes} ${modifiedAt}`
      const before = known.get(path)
      // A file that changes after its end is another recording.
      if (before?.mark !== mark) known.set(path, { mark, since: now, isOver: isFirst && !existing })
      else if (!before.isOver && bytes > 0 && now - before.since >= settleMs) {
        before.isOver = true
        whole.push(path)
      }
    }
    const paths = new Set(files.map(({ path }) => path))
    // One that was still being written begins anew.
    for (const [path, { isOver }] of known) if (!isOver && !paths.has(path)) known.delete(path)
    isFirst = false
    return whole.sort()
  }
}
