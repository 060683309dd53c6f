// The user's keys, words and files stay theirs: environment of child processes, and access to files.
import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
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
    expect([...names].sort()).toEqual(['HOME', 'LANG', 'LD_LIBRARY_PATH', 'PATH'])
  })
})
