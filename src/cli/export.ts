// speech-mcp export ID: writes a stored transcript in any format.
import { createApp } from '../app.ts'
import { SpeechError } from '../domain/errors.ts'
import { localOwner } from '../domain/job.ts'
import { asLine } from '../domain/text.ts'
import { withoutFormatted } from '../domain/transcript.ts'
import { transcriptIdOf } from '../server/uris.ts'
import type { Command } from './command.ts'
import { printNote } from './io/messages.ts'
import { outputFlags, outputSwitches, parseOutputs, writeTranscript } from './io/output.ts'

export const exportTranscript: Command = {
  usage: 'speech-mcp export ID',
  help: 'Write a stored transcript; without an ID, list the newest.',
  takesArguments: true,
  flags: outputFlags,
  switches: {
    ...outputSwitches,
    raw: { help: 'write the recognised text, even if a formatted text exists' },
  },
  async run(invocation) {
    const { config, words, switches } = invocation
    const [given, ...more] = words
    const id = given && (transcriptIdOf(given) ?? given)
    if (more.length > 0)
      throw new SpeechError('BAD_INPUT', 'At most one id is allowed.', {
        hint: 'Run `speech-mcp export tr_…`.',
      })
    const outputs = parseOutputs(invocation)
    const app = await createApp(config)
    try {
      if (id) {
        const transcript = await app.jobs.read(localOwner, id)
        const shown = switches.has('raw') ? withoutFormatted(transcript) : transcript
        if (!(await writeTranscript(shown, outputs))) return 3
      } else {
        const { transcripts } = await app.jobs.list(localOwner, { limit: 20 })
        for (const { id, createdAt, title } of transcripts)
          process.stdout.write(`${id}  ${createdAt.slice(0, 16).replace('T', ' ')}  ${asLine(title)}\n`)
      }
      return 0
    } finally {
      for (const warning of app.storeWarnings()) printNote(warning)
      await app.close()
    }
  },
}
