// speech-mcp export ID: writes a stored transcript in any format.
import { createApp } from '../app.ts'
import { SpeechError } from '../domain/errors.ts'
import { localOwner } from '../domain/job.ts'
import { asLine } from '../domain/text.ts'
import { withoutFormatted } from '../domain/transcript.ts'
import { transcriptIdOf } from '../server/uris.ts'
import type { Command } from './command.ts'
import { printLine, printNote } from './io/messages.ts'
import { outputFlags, outputSwitches, parseOutputs, writeTranscript } from './io/output.ts'
import { describeTranscript, printTranscripts } from './list.ts'

export const exportTranscript: Command = {
  usage: 'speech-mcp export [ID]',
  help: 'Write a stored transcript; without an ID, list the newest.',
  takesArguments: true,
  completes: 'nothing',
  flags: outputFlags,
  switches: {
    ...outputSwitches,
    raw: { help: 'write the recognised text, even if a formatted text exists' },
  },
  examples: [
    ['export tr_… -o talk.srt -o talk.docx', 'Writes two files.'],
    ['export tr_… -f srt --preset netflix --check', 'Names the subtitles that break a rule.'],
  ],
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
        const isWithinRules = await writeTranscript(shown, outputs)
        const files = outputs.flatMap(({ shown }) => shown ?? []).join(', ')
        if (files)
          printLine(`Wrote ${files}: ${asLine(transcript.title)}, ${describeTranscript(transcript)}.`)
        if (!isWithinRules) return 3
      } else await printTranscripts(app)
      return 0
    } finally {
      for (const warning of app.storeWarnings()) printNote(warning)
      await app.close()
    }
  },
}
