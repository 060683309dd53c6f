// A progress bar on stderr, for people; nothing where stderr is not a terminal.
import type { Progress } from '../domain/job.ts'

export interface ProgressBar {
  show(progress: Progress): void
  clear(): void
}

const width = 30

export function progressBar(stream: NodeJS.WriteStream): ProgressBar {
  if (!stream.isTTY) return { show: () => {}, clear: () => {} }
  return {
    show({ done, total, message }) {
      const share = total ? Math.min(1, done / total) : 0
      const full = Math.round(share * width)
      const bar = '█'.repeat(full) + '░'.repeat(width - full)
      stream.write(`\r\x1b[K${bar} ${String(Math.round(share * 100)).padStart(3)} % ${message}`)
    },
    clear: () => void stream.write('\r\x1b[K'),
  }
}
