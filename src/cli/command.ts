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
}

export interface Command {
  usage: string
  help: string
  /** True if the command takes positional arguments. */
  takesArguments?: true
  /** Flags of this command, each with a value; `short` is one letter, and `multiple` lets them be repeated. */
  flags?: Record<string, { short?: string; help: string; multiple?: true }>
  /** Flags without a value. */
  switches?: Record<string, { help: string }>
  /** Resolves with the exit code. Throws `SpeechError` for errors the user can fix. */
  run(invocation: Invocation): Promise<number>
}
