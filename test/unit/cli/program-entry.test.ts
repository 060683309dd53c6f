// The program that a client is told to start: paths that stay, and entries that are this program's.
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import {
  furtherArguments,
  isTemporary,
  nodePath,
  startsThisProgram,
} from '../../../src/cli/install/program-entry.ts'

it.each([
  ['/home/ada/.npm/_npx/5f2/node_modules/speech-mcp/dist/main.js', true],
  ['C:\\Users\\ada\\AppData\\Local\\npm-cache\\_npx\\5f2\\node_modules\\speech-mcp\\dist\\main.js', true],
  ['/home/ada/.cache/pnpm/dlx/b1/node_modules/speech-mcp/dist/main.js', true],
  [join(tmpdir(), 'speech-mcp', 'dist', 'main.js'), true],
  ['/usr/lib/node_modules/speech-mcp/dist/main.js', false],
  ['/home/ada/speech-mcp/dist/main.js', false],
])('the temporary folders of package runners are known: %s', (entry, expected) => {
  expect(isTemporary(entry)).toBe(expected)
})

it.skipIf(process.platform === 'win32')(
  'a Node of Homebrew is named by the link that an update keeps',
  () => {
    const folder = realpathSync(mkdtempSync(join(tmpdir(), 'speech-mcp-test-')))
    try {
      const running = join(folder, 'Cellar/node@22/22.1.0/bin/node')
      mkdirSync(join(running, '..'), { recursive: true })
      mkdirSync(join(folder, 'opt'))
      writeFileSync(running, '')
      expect(nodePath(running)).toBe(running)
      symlinkSync(join(folder, 'Cellar/node@22/22.1.0'), join(folder, 'opt/node@22'))
      expect(nodePath(running)).toBe(join(folder, 'opt/node@22/bin/node'))
    } finally {
      rmSync(folder, { recursive: true })
    }
  },
)

it.each([
  [{ command: 'npx', args: ['-y', 'speech-mcp@0.1.0', '--speech-log', 'debug'] }, ['--speech-log', 'debug']],
  [{ command: 'node', args: ['C:\\a\\speech-mcp\\dist\\main.js'] }, []],
  [{ command: 'node', args: ['/moved/dist/main.js', 'serve'] }, ['serve']],
  [{ command: '/usr/bin/speech-mcp', args: ['--speech-log', 'debug'] }, ['--speech-log', 'debug']],
  [{ command: 'speech-mcp' }, []],
  [{ command: 'node', args: ['--import', 'tsx', '/usr/bin/speech-mcp', 'serve'] }, ['serve']],
  [{ command: 'cmd', args: ['/c', 'npx', '-y', 'speech-mcp', 'serve'] }, ['serve']],
  [{ command: 'pnpm', args: ['dlx', 'speech-mcp@latest', 'serve'] }, ['serve']],
  [
    { command: '/a/speech-mcp/dist/main.js', args: ['--speech-data-dir', '/b/speech-mcp'] },
    ['--speech-data-dir', '/b/speech-mcp'],
  ],
])('an entry of this program is known, and its further arguments: %j', (found, further) => {
  expect(startsThisProgram(found, '/moved/dist/main.js')).toBe(true)
  expect(furtherArguments(found, '/moved/dist/main.js')).toEqual(further)
})

it.each([
  { command: 'npx', args: ['-y', 'other-speech-mcp-server'] },
  { command: 'node', args: ['/other/dist/main.js'] },
  { command: 'npx', args: ['-y', '@other/speech-mcp'] },
  { command: 'npx', args: ['-y', 'other', 'speech-mcp'] },
  { command: 'uvx', args: ['speech-mcp'] },
  { command: 'node', args: ['/home/me/speech-mcp/x.js'] },
  { command: 'node', args: ['/lib/node_modules/@other/speech-mcp/dist/main.js'] },
  { command: 'node', args: ['/other/dist/main.js', '--folder', '/home/me/speech-mcp'] },
  { url: 'https://speech.example/mcp' },
])('an entry of another program is left alone: %j', found => {
  expect(startsThisProgram(found, '/moved/dist/main.js')).toBe(false)
})
