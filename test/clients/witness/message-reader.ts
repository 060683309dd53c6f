// The messages in the body of an HTTP response: one in JSON, or those of an event stream as they come.

export function messageReader(type: string, onMessage: (text: string) => void) {
  const isStream = type.startsWith('text/event-stream')
  const decoder = new TextDecoder()
  let rest = ''
  return {
    add(bytes: Buffer): void {
      rest += decoder.decode(bytes, { stream: true })
      if (!isStream) return
      const events = rest.split(/\r?\n\r?\n/)
      rest = events.pop()!
      for (const event of events) {
        const data = event.split(/\r?\n/).flatMap(line => /^data: ?(.*)$/.exec(line)?.[1] ?? [])
        if (data.join('') !== '') onMessage(data.join('\n'))
      }
    },
    /** False if the body ends within an event, which a client never sees. */
    end(): boolean {
      if (isStream) return rest.trim() === ''
      if (rest.trim() !== '') onMessage(rest)
      return true
    },
  }
}
