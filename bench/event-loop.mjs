// Loaded before the server that is measured: tells the bench, when asked, how long the event loop let things wait.
import { monitorEventLoopDelay } from 'node:perf_hooks'

const delay = monitorEventLoopDelay({ resolution: 5 })
delay.enable()
process.on('message', message => {
  if (message === 'reset') delay.reset()
  if (message === 'report') process.send?.({ p99: delay.percentile(99) / 1e6, max: delay.max / 1e6 })
})
process.channel?.unref()
