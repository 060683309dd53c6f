// Progress bar on stderr; prints nothing if stderr is not a terminal.
import type { Progress } from '../../domain/job.ts'
import { asLine } from '../../domain/text.ts'

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
      const line = `${bar} ${String(Math.round(share * 100)).padStart(3)} % ${asLine(message)}`
      // A wrapped line could not be overwritten.
      stream.write(`\r\x1b[K${line.slice(0, (stream.columns || 80) - 1)}`)
    },
    clear: () => void stream.write('\r\x1b[K'),
  }
}
