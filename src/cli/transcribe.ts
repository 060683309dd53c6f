// speech-mcp transcribe INPUT: transcribes a recording.
import { SpeechError } from '../domain/errors.ts'
import type { Timestamps } from '../domain/job.ts'
import type { Command } from './command.ts'
import { batchDetails, recordingFlags, recordingSwitches, transcribeRecording } from './recording-command.ts'

export const transcribe: Command = {
  usage: 'speech-mcp transcribe INPUT…',
  help: 'Transcribe files, folders, globs, https:// URLs or stdin (-).',
  takesArguments: true,
  details: batchDetails,
  flags: {
    ...recordingFlags,
    timestamps: {
      help: 'segment or word: measured times, if a bucket is configured; word: also per word, in json; default: estimated',
      values: ['segment', 'word'],
    },
  },
  switches: recordingSwitches,
  examples: [
    ['transcribe talk.mp4', 'Prints the text.'],
    ['transcribe talk.mp4 -o talk.srt -o talk.docx', 'Writes subtitles and a Word document.'],
    ['transcribe ~/Recordings -r --out texts -f srt,docx', 'A whole folder; says the price first.'],
    ['transcribe *.m4a --max-cost 2.50 --json', 'For scripts: no question, one JSON object a line.'],
    ['transcribe - < talk.mp3', 'From stdin.'],
  ],
  run: invocation => {
    const { timestamps } = invocation.flags
    const times = timestamps === undefined ? undefined : parseTimestamps(timestamps)
    return transcribeRecording(invocation, {
      command: 'transcribe',
      tool: 'transcribe_audio',
      options: times === undefined ? {} : { timestamps: times },
    })
  },
}

function parseTimestamps(given: string): Timestamps {
  if (given === 'segment' || given === 'word') return given
  throw new SpeechError('BAD_INPUT', 'Unknown kind of timestamps.', { hint: 'Use segment or word.' })
}
