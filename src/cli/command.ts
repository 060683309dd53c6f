// The type of a command: its usage, help, own flags, and its function.
import type { Config } from '../config/config.ts'

export interface Invocation {
  config: Config
  /** Positional arguments. */
  words: string[]
  flags: Record<string, string | undefined>
  /** All values of the flags that may be given several times. */
  lists: Record<string, string[] | undefined>
  /** The switches that were given. */
  switches: ReadonlySet<string>
  version: string
  /** Path of the program's entry file, for a command that starts further processes. */
  entry: string
  /** All commands by name. */
  allCommands(): Promise<Record<string, Command>>
}

/** A flag with a value; `short` is one letter, and `multiple` lets it be repeated. */
export interface ValueFlag {
  short?: string
  /** Ends with the default, if there is one. */
  help: string
  multiple?: true
  /** All values that it takes, for completion. */
  values?: readonly string[]
}

export interface Command {
  usage: string
  help: string
  /** True if the command takes positional arguments. */
  takesArguments?: true
  /** Kind of the positional arguments, for completion; default: files. */
  completes?: 'folders' | 'nothing' | readonly string[]
  flags?: Record<string, ValueFlag>
  /** Flags without a value. */
  switches?: Record<string, { short?: string; help: string }>
  /** Further paragraphs of the command's own help. */
  details?: string
  /** Arguments after `speech-mcp`, such as `transcribe talk.mp4`, each with what it does. */
  examples: readonly (readonly [command: string, effect: string])[]
  /** Resolves with the exit code. Throws `SpeechError` for errors the user can fix. */
  run(invocation: Invocation): Promise<number>
}
