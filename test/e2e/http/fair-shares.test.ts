// One server for two owners: the many recordings of one leave room for the voice note of the other.
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { makeSpacedRecording } from '../../support/audio/spaced-recording.ts'
import { httpClients } from '../../support/e2e/mcp-clients.ts'
import { fixture, startHttpServer } from '../../support/e2e/system.ts'
import { openTerminal, type Terminal } from '../../support/e2e/terminal.ts'

let terminal: Terminal
beforeAll(async () => {
  terminal = await openTerminal()
  await terminal.dashscope.warmUp()
})
afterAll(() => terminal.close())

const tokens = { ann: 'ann-0123456789abcdef', ben: 'ben-0123456789abcdef' }
const [, connect] = httpClients.at(-1)!

it('a voice note is answered while another owner’s chunks fill the provider’s requests', async () => {
  const { dashscope } = terminal
  const { file } = await makeSpacedRecording(terminal.work, 10)
  const server = await startHttpServer({
    ...terminal.env,
    SPEECH_TOKENS: Object.entries(tokens)
      .map(entry => entry.join(':'))
      .join(),
    SPEECH_ALLOWED_DIRS: `${terminal.work},${fixture('')}`,
  })
  const [ann, ben] = await Promise.all(
    Object.values(tokens).map(token => connect({ url: server.url, token })),
  )
  const order = (client: typeof ann, audio: string, wait_seconds: number) =>
    client!.call('transcribe_audio', { audio, wait_seconds })
  await order(ben, fixture('jfk.wav'), 60)
  const isAnns = ({ spokenText = '' }) => !spokenText.startsWith('Hi Greta!')
  const release = dashscope.fault({ kind: 'held', when: isAnns })
  const { structuredContent } = await order(ann, file, 0)
  await vi.waitFor(() => expect(dashscope.inFlight()).toBe(7), { timeout: 30_000 })
  const note = await order(ben, fixture('voice-note.ogg'), 10)
  expect(note.structuredContent.status).toBe('completed')
  expect(dashscope.inFlight()).toBe(7)
  release()
  const all = await ann!.call('get_transcript', {
    transcript_id: structuredContent.transcript_id,
    wait_seconds: 60,
  })
  expect(all.structuredContent.status).toBe('completed')
  await Promise.all([ann!.close(), ben!.close()])
  expect(await server.stop()).toBe(0)
})
