// What a command is: a line of help, the flags it takes beside the settings, and what it does.
import type { Config } from '../config/config.ts'

export interface Invocation {
  config: Config
  /** Words after the command's name. */
  words: string[]
  flags: Record<string, string | undefined>
  /** Those of its switches that were given. */
  switches: ReadonlySet<string>
  version: string
  /** Path of the program's entry file: what a command starts to have another process of it. */
  entry: string
}

export interface Command {
  usage: string
  help: string
  /** True for a command that is given what to work on. */
  takesWords?: true
  /** Names of its own flags, each with a value; one letter for a short form. */
  flags?: Record<string, { short?: string; help: string }>
  /** Flags without a value. */
  switches?: Record<string, { help: string }>
  /** Resolves with the exit code. Throws `SpeechError` for whatever the reader can mend. */
  run(invocation: Invocation): Promise<number>
}
