// Odd answers of the provider: each call is answered in time, no odd text passes for speech, and the server lives on.
import pLimit from 'p-limit'
import { fixture } from '../../test/support/e2e/system.ts'
import { callTool } from '../core/call.ts'
import { spokenText, startProvider } from '../core/provider.ts'
import type { Round, Trial } from '../core/round.ts'
import { openStdio } from '../core/stdio.ts'
import { untilIdle } from '../core/tally.ts'
import { type OddAnswer, oddAnswers } from './odd-answers.ts'

const abreast = pLimit(2)
const waitSeconds = 2
/** An endless answer must not be kept: the server's memory may grow by this much over that of a server at rest. */
const maxPeakMb = 400

export const answers: Round = {
  name: 'answers',
  summary: `${oddAnswers.length} odd answers of the provider`,
  async run(trial) {
    await Promise.all(oddAnswers.map((odd, i) => abreast(() => tryAnswer(trial, odd, i))))
  },
}

async function tryAnswer(trial: Trial, odd: OddAnswer, i: number): Promise<void> {
  const { tally } = trial
  const provider = await startProvider()
  provider.answerWith(({ path }, response, request) => {
    if (path.includes('/multimodal-generation/') || path.includes('/loop')) odd.give(response, request)
    else response.writeHead(404).end()
    return true
  })
  const home = trial.home(`answer-${i}`, { provider: provider.url })
  const door = await openStdio({ env: home.env })
  // The start of the process is not part of the call.
  await callTool(door, 'search_transcripts', {})
  await tally.attempt(odd.name, async () => {
    const args = { audio: fixture('voice-note.ogg'), wait_seconds: waitSeconds }
    const { fault, isError, text, data } = await callTool(door, 'transcribe_audio', args, tally)
    if (fault) return fault
    if (isError && !/^[A-Z_]+: /.test(text)) return `an error without a code: ${text.slice(0, 200)}`
    const isSpoken = String(data.text ?? '').includes(spokenText)
    if (odd.isReadable && !isSpoken) return `a readable answer was not read: ${text.slice(0, 200)}`
    if (data.status === 'completed' && !odd.isReadable && data.text)
      return `taken for speech: ${text.slice(0, 200)}`
    if (data.status === 'running') {
      const cancelled = await callTool(
        door,
        'cancel_transcription',
        { transcript_id: data.transcript_id },
        tally,
      )
      if (cancelled.fault) return `cancelling: ${cancelled.fault}`
    }
    const { fault: listing } = await callTool(door, 'search_transcripts', {}, tally)
    if (listing) return `listing: ${listing}`
    const peak = door.facts()?.peakMb ?? 0
    return peak > maxPeakMb ? `memory reached ${peak} MB` : undefined
  })
  await untilIdle(door, home)
  tally.leftAt(door, home)
  await tally.end(door)
  await provider.close()
}
