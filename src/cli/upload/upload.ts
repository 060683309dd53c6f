// speech-mcp upload FILE ADDRESS: sends a recording to a server that has given a ticket for it.
import { createHash } from 'node:crypto'
import { stat } from 'node:fs/promises'
import { basename } from 'node:path'
import { SpeechError } from '../../domain/errors.ts'
import { fileBlocks } from '../../system/file-blocks.ts'
import type { Command } from '../command.ts'
import { givenPath } from '../io/given-path.ts'
import { printLine } from '../io/messages.ts'
import { progressBar } from '../io/progress-bar.ts'
import { sendFile } from './send-file.ts'

const signals = ['SIGINT', 'SIGTERM'] as const
const megabytes = (bytes: number) => (bytes / 1e6).toFixed(1)

export const upload: Command = {
  usage: 'speech-mcp upload FILE ADDRESS',
  help: 'Send a recording to the address of a ticket, which an agent gets with request_upload.',
  takesArguments: true,
  details: 'After a break it goes on where it was, also when the same command is run again.',
  examples: [['upload talk.mp4 https://speech.example.com/uploads/…', 'Prints upload://…, for the agent.']],
  async run({ words }) {
    const [given = '', address = '', ...more] = words
    if (!address || more.length > 0 || !/^https?:\/\/[^/]+\/.*uploads\/[^/]+\/?$/.test(address))
      throw new SpeechError('BAD_INPUT', 'A file and the address of a ticket are needed.', {
        hint: 'Run `speech-mcp upload FILE ADDRESS`, with the address that request_upload has answered.',
      })
    const stop = new AbortController()
    const onSignal = () => stop.abort()
    for (const signal of signals) process.once(signal, onSignal)
    const bar = progressBar(process.stderr)
    try {
      const file = await readFacts(givenPath(given), stop.signal)
      const onBytes = (done: number, message?: string) =>
        bar.show({
          done,
          total: file.bytes,
          message: message ?? `${megabytes(done)} of ${megabytes(file.bytes)} MB`,
        })
      const sent = await sendFile(address.replace(/\/$/, ''), file, { signal: stop.signal, onBytes })
      bar.clear()
      printLine(`Sent ${file.name}: ${megabytes(file.bytes)} MB. Give the agent this address:`)
      process.stdout.write(`${sent}\n`)
      return 0
    } catch (error) {
      bar.clear()
      if (!stop.signal.aborted) throw error
      printLine('Stopped. The same command goes on.')
      return 130
    } finally {
      for (const signal of signals) process.off(signal, onSignal)
    }
  },
}

async function readFacts(path: string, signal: AbortSignal) {
  try {
    const info = await stat(path)
    if (!info.isFile())
      throw new SpeechError('NOT_A_FILE', 'The path names no file.', { hint: 'Name one recording.' })
    if (info.size === 0)
      throw new SpeechError('EMPTY_FILE', 'The file is empty.', {
        hint: 'Check that the recording was saved or copied completely.',
      })
    const hash = createHash('sha256')
    for await (const block of fileBlocks(path, signal)) hash.update(block)
    return { path, name: basename(path), bytes: info.size, sha256: hash.digest('hex') }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT')
      throw new SpeechError('FILE_NOT_FOUND', 'No file exists at this path.', { hint: 'Check the spelling.' })
    if (code === 'EACCES' || code === 'EPERM')
      throw new SpeechError('FILE_UNREADABLE', 'The file could not be read.', {
        hint: 'Check its permissions.',
      })
    throw error
  }
}
