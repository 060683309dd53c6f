// speech-mcp diarize INPUT: who said what, for people at a terminal.
import { SpeechError } from '../domain/errors.ts'
import type { Command } from './command.ts'
import { carryOut, orderFlags, orderSwitches } from './recording-command.ts'

export const diarize: Command = {
  usage: 'speech-mcp diarize INPUT',
  help: 'Transcribe a file or https:// address, and tell who says what.',
  takesWords: true,
  flags: {
    ...orderFlags,
    speakers: { help: 'how many people speak, from 2 to 100, if you know' },
  },
  switches: orderSwitches,
  run: invocation => {
    const { speakers } = invocation.flags
    const count = speakers === undefined ? undefined : countNamed(speakers)
    return carryOut(invocation, {
      command: 'diarize',
      tool: 'diarize_audio',
      wishes: count === undefined ? {} : { speakers: count },
    })
  },
}

function countNamed(given: string): number {
  const count = Number(given)
  if (Number.isInteger(count) && count >= 2 && count <= 100) return count
  throw new SpeechError('BAD_INPUT', 'The number of speakers is not usable.', {
    hint: 'Give a whole number from 2 to 100, or leave it out.',
  })
}
