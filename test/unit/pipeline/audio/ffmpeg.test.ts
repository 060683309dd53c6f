// ffmpeg that hangs: it is ended with everything it has started, the recording fails, and its lane is free again.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import type { Run } from '../../../../src/domain/run.ts'
import { decode } from '../../../../src/pipeline/audio/decode.ts'
import type { LocateFfmpeg } from '../../../../src/pipeline/audio/ffmpeg.ts'
import { openSource, type SourcePorts } from '../../../../src/pipeline/source/source.ts'
import { testFfmpeg } from '../../../support/audio/ffmpeg.ts'
import { toneSamples } from '../../../support/audio/hear.ts'
import { timedMatroska } from '../../../support/audio/timed-matroska.ts'
import { createWorkspace, spokenWav, type Workspace } from '../../../support/jobs/harness.ts'

let workspace: Workspace
beforeAll(async () => {
  workspace = await createWorkspace(1)
})
afterAll(() => workspace.close())

/** The real ffmpeg, which comes later, may start slowly on a busy machine. */
const isFirst = (start: number) => start === 0
const never = () => false

/** Runs these lines of shell for `hangs.wav`, and ffmpeg itself for all else. Processes write their ids with `$note`. */
async function standIn(
  name: string,
  lines: string[],
  meant = '*hangs*',
  isHanging: (start: number) => boolean = isFirst,
): Promise<Stub> {
  const path = join(workspace.folder, name)
  const ids = `${path}.ids`
  let starts = 0
  const script = ['#!/bin/sh', `real='${await testFfmpeg()}'`, `ids='${ids}'`, `case "$*" in ${meant})`]
  await writeFile(ids, '')
  await writeFile(
    path,
    [...script, 'echo $$ >> "$ids"', ...lines, ';; esac', 'exec "$real" "$@"'].join('\n'),
    {
      mode: 0o755,
    },
  )
  return {
    locate: async () => ({ path, ...(isHanging(starts++) && { maxSilentMs: 400 }) }),
    async left() {
      const noted = (await readFile(ids, 'utf8')).trim().split('\n').map(Number)
      return noted.filter(isRunning)
    },
  }
}

interface Stub {
  locate: LocateFfmpeg
  /** Ids of its processes that still run. */
  left(): Promise<number[]>
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

async function expectNoneLeft(stub: Stub): Promise<void> {
  await vi.waitFor(async () => expect(await stub.left()).toEqual([]), { interval: 50 })
}

const sleeper = 'sh -c \'echo $$ >> "$0"; exec sleep 60\' "$ids"'

it.each([
  ['sleeps', ['exec sleep 60']],
  ['starts a child that holds its output', [`${sleeper} &`, 'wait']],
  ['ends although its child holds its output', [`${sleeper} &`, 'exit 0']],
  // Without the pause, the program may be done before anyone sees the end of the first one.
  ['ends before the program that it has started', ['(sleep 60; exec "$real" "$@") &', 'exit 0']],
  ['writes some audio and then sleeps', ['head -c 100000 /dev/zero', 'exec sleep 60']],
  ['ignores the request to end', ["trap '' TERM", 'sleep 60', 'sleep 60']],
  ['does not end after its last sample', ['"$real" "$@"', 'exec >&- 3>&-', 'exec sleep 60']],
])('an ffmpeg that %s leaves no process, and its lane is free', async (name, lines) => {
  const stub = await standIn(name.replaceAll(' ', '-'), lines)
  const harness = await workspace.open({ ffmpeg: stub.locate, concurrency: { short: 1, long: 1, remote: 1 } })
  const audio = join(workspace.folder, 'hangs.wav')
  await writeFile(audio, spokenWav(1, 2))
  const hanging = await harness.submit({ audio, context: name })
  const next = harness.transcribe({ context: name })
  const job = await harness.waitForEnd(hanging.job.id)
  const code = name.startsWith('ends') ? 'FFMPEG_FAILED' : 'FFMPEG_HUNG'
  expect(job).toMatchObject({ state: 'failed', error: { code } })
  expect((await next).job.state).toBe('completed')
  await expectNoneLeft(stub)
})

const setsid = spawnSync('setsid', ['true']).status === 0

it.runIf(setsid)('an ffmpeg whose helper keeps its pipes open is read to its end', async () => {
  const stub = await standIn('helper', [`setsid ${sleeper} &`, '"$real" "$@"', 'exit $?'], '*hangs*', never)
  const harness = await workspace.open({ ffmpeg: stub.locate })
  const audio = join(workspace.folder, 'hangs.wav')
  await writeFile(audio, spokenWav(1, 3))
  try {
    expect(await harness.transcribe({ audio })).toMatchObject({ job: { state: 'completed' } })
  } finally {
    for (const pid of await stub.left()) process.kill(pid)
  }
})

it.runIf(existsSync('/proc/self/autogroup')).each([
  ['short recording', spokenWav(1, 4), 10],
  ['long recording', spokenWav(3, 5), 12],
])('the decoder of a %s has a lower priority also among sessions', async (_, sound, priority) => {
  const waits = `until grep -q "nice ${priority}" /proc/$$/autogroup; do sleep 0.1; done`
  const stub = await standIn('polite', [waits, 'exec "$real" "$@"'], '*verbose*hangs*', never)
  const harness = await workspace.open({ ffmpeg: stub.locate })
  const audio = join(workspace.folder, 'hangs.wav')
  await writeFile(audio, sound)
  expect(await harness.transcribe({ audio })).toMatchObject({ job: { state: 'completed' } })
})

it('an encoder that hangs fails its recording too', async () => {
  const stub = await standIn('encoder', ['exec sleep 60'], '*pipe:0*', start => !isFirst(start))
  const harness = await workspace.open({ ffmpeg: stub.locate })
  const { job } = await harness.transcribe({ context: 'encoder' })
  expect(job).toMatchObject({ state: 'failed', error: { code: 'FFMPEG_HUNG' } })
  await expectNoneLeft(stub)
})

it('an ffmpeg whose samples are not taken is left in peace', async () => {
  const { signal } = new AbortController()
  const ffmpeg = async () => ({ path: await testFfmpeg(), maxSilentMs: 1_000 })
  const source = { file: workspace.recording, name: 'talk', bytes: 1, isTruncated: false }
  const run = { signal, warn() {} } as unknown as Run
  // Time passes here alone: the real ffmpeg may start slowly on a busy machine.
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
  onTestFinished(() => void vi.useRealTimers())
  const { samples, decodedSeconds } = decode(source, ffmpeg, run)
  for await (const _ of samples) vi.advanceTimersByTime(5_000)
  expect(decodedSeconds()).toBeCloseTo(24.2, 1)
})

describe('of a recording with a clock of its own', () => {
  const seconds = 20

  /** Reads the recording to its end; `lost` is from where it was not decoded. */
  async function heardBy(name: string, lines: string[], part?: { start: number; end: number }) {
    const stub = await standIn(name.replaceAll(' ', '-'), lines, '*hangs*', never)
    const file = join(workspace.folder, 'hangs.mkv')
    await writeFile(file, timedMatroska([{ time: 0, samples: toneSamples(seconds) }], { seconds }))
    const warnings: string[] = []
    const run = {
      signal: new AbortController().signal,
      warn: (text: string) => warnings.push(text),
    } as unknown as Run
    const source = await openSource({ audio: file }, {} as SourcePorts, run)
    const decoding = decode(source, stub.locate, run, { part })
    for await (const _ of decoding.samples);
    return { lost: decoding.lost(), decoded: decoding.decodedSeconds(), warnings }
  }

  it.each([
    ['dies', ['"$real" "$@" | head -c 300000', 'kill -9 $$']],
    ['dies in a wrapper', ['"$real" "$@" | head -c 300000', 'exit 137']],
    ['is interrupted by another program', ['"$real" "$@" | head -c 300000', 'exit 255']],
    ['ends in the middle, as if all was well', ['"$real" "$@" | head -c 300001', 'exit 0']],
    ['writes other bytes in the middle', ['"$real" "$@" | head -c 300000', 'yes', 'exit 0']],
  ])('the rest that an ffmpeg leaves out that %s is lost, and said to be', async (name, lines) => {
    const { lost, decoded } = await heardBy(name, lines)
    expect(decoded).toBeGreaterThan(5)
    expect(lost).toEqual({ start: decoded, end: seconds })
    await expect(heardBy(name, lines, { start: 4, end: 18 })).rejects.toMatchObject({ code: 'FFMPEG_FAILED' })
  })

  it('an ffmpeg that fails in the middle leaves a warning', async () => {
    const { warnings } = await heardBy('fails', ['"$real" -t 9 "$@"', 'exit 1'])
    expect(warnings).toEqual([expect.stringMatching(/^The file seems to be cut off/)])
  })

  it('a wrapper that writes to the output is named as the fault', async () => {
    const reading = heardBy('chatty', ['echo Loading', '"$real" "$@"'])
    await expect(reading).rejects.toMatchObject({
      code: 'FFMPEG_FAILED',
      hint: expect.stringContaining('wrapper'),
    })
  })
})

it('a cancelled job ends its ffmpeg with everything it has started', async () => {
  const stub = await standIn('cancelled', [`${sleeper} &`, 'wait'], '*format_whitelist*')
  const harness = await workspace.open({
    ffmpeg: async () => ({ ...(await stub.locate()), maxSilentMs: 60_000 }),
  })
  const { job } = await harness.submit({ context: 'cancelled' })
  await vi.waitFor(async () => expect(await stub.left()).toHaveLength(2), { interval: 20 })
  expect((await harness.jobs.cancel(job.owner, job.id)).state).toBe('cancelled')
  await expectNoneLeft(stub)
})
