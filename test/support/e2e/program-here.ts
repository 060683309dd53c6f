// Runs the program in the process of the test: with streams, environment and working folder of its own for as long.
import { Readable, Writable } from 'node:stream'
import { setLogLevel } from '../../../src/log.ts'
import { runProgram } from '../../../src/program.ts'
import { entry } from './system.ts'
import type { CommandResult } from './terminal.ts'

export interface Surroundings {
  env: Record<string, string>
  cwd: string
  /** Content of stdin. */
  input?: string | Uint8Array | undefined
  /** True to type the input at a terminal. */
  isTerminal?: boolean
}

let isRunning = false

/** Resolves as a process that runs the program would end. One run at a time: a process has one environment. */
export async function runProgramHere(
  args: string[],
  { env, cwd, input, isTerminal = false }: Surroundings,
): Promise<CommandResult> {
  if (isRunning) throw new Error('The process already runs the program: start it as a process.')
  isRunning = true
  const [stdout, stderr] = [collector(), collector()]
  const stdin = Readable.from(input === undefined ? [] : [Buffer.from(input)])
  const restore = [
    replaceStream('stdin', Object.assign(stdin, isTerminal && { isTTY: true, setRawMode: () => stdin })),
    replaceStream('stdout', stdout.stream),
    replaceStream('stderr', stderr.stream),
    replaceEnvironment(env),
    changeFolder(cwd),
  ]
  try {
    const code = await runProgram(args, entry)
    return { code, stdout: stdout.text(), stderr: stderr.text() }
  } finally {
    for (const undo of restore) undo()
    setLogLevel('warn')
    isRunning = false
  }
}

function collector(): { stream: Writable; text(): string } {
  const pieces: Buffer[] = []
  const stream = new Writable({
    write(piece, _, done) {
      pieces.push(piece)
      done()
    },
  })
  return { stream, text: () => Buffer.concat(pieces).toString() }
}

function replaceStream(name: 'stdin' | 'stdout' | 'stderr', stream: Readable | Writable): () => void {
  const own = Object.getOwnPropertyDescriptor(process, name)!
  Object.defineProperty(process, name, { value: stream, configurable: true })
  return () => void Object.defineProperty(process, name, own)
}

function replaceEnvironment(env: Record<string, string>): () => void {
  const fill = (values: NodeJS.ProcessEnv) => {
    for (const name of Object.keys(process.env)) if (!(name in values)) delete process.env[name]
    Object.assign(process.env, values)
  }
  const own = { ...process.env }
  fill(env)
  return () => fill(own)
}

function changeFolder(folder: string): () => void {
  const own = process.cwd()
  process.chdir(folder)
  return () => process.chdir(own)
}
