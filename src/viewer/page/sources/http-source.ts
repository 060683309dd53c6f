// The source of a page that a server of this program serves, at addresses beside its own.
import { pieceHeaders, type Source } from '../contract.ts'

export function httpSource(): Source {
  return {
    load: async () => (await get('data.json')).json(),
    revision: async () => (await get('revision')).text(),
    waveform: async () => (await get('waveform')).json(),
    async piece(from) {
      const response = await get(`audio?from=${from}`)
      const numberOf = (name: keyof typeof pieceHeaders) => {
        const value = response.headers.get(pieceHeaders[name])
        return value === null ? undefined : Number(value)
      }
      const next = numberOf('next')
      return {
        audio: await response.blob(),
        start: numberOf('start') ?? from,
        end: numberOf('end') ?? from,
        ...(next !== undefined && { next }),
      }
    },
    async rename(speaker, name) {
      await get('speakers', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ speaker, name }),
      })
    },
    download: format => `export/${encodeURIComponent(format)}`,
  }
}

/** Rejects with the sentence of the server, or with what to do where there is none. */
async function get(address: string, options?: RequestInit): Promise<Response> {
  const response = await fetch(address, options).catch(() => {
    throw new Error('The program of this page does not answer. Try again, or start `speech-mcp view` again.')
  })
  if (response.ok) return response
  throw new Error((await response.text()).slice(0, 500))
}
