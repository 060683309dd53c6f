// The structure: a file imports only from floors below its own, and from the rooms its room may enter.
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { describe, expect, it } from 'vitest'
import { root } from './support/e2e/system.ts'

/**
 * Each room, its floor, and the rooms it may import from. A file belongs to the first room whose pattern fits. 'own
 * folder' is the driver of that name alone; 'own room' is the file's own folder within its part.
 */
const rooms: { room: string; files: RegExp; floor: number; mayImport: string[] }[] = [
  {
    room: 'demo',
    files: /^demo\//,
    floor: 5,
    mayImport: ['demo', 'emulators', 'cli', 'app', 'config', 'formats', 'domain'],
  },
  {
    room: 'main',
    files: /^src\/(?:main|program)\.ts$/,
    floor: 6,
    mayImport: ['main', 'cli', 'config', 'system', 'log', 'domain', 'demo'],
  },
  {
    room: 'cli',
    files: /^src\/cli\//,
    floor: 5,
    mayImport: ['cli', 'app', 'server', 'config', 'formats', 'system', 'log', 'domain'],
  },
  {
    room: 'app',
    files: /^src\/app(?:-services)?\.ts$/,
    floor: 4,
    mayImport: ['app', 'config', 'drivers', 'models', 'http', 'jobs', 'pipeline', 'system', 'log', 'domain'],
  },
  {
    room: 'server',
    files: /^src\/server\//,
    floor: 4,
    mayImport: ['server', 'jobs', 'viewer', 'formats', 'log', 'domain'],
  },
  {
    room: 'jobs',
    files: /^src\/jobs\//,
    floor: 3,
    mayImport: ['jobs', 'pipeline', 'system', 'log', 'domain'],
  },
  {
    room: 'pipeline',
    files: /^src\/pipeline\//,
    floor: 2,
    mayImport: ['pipeline', 'system', 'log', 'domain'],
  },
  { room: 'http', files: /^src\/drivers\/http\//, floor: 2, mayImport: ['http', 'log', 'domain'] },
  {
    room: 'models',
    files: /^src\/drivers\/models\//,
    floor: 2,
    mayImport: ['models', 'http', 'log', 'domain'],
  },
  {
    room: 'drivers',
    files: /^src\/drivers\//,
    floor: 2,
    mayImport: ['own folder', 'models', 'http', 'system', 'log', 'domain'],
  },
  { room: 'page', files: /^src\/viewer\/page\//, floor: 0, mayImport: ['page'] },
  { room: 'home', files: /^src\/home\//, floor: 0, mayImport: ['home', 'page'] },
  { room: 'viewer', files: /^src\/viewer\//, floor: 2, mayImport: ['viewer', 'page', 'formats', 'domain'] },
  { room: 'formats', files: /^src\/formats\//, floor: 2, mayImport: ['formats', 'domain'] },
  { room: 'config', files: /^src\/config\//, floor: 2, mayImport: ['config', 'log', 'domain'] },
  { room: 'system', files: /^src\/system\//, floor: 1, mayImport: ['system', 'log'] },
  { room: 'log', files: /^src\/log\.ts$/, floor: 1, mayImport: [] },
  { room: 'domain', files: /^src\/domain\//, floor: 1, mayImport: ['domain'] },
  { room: 'emulators', files: /^emulators\//, floor: 0, mayImport: ['emulators'] },
]

interface Import {
  from: string
  to: string
  line: number
}

const files = ['src', 'emulators', 'demo'].flatMap(folder => sourceFiles(folder))
const testFiles = ['test', 'trials'].flatMap(folder => sourceFiles(folder))

/** AssemblyScript, which looks like TypeScript but is none. */
const assemblyFiles = sourceFiles('src', '.as')

/** Paths from the project's root, with forward slashes. */
function sourceFiles(folder: string, extension = '.ts'): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter(file => file.endsWith(extension))
    .map(file => `${folder}/${file.replaceAll('\\', '/')}`)
}

function roomOf(file: string) {
  const room = rooms.find(({ files }) => files.test(file))
  if (!room) throw new Error(`${file} lies in no room: add one on purpose, or move it.`)
  return room
}

/** Static, type-only and dynamic imports, and re-exports, of our own files. */
function importsOf(file: string): Import[] {
  const text = readFileSync(join(root, file), 'utf8')
  return [...text.matchAll(/(?:\bfrom\s*|\bimport\s*\(?\s*)['"](\.[^'"]+)['"]/g)].map(found => ({
    from: file,
    to: relative(root, join(root, dirname(file), found[1]!)).replaceAll('\\', '/'),
    line: text.slice(0, found.index).split('\n').length,
  }))
}

function forbidden({ from, to }: Import): boolean {
  const [here, there] = [roomOf(from), roomOf(to)]
  if (here.mayImport.includes('own folder') && driverOf(from) === driverOf(to)) return false
  return !here.mayImport.includes(there.room) || (here.room !== there.room && here.floor < there.floor)
}

/** `src/drivers/store`, also for a file in a folder of it. */
function driverOf(file: string): string {
  return file.split('/').slice(0, 3).join('/')
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

describe('the structure', () => {
  it('every file belongs to a room', () => {
    expect(files.length).toBeGreaterThan(40)
    for (const file of files) roomOf(file)
  })

  it('no file imports from a higher floor or from a room it may not enter', () => {
    const wrong = files.flatMap(importsOf).filter(forbidden)
    expect(wrong.map(({ from, to, line }) => `${from}:${line} imports ${to}`)).toEqual([])
  })

  it('no files import each other in a circle', () => {
    expect(circles()).toEqual([])
  })

  it('a wrong import is detected', () => {
    const isForbidden = (from: string, to: string) => forbidden({ from, to, line: 1 })
    expect(isForbidden('src/domain/errors.ts', 'src/log.ts')).toBe(true)
    expect(isForbidden('src/pipeline/audio/cut/cut.ts', 'src/jobs/jobs.ts')).toBe(true)
    expect(isForbidden('src/drivers/store/sqlite/sqlite.ts', 'src/drivers/asr/chunk-asr.ts')).toBe(true)
    expect(isForbidden('emulators/dashscope/dashscope.ts', 'src/domain/errors.ts')).toBe(true)
    expect(isForbidden('src/server/server.ts', 'emulators/dashscope/dashscope.ts')).toBe(true)
    expect(isForbidden('src/drivers/asr/chunk-asr.ts', 'src/drivers/http/http.ts')).toBe(false)
  })

  it('only the settings and the environment of child processes read the environment', () => {
    const readers = files.filter(file => /process\.env/.test(readFileSync(join(root, file), 'utf8')))
    expect(readers).toEqual(['src/config/config.ts', 'src/system/child-environment.ts'])
  })

  it('no file has more than 270 lines, and no test more than 300', () => {
    const linesOf = (file: string) => readFileSync(join(root, file), 'utf8').split('\n').length - 1
    expect([...files, ...assemblyFiles].filter(file => linesOf(file) > 270)).toEqual([])
    expect(testFiles.filter(file => linesOf(file) > 300)).toEqual([])
  })

  it('no folder has more than 16 files', () => {
    const counts = new Map<string, number>()
    for (const file of [...files, ...testFiles])
      counts.set(dirname(file), (counts.get(dirname(file)) ?? 0) + 1)
    const crowded = [...counts].filter(([, count]) => count > 16)
    expect(crowded).toEqual([])
  })

  it('every file begins with a line that says its job', () => {
    const silent = [...files, ...testFiles, ...assemblyFiles].filter(
      file => !/^(?:#!.*\n)?\/\/ \S.{15,}/.test(readFileSync(join(root, file), 'utf8')),
    )
    expect(silent).toEqual([])
  })
})
