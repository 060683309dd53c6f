// speech-mcp export ID: write a stored transcript in any format.
import { createApp } from '../app.ts'
import { SpeechError } from '../domain/errors.ts'
import { localOwner } from '../domain/job.ts'
import { asRecognised } from '../formats/reading.ts'
import { transcriptIdOf } from '../server/uris.ts'
import type { Command } from './command.ts'
import { chosenFormat, outputFlags, writeTranscript } from './io/output.ts'

export const exportTranscript: Command = {
  usage: 'speech-mcp export ID',
  help: 'Write a stored transcript; without an ID, list the newest.',
  takesWords: true,
  flags: outputFlags,
  switches: { raw: { help: 'the words as they were recognised, also where they were formatted' } },
  async run({ config, words, flags, switches }) {
    const [given, ...more] = words
    const id = given && (transcriptIdOf(given) ?? given)
    if (more.length > 0)
      throw new SpeechError('BAD_INPUT', 'One id is wanted.', { hint: 'Write `speech-mcp export tr_…`.' })
    const format = chosenFormat(flags)
    const app = createApp(config)
    try {
      if (id) {
        const transcript = await app.jobs.read(localOwner, id)
        await writeTranscript(
          switches.has('raw') ? asRecognised(transcript) : transcript,
          format,
          flags.output,
        )
      } else {
        const { transcripts } = await app.jobs.list(localOwner, { limit: 20 })
        for (const { id, createdAt, title } of transcripts)
          process.stdout.write(`${id}  ${createdAt.slice(0, 16).replace('T', ' ')}  ${title}\n`)
      }
      return 0
    } finally {
      await app.close()
    }
  },
}
