// The command `speech-mcp diarize`: output, exit codes and interruption, with and without a bucket.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import { expectedTurns, makeShortMeeting, turnsOf } from '../../support/e2e/diarization-system.ts'
import { bucketSettings, fixture } from '../../support/e2e/system.ts'
import { openTerminal, type Terminal } from '../../support/e2e/terminal.ts'
import { normalizedText } from '../../support/emulators/texts.ts'

let terminal: Terminal
let bucket: { env: Record<string, string> }
let meeting: string

beforeAll(async () => {
  terminal = await openTerminal({ oss: true })
  bucket = { env: bucketSettings(terminal.dashscope) }
  await terminal.dashscope.warmUp()
  meeting = await makeShortMeeting(terminal.work, 'meeting')
})
afterAll(() => terminal.close())

const pathOf = (name: string) => join(terminal.work, name)
const inBucket = () => [...terminal.dashscope.oss!.objects(), ...terminal.dashscope.oss!.unfinishedUploads()]

/** The characters that each speaker says, in order. */
function saidBy(segments: { speaker: string; text: string }[]): Record<string, string> {
  const said: Record<string, string> = {}
  for (const { speaker, text } of segments) said[speaker] = (said[speaker] ?? '') + normalizedText(text)
  return said
}

/** Blocks of a text file, as lines of a tool's text. */
const blocks = (text: string) => text.replace(/^/gm, '[0:00] ')

describe('speech-mcp diarize', () => {
  it('diarize prints speaker turns, saves them, and repeats them without a request', async () => {
    const args = ['diarize', meeting, '--speakers', '3', '-l', 'en']
    const first = await terminal.run(args, bucket)
    expect(first).toMatchObject({ code: 0, stderr: expect.stringMatching(/(^|\n)Saved as tr_\w{16}\.\n$/) })
    expect(turnsOf(blocks(first.stdout)).slice(0, 3)).toEqual(expectedTurns().slice(0, 3))
    const task = terminal.dashscope.tasks.find(({ model }) => model === 'fun-asr-mtl')
    expect(task!.parameters).toMatchObject({ speaker_count: 3, language_hints: ['en'] })
    expect(inBucket()).toEqual([])
    const tasks = terminal.dashscope.tasks.length
    const second = await terminal.run(args, bucket)
    expect(second).toEqual({ ...first, stderr: first.stderr.replace(/\$[\d.]+\d/, '$0.00') })
    expect(terminal.dashscope.tasks.length).toBe(tasks)
  })

  it('diarize and export write subtitles with speakers', async () => {
    const { code, stdout, stderr } = await terminal.run(['diarize', meeting, '-t', 'Kiosks', '-o', 'out.vtt'])
    expect({ code, stdout }, stderr).toEqual({ code: 0, stdout: '' })
    const vtt = await readFile(pathOf('out.vtt'), 'utf8')
    expect(vtt).toMatch(/\n<v S1>Right,/)
    const id = /tr_\w+/.exec(stderr)![0]
    const exported = await terminal.run(['export', id, '-f', 'md'])
    expect(exported.stdout).toMatch(/^# Kiosks\n[\s\S]*\nSpeakers: S1 \d+ %, S2 \d+ %, S3 \d+ %\n/)
    expect((await terminal.run(['export', id, '-f', 'vtt'])).stdout).toBe(vtt)
  })

  it('diarize --readable formats a finished transcript without another recognition', async () => {
    const args = ['diarize', meeting, '-t', 'Kiosks', '-f', 'json']
    const plain = JSON.parse((await terminal.run(args, bucket)).stdout)
    const tasks = terminal.dashscope.tasks.length
    const env = { ...bucket.env, FORMAT_MODELS: 'qwen-flash' }
    const { code, stdout, stderr } = await terminal.run([...args, '--readable'], { env })
    expect(code, stderr).toBe(0)
    expect(stderr).toContain('Formatted: faithful, by qwen-flash; ')
    const { formatted, segments, raw_segments } = JSON.parse(stdout)
    expect({ models: formatted.models, raw_segments, tasks: terminal.dashscope.tasks.length }).toEqual({
      models: ['qwen-flash'],
      raw_segments: plain.segments,
      tasks,
    })
    expect(saidBy(segments)).toEqual(saidBy(plain.segments))
  })

  it('diarize exits with 3 and names what is missing when one model fails', async () => {
    const off = terminal.dashscope.taskFault({ kind: 'failed', code: 'InternalError', model: 'fun-asr-mtl' })
    onTestFinished(off)
    const { code, stdout, stderr } = await terminal.run(['diarize', fixture('jfk.wav')], bucket)
    expect(code).toBe(3)
    expect(stdout).toMatch(/^\?: And so,/)
    expect(stderr).toMatch(
      /(^|\n)Note: "\?:" marks [\s\S]*\nNote: .*TASK_FAILED[\s\S]*\nSaved as tr_\w+\.\n$/,
    )
  })

  it('an interrupted diarize leaves nothing in the bucket', async () => {
    terminal.dashscope.set({ taskLatency: { base: 600, perSecond: 0 } })
    onTestFinished(() => terminal.dashscope.set({ taskLatency: { base: 0, perSecond: 0 } }))
    const tasks = terminal.dashscope.tasks.length
    const { child, result } = terminal.start(['diarize', fixture('clip.mp4')], bucket)
    await vi.waitUntil(() => terminal.dashscope.tasks.length === tasks + 2, { timeout: 30_000 })
    child.kill('SIGINT')
    expect(await result).toEqual({ code: 130, stdout: '', stderr: 'Cancelled.\n' })
    expect(inBucket()).toEqual([])
  })
})
