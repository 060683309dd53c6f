// speech-mcp transcribe INPUT: the main road for people at a terminal.
import { SpeechError } from '../domain/errors.ts'
import type { Timestamps } from '../domain/job.ts'
import type { Command } from './command.ts'
import { carryOut, orderFlags, orderSwitches } from './recording-command.ts'

export const transcribe: Command = {
  usage: 'speech-mcp transcribe INPUT',
  help: 'Transcribe a file or https:// address.',
  takesWords: true,
  flags: {
    ...orderFlags,
    context: { short: 'c', help: 'names and terms to expect' },
    timestamps: {
      help: 'segment or word: measured times, where there is a bucket; word: in json, for each word',
    },
  },
  switches: orderSwitches,
  run: invocation => {
    const { context, timestamps } = invocation.flags
    const times = timestamps === undefined ? undefined : timesNamed(timestamps)
    return carryOut(invocation, {
      command: 'transcribe',
      tool: 'transcribe_audio',
      wishes: { ...(context && { context }), ...(times && { timestamps: times }) },
    })
  },
}

function timesNamed(given: string): Timestamps {
  if (given === 'segment' || given === 'word') return given
  throw new SpeechError('BAD_INPUT', 'There are no such timestamps.', { hint: 'Use segment or word.' })
}
