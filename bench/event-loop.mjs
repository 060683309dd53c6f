// Preloaded into the measured server: reports the event loop delay when asked.
import { monitorEventLoopDelay } from 'node:perf_hooks'

const delay = monitorEventLoopDelay({ resolution: 5 })
delay.enable()
process.on('message', message => {
  if (message === 'reset') delay.reset()
  if (message === 'report') process.send?.({ p99: delay.percentile(99) / 1e6, max: delay.max / 1e6 })
})
process.channel?.unref()
