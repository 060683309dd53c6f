// Preloaded into a server: on SIGUSR2 it makes objects that live for a while, and writes to stderr how large its heap was.
import v8 from 'node:v8'
import { isMainThread } from 'node:worker_threads'

/** About 20 MB are alive, a part in small objects and a part in large ones. */
const kinds = [
  () => Array.from({ length: 5_000 }, (_, n) => ({ n })),
  i => Array.from({ length: 50_000 }).fill(i + 0.5),
]
const lists = 40
const rounds = 200

function churn() {
  const living = []
  let peak = 0
  for (const make of kinds)
    for (let i = 0; i < rounds; i++) {
      living[i % lists] = make(i)
      peak = Math.max(peak, process.memoryUsage().heapTotal)
    }
  const young = v8.getHeapSpaceStatistics().find(({ space_name: name }) => name === 'new_space').space_size
  process.stderr.write(`\nchurned ${JSON.stringify({ young: young / 1e6, peak: peak / 1e6 })}\n`)
}

if (isMainThread) process.on('SIGUSR2', churn)
