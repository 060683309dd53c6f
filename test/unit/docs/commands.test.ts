// Shell commands on the pages: each exists and is run by a test, or is marked as not run with its reason.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { expect, it } from 'vitest'
import { demo } from '../../../demo/demo.ts'
import { clip } from '../../../src/cli/clip.ts'
import type { Command } from '../../../src/cli/command.ts'
import { completion } from '../../../src/cli/completion.ts'
import { diarize } from '../../../src/cli/diarize.ts'
import { doctor } from '../../../src/cli/doctor/doctor.ts'
import { exportTranscript } from '../../../src/cli/export.ts'
import { format } from '../../../src/cli/format.ts'
import { http } from '../../../src/cli/http.ts'
import { install, uninstall } from '../../../src/cli/install/install.ts'
import { list } from '../../../src/cli/list.ts'
import { serve } from '../../../src/cli/serve.ts'
import { transcribe } from '../../../src/cli/transcribe.ts'
import { upload } from '../../../src/cli/upload/upload.ts'
import { view } from '../../../src/cli/view.ts'
import { watch } from '../../../src/cli/watch/watch.ts'
import { worker } from '../../../src/cli/worker.ts'
import { settings } from '../../../src/config/settings.ts'
import { page, pages } from '../../support/documents.ts'
import { root } from '../../support/e2e/system.ts'

const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  scripts: Record<string, string>
}

/** The program's own commands, each with a test that starts it as a process. */
const program: Record<string, { command: Command; test: string; starts: RegExp }> = {
  serve: { command: serve, test: 'test/support/e2e/system.ts', starts: /StdioClientTransport/ },
  http: { command: http, test: 'test/e2e/http/http-command.test.ts', starts: /'http'/ },
  worker: { command: worker, test: 'test/e2e/worker/worker.test.ts', starts: /'worker'/ },
  transcribe: { command: transcribe, test: 'test/e2e/cli/transcribe.test.ts', starts: /'transcribe'/ },
  diarize: { command: diarize, test: 'test/e2e/cli/diarize.test.ts', starts: /'diarize'/ },
  watch: { command: watch, test: 'test/e2e/terminal/watch.test.ts', starts: /start\(\['watch'/ },
  format: { command: format, test: 'test/e2e/cli/format.test.ts', starts: /'format'/ },
  list: { command: list, test: 'test/e2e/terminal/listing.test.ts', starts: /start\(\['list'/ },
  clip: { command: clip, test: 'test/e2e/clips/clips.test.ts', starts: /'clip'/ },
  upload: { command: upload, test: 'test/e2e/http/upload-order.test.ts', starts: /'upload'/ },
  view: { command: view, test: 'test/e2e/viewer/view.test.ts', starts: /start\(\['view'/ },
  export: { command: exportTranscript, test: 'test/e2e/cli/commands.test.ts', starts: /'export'/ },
  install: { command: install, test: 'test/e2e/cli/install.test.ts', starts: /'install'/ },
  uninstall: { command: uninstall, test: 'test/e2e/cli/install.test.ts', starts: /'uninstall'/ },
  doctor: { command: doctor, test: 'test/e2e/cli/commands.test.ts', starts: /'doctor'/ },
  completion: {
    command: completion,
    test: 'test/e2e/terminal/listing.test.ts',
    starts: /start\(\['completion'/,
  },
  demo: { command: demo, test: 'test/e2e/cli/commands.test.ts', starts: /'demo'/ },
}

/** npm scripts that every run of the tests or of CI executes, and the file that does. */
const npmScripts: Record<string, string> = {
  test: '.ci/run',
  build: 'test/support/build-dist.ts',
  check: '.ci/run',
  demo: 'test/e2e/cli/commands.test.ts',
}

interface Shown {
  where: string
  line: string
  /** The reason why no test runs it, from the comment above its block. */
  notRun: string | undefined
}

const shown: Shown[] = pages.flatMap(({ path, blocks }) =>
  blocks
    .filter(({ language }) => language === 'sh')
    .flatMap(({ lines, above, number }) =>
      commandLines(lines).map(line => ({
        where: `${path}:${number}`,
        line,
        notRun: /^<!-- not run: (\S.*) -->$/.exec(above)?.[1],
      })),
    ),
)

/** Without comments, with continued lines joined. */
function commandLines(lines: string[]): string[] {
  return lines
    .join('\n')
    .replaceAll(/\s*\\\n\s*/g, ' ')
    .split('\n')
    .map(line => line.replace(/(?:^|\s)#\s.*$/, '').trim())
    .filter(line => line !== '')
}

/** Undefined if a test runs the command, otherwise the reason why it does not count. */
function objection(command: string): string | undefined {
  const words = command.split(/\s+/)
  while (/^[A-Z_]+=/.test(words[0] ?? '')) words.shift()
  const [first, second, ...rest] = words
  if (command === 'npm ci') return undefined
  if (first === 'npm') return objectionToScript(second === 'run' ? rest : words.slice(1))
  if (first === 'npx' && second === 'vitest') return objectionToVitest(rest)
  if (first === 'node' && second === 'dist/main.js') return objectionToProgram(rest)
  return 'no test runs it'
}

function objectionToScript([name = '', separator, ...args]: string[]): string | undefined {
  if (!Object.hasOwn(scripts, name)) return `package.json has no script ${name}`
  if (!Object.hasOwn(npmScripts, name)) return `no test runs the script ${name}`
  if (separator !== undefined && separator !== '--') return 'arguments of a script follow --'
  return name === 'demo' ? objectionToProgram(['demo', ...args]) : undefined
}

function objectionToVitest([run, file, ...flags]: string[]): string | undefined {
  if (run !== 'run' || file === undefined || !existsSync(join(root, file))) return 'there is no such test'
  return flags.length === 0 || flags[0] === '-t' ? undefined : `unknown flag ${flags[0]}`
}

/** Parses the arguments as `program.ts` does, by the tables of the command and of the settings. */
function objectionToProgram(args: string[]): string | undefined {
  const named = Object.hasOwn(program, args[0] ?? '')
  const { command } = program[named ? args[0]! : 'serve']!
  try {
    const { positionals } = parseArgs({
      args: named ? args.slice(1) : args,
      options: Object.fromEntries([
        ...Object.values(settings).map(({ flag }) => [flag, { type: 'string' as const }]),
        ...Object.entries(command.flags ?? {}).map(([name, { short }]) => [
          name,
          { type: 'string' as const, ...(short && { short }) },
        ]),
        ...Object.entries(command.switches ?? {}).map(([name, { short }]) => [
          name,
          { type: 'boolean' as const, ...(short && { short }) },
        ]),
      ]),
      allowPositionals: true,
    })
    return positionals.length > 0 && !command.takesArguments
      ? `${command.usage} takes no arguments`
      : undefined
  } catch (error) {
    return (error as Error).message
  }
}

it('every shell command on a page is run by a test or marked as not run', () => {
  expect(shown.length).toBeGreaterThan(15)
  const objections = shown
    .filter(({ notRun }) => notRun === undefined)
    .flatMap(({ where, line }) =>
      line.split(' && ').flatMap(command => {
        const found = objection(command)
        return found === undefined ? [] : [`${where} ${command}: ${found}`]
      }),
    )
  expect(objections).toEqual([])
})

it('a shell command on a page is marked as not run only if no test runs it', () => {
  const wrong = shown.filter(
    ({ notRun, line }) =>
      notRun !== undefined && line.split(' && ').every(command => objection(command) === undefined),
  )
  expect(wrong).toEqual([])
})

it.each([
  ['an unknown command', 'node dist/main.js transscribe talk.mp4'],
  ['an unknown flag', 'node dist/main.js transcribe talk.mp4 --formt srt'],
  ['an unknown script', 'npm run demonstrate'],
  ['an unknown switch of a script', 'npm run demo -- --server'],
  ['a missing test', 'npx vitest run test/unit/missing.test.ts'],
  ['another program', 'ossutil mb oss://BUCKET'],
])('a page that shows %s is reported', (_, command) => {
  expect(objection(command)).toBeTypeOf('string')
})

it('the list of tested commands has every command of program.ts', () => {
  const source = readFileSync(join(root, 'src/program.ts'), 'utf8')
  const table = /const commands = \{([\s\S]*?)\n\}/.exec(source)?.[1] ?? ''
  const names = [...table.matchAll(/^ {2}(\w+):/gm)].map(([, name]) => name)
  expect(names.toSorted()).toEqual(Object.keys(program).toSorted())
})

it.each(Object.entries(program))('a test starts the command %s', (_, { test, starts }) => {
  expect(readFileSync(join(root, test), 'utf8')).toMatch(starts)
})

it.each(Object.entries(npmScripts))('a test or CI runs the npm script %s', (name, file) => {
  const text = readFileSync(join(root, file), 'utf8')
  const starts = { build: 'buildDist', demo: "'demo'" }[name] ?? `npm ${name === 'test' ? '' : 'run '}${name}`
  expect(text).toContain(starts)
})

it.each(Object.entries(program))('docs/cli.md lists every flag of %s', (_, { command }) => {
  const { text } = page('docs/cli.md')
  const flags = Object.keys({ ...command.flags, ...command.switches })
  expect(flags.filter(name => !text.includes(`\`--${name}\``))).toEqual([])
})

it('every npm script and every command of the program that a page names exists', () => {
  const wrong = pages.flatMap(({ path, prose }) =>
    prose.flatMap(({ number, text }) => [
      ...[...text.matchAll(/npm run ([\w:]+)/g)]
        .filter(([, name]) => !Object.hasOwn(scripts, name!))
        .map(([found]) => `${path}:${number} ${found}`),
      ...[...text.matchAll(/`(?:speech-mcp|node dist\/main\.js) ([a-z]+)/g)]
        .filter(([, name]) => !Object.hasOwn(program, name!))
        .map(([found]) => `${path}:${number} ${found}`),
    ]),
  )
  expect(wrong).toEqual([])
})
