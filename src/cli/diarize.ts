// speech-mcp diarize INPUT: transcribes a recording with speaker labels.
import { SpeechError } from '../domain/errors.ts'
import type { Command } from './command.ts'
import { batchDetails, recordingFlags, recordingSwitches, transcribeRecording } from './recording-command.ts'

export const diarize: Command = {
  usage: 'speech-mcp diarize INPUT…',
  help: 'The same with speakers: who said what.',
  takesArguments: true,
  details: batchDetails,
  flags: {
    ...recordingFlags,
    speakers: { help: 'number of speakers, from 2 to 100, if known; default: detected' },
  },
  switches: recordingSwitches,
  examples: [
    ['diarize meeting.mp4', 'Prints who said what.'],
    ['diarize meeting.mp4 --speakers 4 -o meeting.md', 'Writes it to a file.'],
    ['diarize meetings/ --max-cost 10', 'A whole folder, unless it would cost more.'],
  ],
  run: invocation => {
    const { speakers } = invocation.flags
    const count = speakers === undefined ? undefined : parseSpeakerCount(speakers)
    return transcribeRecording(invocation, {
      command: 'diarize',
      tool: 'diarize_audio',
      options: count === undefined ? {} : { speakers: count },
    })
  },
}

function parseSpeakerCount(given: string): number {
  const count = Number(given)
  if (Number.isInteger(count) && count >= 2 && count <= 100) return count
  throw new SpeechError('BAD_INPUT', 'The number of speakers is invalid.', {
    hint: 'Use a whole number from 2 to 100, or omit --speakers.',
  })
}
