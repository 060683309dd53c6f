// speech-mcp view ID: shows a transcript in a browser of this machine, where its words can be heard.
import { createApp } from '../app.ts'
import { SpeechError } from '../domain/errors.ts'
import { localOwner } from '../domain/job.ts'
import { asLine } from '../domain/text.ts'
import { partUriOf, transcriptIdOf } from '../server/uris.ts'
import { serveViewer } from '../server/viewer/serve-viewer.ts'
import { foldersOfTerminal } from './clip.ts'
import type { Command } from './command.ts'
import { printLine, printNote } from './io/messages.ts'
import { shutdownSignal } from './io/shutdown-signal.ts'

export const view: Command = {
  usage: 'speech-mcp view ID',
  help: 'Show a transcript in a browser of this machine, where a click on a word plays it.',
  takesArguments: true,
  completes: 'nothing',
  examples: [['view tr_…', 'Prints an address for a browser; Ctrl+C ends it.']],
  async run({ config, words }) {
    const [given, ...more] = words
    if (given === undefined || more.length > 0)
      throw new SpeechError('BAD_INPUT', 'The page needs the id of one transcript.', {
        hint: 'Run `speech-mcp list` to see the ids.',
      })
    const id = transcriptIdOf(given) ?? partUriOf(given)?.id ?? given
    const app = await createApp({ ...config, allowedDirs: foldersOfTerminal(config) })
    try {
      const transcript = await app.jobs.read(localOwner, id)
      const stopped = shutdownSignal()
      const serving = await serveViewer({
        ...{ jobs: app.jobs, owner: localOwner, id: transcript.id },
        canRename: true,
      })
      printLine(`${asLine(transcript.title)}: open ${serving.url} in a browser of this machine.`)
      printLine('Press Ctrl+C to end; then the address is no longer valid.')
      await stopped
      await serving.close()
      return 0
    } finally {
      for (const warning of app.storeWarnings()) printNote(warning)
      await app.close()
    }
  },
}
