// The command `speech-mcp export`: formats, several files, the list of transcripts, and wrong ids.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { fixture } from '../../support/e2e/system.ts'
import { openTerminal, type Terminal } from '../../support/e2e/terminal.ts'
import { documentText } from '../../support/rendered.ts'

let terminal: Terminal

beforeAll(async () => {
  terminal = await openTerminal()
})
afterAll(() => terminal.close())

const note = fixture('voice-note.ogg')
const pathOf = (name: string) => join(terminal.work, name)

/** Transcribes a recording; returns the transcript’s id. */
async function keep(recording: string): Promise<string> {
  const { stderr } = await terminal.run(['transcribe', recording])
  return /tr_\w+/.exec(stderr)![0]
}

/** Of an export to files, which names them with the length and the date. */
function written(files: string) {
  const told = new RegExp(`^Wrote ${files.replaceAll('.', '\\.')}: voice-note, 0:07, of [\\d: -]+\\.\\n$`)
  return { code: 0, stdout: '', stderr: expect.stringMatching(told) }
}

describe('speech-mcp export', () => {
  let id: string
  beforeAll(async () => {
    id = await keep(note)
  })

  it('export without an id lists the transcripts, newest first', async () => {
    const newer = await keep('silence.wav')
    const { code, stdout } = await terminal.run(['export'])
    expect(code).toBe(0)
    expect(stdout.split('\n').map(line => line.split(' ')[0])).toEqual([newer, id, ''])
    expect(stdout).toMatch(/^tr_\w{16} {2}\d{4}-\d\d-\d\d \d\d:\d\d +0:00 +silence\n/)
  })

  it.each([
    ['srt', /^1\n00:00:0\d,\d{3} --> 00:00:0\d,\d{3}\nHi Greta!/],
    ['vtt', /^WEBVTT\n/],
    ['ass', /^\[Script Info\]\n/],
    ['ttml', /^<\?xml /],
    ['md', /^# voice-note\n/],
    ['json', /^\{/],
    ['txt', /^Hi Greta!/],
    ['docx', /^PK/],
    ['csv', /^\ufeffstart,end,speaker,text,/],
    ['rttm', /^SPKR-INFO voice-note 1 /],
    ['ctm', /^voice-note 1 \d+\.\d{3} \d+\.\d{3} hi NA\n/],
  ])('export writes %s, chosen by flag or by file extension', async (format, beginning) => {
    const { code, stdout, stderr } = await terminal.run(['export', id, '-f', format])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toMatch(beginning)
    const name = `out.${format.toUpperCase()}`
    expect(await terminal.run(['export', id, '-o', name])).toEqual(written(name))
    expect(await readFile(pathOf(name), 'utf8')).toBe(stdout)
  })

  it('export accepts a transcript URI as id', async () => {
    const { code, stdout } = await terminal.run(['export', `transcript://${id}`])
    expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringMatching(/^Hi Greta!/) })
  })

  it('export writes several files at once, each in the format of its extension', async () => {
    const files = ['-o', 'talk.srt', '-o', 'talk.docx', '-o', 'talk.csv']
    expect(await terminal.run(['export', id, ...files])).toEqual(written('talk.srt, talk.docx, talk.csv'))
    expect(await readFile(pathOf('talk.srt'), 'utf8')).toMatch(/^1\n/)
    expect(documentText(await readFile(pathOf('talk.docx')))).toContain('Hi Greta!')
    expect(await readFile(pathOf('talk.csv'), 'utf8')).toMatch(/^\ufeffstart,/)
  })

  it('export takes a preset, and --check lists the cues that break its rules', async () => {
    const words = await terminal.run(['export', id, '-f', 'srt', '--preset', 'social', '--check'])
    expect({ code: words.code, stderr: words.stderr }).toEqual({ code: 0, stderr: '' })
    expect(words.stdout).toMatch(/^1\n.* --> .*\nHi Greta!\n\n2\n/)
    const children = await terminal.run(['export', id, '-f', 'srt', '--preset', 'children', '--check'])
    const problems = children.stderr.split('\n').filter(line => line !== '')
    expect(children.code).toBe(problems.length > 0 ? 3 : 0)
    for (const problem of problems)
      expect(problem).toMatch(/^Cue \d+ at 0:\d\d \(“.+”\): .+, at (?:most|least) /)
    const files = ['-o', 'a.srt', '-o', 'b.vtt', '-o', 'c.txt', '--preset', 'children', '--check']
    const both = await terminal.run(['export', id, ...files])
    const told = ['a.srt', 'b.vtt'].flatMap(file => problems.map(line => `${file}: ${line}\n`)).join('')
    expect(both.stderr.replace(/^Wrote .*\n/m, '')).toBe(told)
    const { code, stderr } = await terminal.run(['export', id, '-f', 'srt', '--preset', 'cinema'])
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: expect.stringMatching(/^BAD_INPUT: Unknown preset\./),
    })
  })

  it('of several files, those that can be written are, and the error names the other', async () => {
    const files = ['-o', 'missing/a.srt', '-o', 'b.vtt', '-o', 'also missing/c.csv', '-o', 'd.md']
    const { code, stdout, stderr } = await terminal.run(['export', id, ...files])
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr.split('\n').map(line => /written as (.*?)\./.exec(line)?.[1])).toEqual([
      'missing/a',
      'also missing/c',
      undefined,
    ])
    expect(await readFile(pathOf('b.vtt'), 'utf8')).toMatch(/^WEBVTT\n/)
    expect(await readFile(pathOf('d.md'), 'utf8')).toMatch(/^# voice-note\n/)
  })

  it('the file - is stdout', async () => {
    const { stdout } = await terminal.run(['export', id, '-o', '-', '-o', 'beside.srt'])
    expect(stdout).toMatch(/^Hi Greta!/)
    expect(await readFile(pathOf('beside.srt'), 'utf8')).toMatch(/^1\n/)
    expect((await terminal.run(['export', id, '-f', 'vtt', '-o', '-'])).stdout).toMatch(/^WEBVTT\n/)
  })

  it('export rejects an unknown file extension', async () => {
    const { code, stderr } = await terminal.run(['export', id, '-o', 'out.pdf'])
    expect(code).toBe(2)
    expect(stderr).toMatch(/^BAD_INPUT: Unknown output format\. Use one of .*\bsrt\b/)
  })

  it('export rejects an unknown id', async () => {
    const { code, stdout, stderr } = await terminal.run(['export', 'tr_0000000000000000'])
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toMatch(/^TRANSCRIPT_NOT_FOUND: /)
  })

  it('export exits silently when its reader closes the pipe', async () => {
    const { child, result } = terminal.start(['export', id, '-f', 'json'])
    // The end for us, and a closed pipe for the command.
    child.stdout!.push(null)
    child.stdout!.destroy()
    expect(await result).toEqual({ code: 0, stdout: '', stderr: '' })
  })
})
