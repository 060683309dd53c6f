// The user's keys, words and files stay theirs: environment of child processes, and access to files.
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { fixture } from '../../support/e2e/system.ts'
import { openTerminal, type Terminal } from '../../support/e2e/terminal.ts'

let terminal: Terminal
beforeAll(async () => {
  terminal = await openTerminal()
})
afterAll(() => terminal.close())

describe.skipIf(process.platform === 'win32')('a child process', () => {
  it.each([
    ['transcribe', ['transcribe', fixture('voice-note.ogg')]],
    ['doctor', ['doctor']],
  ])('a child process of `%s` gets the names of the system and no key', async (_, args) => {
    const [program, seen] = ['ffmpeg.sh', 'environment'].map(name => join(terminal.work, name))
    writeFileSync(program!, `#!/bin/sh\nenv >> '${seen}'\nexec '${terminal.env.FFMPEG_PATH}' "$@"\n`)
    chmodSync(program!, 0o755)
    const secrets = { OPENAI_API_KEY: 'key-openai', AWS_SECRET_ACCESS_KEY: 'key-aws', NODE_OPTIONS: '' }
    const env = { ...secrets, FFMPEG_PATH: program!, LANG: 'C.UTF-8', LD_LIBRARY_PATH: '/nowhere' }
    const { code, stderr } = await terminal.run(args, { env })
    expect(code, stderr).toBe(0)
    const names = new Set(readFileSync(seen!, 'utf8').match(/^\w+(?==)/gm))
    // The shell itself adds some.
    for (const name of ['PWD', 'SHLVL', '_', 'OLDPWD']) names.delete(name)
    const added = process.platform === 'linux' ? ['GCONV_PATH'] : []
    expect([...names].sort()).toEqual([...added, 'HOME', 'LANG', 'LD_LIBRARY_PATH', 'PATH'])
  })

  it.runIf(process.platform === 'linux')(
    'a child process loads no module of the system for the character sets of a transport stream',
    async () => {
      const [program, seen] = ['ffmpeg.sh', 'gconv'].map(name => join(terminal.work, name))
      writeFileSync(
        program!,
        `#!/bin/sh\necho "$GCONV_PATH" > '${seen}'\nexec '${terminal.env.FFMPEG_PATH}' "$@"\n`,
      )
      chmodSync(program!, 0o755)
      await terminal.run(['transcribe', fixture('clip.mp4')], { env: { FFMPEG_PATH: program! } })
      const modules = readFileSync(join(readFileSync(seen!, 'utf8').trim(), 'gconv-modules'), 'utf8')
      const files = [...modules.matchAll(/^module +(\S+)\/\/ +INTERNAL +(\S+)/gm)].map(([, , file]) => file)
      expect(files.length).toBeGreaterThan(15)
      expect(files.filter(file => existsSync(`${file}.so`))).toEqual([])
    },
  )
})

describe.skipIf(process.platform === 'win32')('the data folder', () => {
  const modeOf = (path: string) => (statSync(path).mode & 0o777).toString(8)
  /** Runs a command with the most generous umask: on a data folder that anybody may open, with these files in it. */
  async function runInOpenFolder(name: string, files: string[], args: string[]) {
    const folder = join(terminal.work, name)
    mkdirSync(folder)
    chmodSync(folder, 0o755)
    for (const file of files) writeFileSync(join(folder, file), '', { mode: 0o644 })
    const umask = process.umask(0)
    try {
      const result = await terminal.run(args, { env: { SPEECH_DATA_DIR: folder } })
      return { folder, ...result }
    } finally {
      process.umask(umask)
    }
  }

  it('the data folder and all files in it are closed to other users, whatever they were before', async () => {
    const audio = `data:audio/ogg;base64,${readFileSync(fixture('voice-note.ogg')).toString('base64')}`
    const kept = ['speech.db', 'speech.db.damaged-2026', 'installation']
    const { folder, code } = await runInOpenFolder('closed', kept, ['transcribe', audio])
    expect(code).toBe(0)
    expect(modeOf(folder)).toBe('700')
    const modes = readdirSync(folder).map(name => [name, modeOf(join(folder, name))])
    expect(modes.length).toBeGreaterThan(kept.length)
    for (const [name, mode] of modes) expect([name, mode]).toEqual([name, name === 'scratch' ? '700' : '600'])
  })

  it('a data folder that holds other files stays open, its own files are closed, and doctor says so', async () => {
    const { folder, stdout, stderr } = await runInOpenFolder('shared', ['holiday.txt'], ['doctor'])
    expect(modeOf(folder)).toBe('755')
    expect(modeOf(join(folder, 'holiday.txt'))).toBe('644')
    expect(stdout).toMatch(/^ok {4}data folder: .*open to other users/m)
    expect(stderr).toContain('data-folder-open-to-others')
    await terminal.run(['transcribe', fixture('voice-note.ogg')], { env: { SPEECH_DATA_DIR: folder } })
    expect(modeOf(join(folder, 'speech.db'))).toBe('600')
  })
})
