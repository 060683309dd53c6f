// A home folder in which `install` finds the clients' files.
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach } from 'vitest'
import { runProgramHere, type Surroundings } from './program-here.ts'
import { entry, type TempFolder, tempFolder } from './system.ts'
import type { CommandResult } from './terminal.ts'

export const key = 'sk-0123456789abcdef'

/** The program that a client is told to start. */
export const server = { command: process.execPath, args: [entry], env: { DASHSCOPE_API_KEY: key } }

export interface Home {
  path(name: string): string
  run(
    args: string[],
    env?: Record<string, string>,
    more?: Pick<Surroundings, 'input' | 'isTerminal'>,
  ): Promise<CommandResult>
  /** Writes a file, as the client or its user has left it. Resolves with its full path. */
  given(name: string, text: string): Promise<string>
}

/** A folder for each test of the file. */
export function homeOfEachTest(): Home {
  let folder: TempFolder
  beforeEach(async () => {
    folder = await tempFolder()
  })
  afterEach(() => folder.remove())
  const path = (name: string) => join(folder.path, name)
  return {
    path,
    run: (args, env = { DASHSCOPE_API_KEY: key }, more = {}) => {
      // The clone may itself lie in the system's temporary folder, of which the program would warn.
      const temp = Object.fromEntries(['TMPDIR', 'TMP', 'TEMP'].map(name => [name, path('temp')]))
      const home = { HOME: folder.path, USERPROFILE: folder.path, ...temp }
      return runProgramHere(args, { env: { ...home, ...env }, cwd: folder.path, ...more })
    },
    async given(name, text) {
      await mkdir(dirname(path(name)), { recursive: true })
      await writeFile(path(name), text)
      return path(name)
    },
  }
}
