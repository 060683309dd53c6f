// Transcripts at a terminal: `list` and `export` show length, speakers and date; completion; a server without a client.
import { execFileSync } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { runProgramHere } from '../../support/e2e/program-here.ts'
import { fixture } from '../../support/e2e/system.ts'
import { openTerminal, type Terminal } from '../../support/e2e/terminal.ts'

let terminal: Terminal
beforeAll(async () => {
  terminal = await openTerminal({ oss: true })
})
afterAll(() => terminal.close())

it('list shows length, speakers, date and title, the newest first, and finds what was said', async () => {
  expect((await terminal.run(['list'])).stderr).toBe('No transcripts are stored yet.\n')
  await terminal.run(['transcribe', fixture('voice-note.ogg'), '-t', 'A parcel'])
  await terminal.run(['diarize', fixture('interview.mp3'), '-t', 'An interview'])
  const { code, stdout } = await terminal.start(['list']).result
  expect(code).toBe(0)
  const date = '\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d'
  expect(stdout).toMatch(
    new RegExp(
      `^tr_\\w{16}  ${date} +\\d:\\d\\d  2 speakers   An interview\\n` +
        `tr_\\w{16}  ${date} +0:07 {15}A parcel\\n$`,
    ),
  )
  expect((await terminal.run(['list', '-n', '1'])).stdout).toBe(stdout.split('\n')[0]!.concat('\n'))
  expect((await terminal.run(['list', 'blue', 'parcel'])).stdout).toBe(`${stdout.split('\n')[1]}\n`)
  expect((await terminal.run(['list', 'blue parcel'])).stdout).toBe(`${stdout.split('\n')[1]}\n`)
  expect((await terminal.run(['list', 'submarine'])).stderr).toBe('No transcript contains these words.\n')
  const [first] = (await terminal.run(['list', '--json'])).stdout.split('\n')
  expect(JSON.parse(first!)).toMatchObject({
    id: stdout.slice(0, 19),
    title: 'An interview',
    speakers: ['S1', 'S2'],
    status: 'completed',
  })
  const exported = await terminal.run(['export', stdout.slice(0, 19), '-o', 'a.txt'])
  const told = `^Wrote a\\.txt: An interview, \\d:\\d\\d, 2 speakers, of ${date}\\.\\n$`
  expect(exported.stderr).toMatch(new RegExp(told))
  expect((await terminal.run(['export'])).stdout).toBe(stdout)
})

it.each(['0', '1001', 'all'])('list refuses %s transcripts', async limit => {
  const { code, stderr } = await terminal.run(['list', '-n', limit])
  expect({ code, stderr }).toEqual({
    code: 2,
    stderr: expect.stringMatching(/^BAD_INPUT: .*from 1 to 1000\.\n$/),
  })
})

it('a server without a client says what it waits for if a person starts it', async () => {
  const started = { env: terminal.env, cwd: terminal.work, input: '' }
  const shown = await runProgramHere([], { ...started, isTerminal: true })
  expect(shown).toMatchObject({ code: 0, stdout: '' })
  expect(shown.stderr).toMatch(/waits for an MCP client .* on stdin[\s\S]*speech-mcp --help/)
  expect((await runProgramHere([], started)).stderr).toBe('')
})

/** The completions of bash for a line that ends at the cursor. */
async function completed(line: string): Promise<string[]> {
  const script = join(terminal.work, 'completion.bash')
  await writeFile(script, (await terminal.start(['completion', 'bash']).result).stdout)
  const words = line.split(' ')
  const list = words.map(word => `'${word}'`).join(' ')
  const ask = `source '${script}'; COMP_WORDS=(${list}); COMP_CWORD=${words.length - 1}; _speech_mcp`
  const said = execFileSync('bash', ['-c', `${ask}; printf '%s\\n' "\${COMPREPLY[@]}"`], {
    cwd: terminal.work,
    encoding: 'utf8',
  })
  return said.split('\n').filter(Boolean)
}

it.skipIf(process.platform === 'win32')('bash completes commands, flags, values and files', async () => {
  await writeFile(join(terminal.work, 'my talk.wav'), '')
  expect(await completed('speech-mcp tr')).toEqual(['transcribe'])
  expect(await completed('speech-mcp transcribe --outp')).toEqual(['--output'])
  expect(await completed('speech-mcp transcribe -f vtt')).toEqual(['vtt', 'vtt-names'])
  expect(await completed('speech-mcp transcribe my')).toEqual(['my talk.wav'])
  expect(await completed('speech-mcp install cu')).toEqual(['cursor'])
  expect(await completed('speech-mcp completion f')).toEqual(['fish'])
})

it.each(['zsh', 'fish'])('the completion for %s names each command and flag', async shell => {
  const { code, stdout } = await terminal.run(['completion', shell])
  expect(code).toBe(0)
  for (const word of ['transcribe', 'diarize', 'list', 'install', 'speakers', 'vtt-names', 'gemini-cli'])
    expect(stdout).toContain(word)
})

it.each([[], ['tcsh'], ['bash', 'zsh']])(
  'completion explains which shells there are (%s)',
  async (...words) => {
    const { code, stderr } = await terminal.run(['completion', ...words])
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: expect.stringMatching(/^BAD_INPUT: .*bash, zsh, fish\.\n$/),
    })
  },
)
