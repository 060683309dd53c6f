// The walls of the house: a file imports only from floors below its own, and from the rooms its room may enter.
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { describe, expect, it } from 'vitest'
import { root } from './support/system.ts'

/** Each room, its floor, and the rooms it may import from. A file belongs to the first room whose pattern fits. */
const rooms: { room: string; files: RegExp; floor: number; mayImport: string[] }[] = [
  { room: 'main', files: /^main\.ts$/, floor: 6, mayImport: ['commands', 'config', 'log', 'domain'] },
  {
    room: 'commands',
    files: /^commands\//,
    floor: 5,
    mayImport: ['commands', 'app', 'server', 'config', 'standin', 'exports', 'log', 'domain'],
  },
  {
    room: 'app',
    files: /^app\.ts$/,
    floor: 4,
    mayImport: ['config', 'drivers', 'wire', 'jobs', 'pipeline', 'log', 'domain'],
  },
  { room: 'server', files: /^server\//, floor: 4, mayImport: ['server', 'jobs', 'exports', 'log', 'domain'] },
  { room: 'jobs', files: /^jobs\//, floor: 3, mayImport: ['jobs', 'pipeline', 'log', 'domain'] },
  { room: 'pipeline', files: /^pipeline\//, floor: 2, mayImport: ['pipeline', 'log', 'domain'] },
  { room: 'wire', files: /^drivers\/wire\//, floor: 2, mayImport: ['wire', 'log', 'domain'] },
  { room: 'drivers', files: /^drivers\//, floor: 2, mayImport: ['own folder', 'wire', 'log', 'domain'] },
  { room: 'exports', files: /^exports\//, floor: 2, mayImport: ['exports', 'domain'] },
  { room: 'config', files: /^config(?:\.ts$|\/)/, floor: 2, mayImport: ['config', 'log', 'domain'] },
  { room: 'log', files: /^log\.ts$/, floor: 1, mayImport: [] },
  { room: 'domain', files: /^domain\//, floor: 1, mayImport: ['domain'] },
  { room: 'standin', files: /^standin\//, floor: 0, mayImport: ['standin'] },
]

interface Import {
  from: string
  to: string
  line: number
}

const source = join(root, 'src')
const files = sourceFiles(source)

function sourceFiles(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter(file => file.endsWith('.ts'))
    .map(file => file.replaceAll('\\', '/'))
}

function roomOf(file: string) {
  const room = rooms.find(({ files }) => files.test(file))
  if (!room) throw new Error(`src/${file} lies in no room: add one on purpose, or move it.`)
  return room
}

/** Static, type-only and dynamic imports, and re-exports, of our own files. */
function importsOf(file: string): Import[] {
  const text = readFileSync(join(source, file), 'utf8')
  return [...text.matchAll(/(?:\bfrom\s*|\bimport\s*\(?\s*)['"](\.[^'"]+)['"]/g)].map(found => ({
    from: file,
    to: relative(source, join(source, dirname(file), found[1]!)).replaceAll('\\', '/'),
    line: text.slice(0, found.index).split('\n').length,
  }))
}

function forbidden({ from, to }: Import): boolean {
  const [here, there] = [roomOf(from), roomOf(to)]
  if (here.mayImport.includes('own folder') && driverOf(from) === driverOf(to)) return false
  return !here.mayImport.includes(there.room) || (here.room !== there.room && here.floor < there.floor)
}

/** `drivers/store`, also of what lies in a folder of it. */
function driverOf(file: string): string {
  return file.split('/').slice(0, 2).join('/')
}

function circles(): string[] {
  const done = new Set<string>()
  const found: string[] = []
  const walk = (file: string, path: string[]) => {
    if (path.includes(file)) found.push([...path.slice(path.indexOf(file)), file].join(' → '))
    else if (!done.has(file)) {
      for (const { to } of importsOf(file)) walk(to, [...path, file])
      done.add(file)
    }
  }
  for (const file of files) walk(file, [])
  return found
}

describe('the house', () => {
  it('has a room for every file', () => {
    expect(files.length).toBeGreaterThan(40)
    for (const file of files) roomOf(file)
  })

  it('lets no file import from above or from a room it may not enter', () => {
    const wrong = files.flatMap(importsOf).filter(forbidden)
    expect(wrong.map(({ from, to, line }) => `src/${from}:${line} imports ${to}`)).toEqual([])
  })

  it('has no import circles', () => {
    expect(circles()).toEqual([])
  })

  it('would notice a wrong import', () => {
    expect(forbidden({ from: 'domain/errors.ts', to: 'log.ts', line: 1 })).toBe(true)
    expect(forbidden({ from: 'pipeline/sound/cut.ts', to: 'jobs/jobs.ts', line: 1 })).toBe(true)
    expect(
      forbidden({ from: 'drivers/store/sqlite/sqlite.ts', to: 'drivers/speech/qwen-asr.ts', line: 1 }),
    ).toBe(true)
    expect(forbidden({ from: 'standin/standin.ts', to: 'domain/errors.ts', line: 1 })).toBe(true)
    expect(forbidden({ from: 'drivers/speech/qwen-asr.ts', to: 'drivers/wire/http.ts', line: 1 })).toBe(false)
  })

  it('reads the environment in config.ts alone', () => {
    const readers = files.filter(file => /process\.env/.test(readFileSync(join(source, file), 'utf8')))
    expect(readers).toEqual(['config.ts'])
  })

  it('has no file that takes more than a sitting to read', () => {
    const long = files.filter(file => readFileSync(join(source, file), 'utf8').split('\n').length > 270)
    expect(long).toEqual([])
  })

  it('opens each file with a line that says its job', () => {
    const silent = files.filter(
      file => !/^(?:#!.*\n)?\/\/ \S.{15,}/.test(readFileSync(join(source, file), 'utf8')),
    )
    expect(silent).toEqual([])
  })
})
