// The plan of a batch: what a folder holds, what it costs, what is done, and what cannot be read.
import { appendFile, copyFile, mkdir, rename, rm, stat, symlink, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { PlanRequest } from '../../../../src/jobs/jobs.ts'
import { locateTestFfmpeg } from '../../../support/audio/ffmpeg.ts'
import {
  createWorkspace,
  type Harness,
  owner,
  spokenWav,
  type Workspace,
} from '../../../support/jobs/harness.ts'

const { signal } = new AbortController()
let space: Workspace
let harness: Harness
let folder: string
let count = 0

beforeAll(async () => {
  space = await createWorkspace(1)
  harness = await space.open()
})
afterAll(() => space.close())
beforeEach(async () => {
  folder = join(space.folder, `folder ${count++}`)
  await mkdir(folder)
})

async function put(name: string, seed = 1, chunks = 1): Promise<string> {
  const path = join(folder, name)
  await mkdir(join(path, '..'), { recursive: true })
  await writeFile(path, spokenWav(chunks, seed))
  return path
}

const plan = (sources: string[] = [folder], more: Partial<PlanRequest> = {}, by = owner) =>
  harness.jobs.plan({ sources, options: {}, ...more }, { tool: 'transcribe_audio', owner: by, signal })

const namesOf = async (...args: Parameters<typeof plan>) =>
  (await plan(...args)).recordings.map(({ name }) => name)

describe('the recordings of a plan', () => {
  it('a folder is listed with its subfolders, by name and number', async () => {
    for (const [i, name] of ['b.wav', 'a 10.wav', 'a 9.wav', 'deep/er/c.wav'].entries())
      await put(name, i + 1)
    await writeFile(join(folder, 'notes.txt'), 'no recording')
    await put('.hidden.wav', 9)
    expect(await namesOf()).toEqual(['a 9.wav', 'a 10.wav', 'b.wav', 'deep/er/c.wav'])
    expect(await namesOf([folder], { recursive: false })).toEqual(['a 9.wav', 'a 10.wav', 'b.wav'])
  })

  it('a name that exists twice in two Unicode forms is two recordings', async () => {
    const forms = ['Café.wav'.normalize('NFC'), 'Café.wav'.normalize('NFD')]
    for (const [i, form] of forms.entries()) await put(form, i + 1)
    const { recordings } = await plan()
    expect(recordings.map(({ name }) => name).sort()).toEqual([...forms].sort())
    expect(new Set(recordings.map(({ content }) => content)).size).toBe(2)
  })

  it('the same recording twice in a folder counts once, and the plan names the copy', async () => {
    const first = await put('a.wav')
    await copyFile(first, join(folder, 'b.wav'))
    await symlink(first, join(folder, 'c.wav'))
    const { recordings, copies, newSeconds } = await plan([folder, first])
    expect(recordings.map(({ name }) => name)).toEqual(['a.wav'])
    expect(copies).toMatchObject([{ name: 'b.wav', of: 'a.wav', id: recordings[0]!.id }])
    expect(newSeconds).toBeCloseTo(recordings[0]!.seconds!)
  })

  it('lengths are added up to the millisecond', async () => {
    for (const seed of [1, 2]) {
      const path = await put(`${seed}.wav`, seed)
      // Of a length between two milliseconds.
      await truncate(path, (await stat(path)).size - 198)
    }
    const { seconds, newSeconds } = await plan()
    expect(seconds).toBe(Number(seconds.toFixed(3)))
    expect(newSeconds).toBe(seconds)
  })

  it('a loop of links ends, and a link out of the allowed folders is not followed', async () => {
    await put('a.wav')
    await symlink(folder, join(folder, 'loop'))
    await symlink('there', join(folder, 'here.wav'))
    await symlink('here.wav', join(folder, 'there'))
    await symlink('/etc/hostname', join(folder, 'outside.wav'))
    const { recordings, unreadable } = await plan()
    expect(recordings.map(({ name }) => name)).toEqual(['a.wav'])
    expect(unreadable.map(({ given }) => given).sort()).toEqual([
      join(folder, 'here.wav'),
      join(folder, 'outside.wav'),
    ])
    expect(unreadable.map(({ error }) => error.code)).toContain('OUTSIDE_ALLOWED_DIRS')
  })

  it('a folder with 10,000 files that are no recordings is read to its end', async () => {
    const names = Array.from({ length: 10_000 }, (_, i) => join(folder, `${i}.txt`))
    for (let i = 0; i < names.length; i += 500)
      await Promise.all(names.slice(i, i + 500).map(name => writeFile(name, '')))
    await put('last.wav')
    expect(await namesOf()).toEqual(['last.wav'])
  })

  it('more recordings than a batch takes are refused before one is opened', async () => {
    for (const name of ['a.wav', 'b.wav', 'c.wav']) await writeFile(join(folder, name), 'no sound')
    await expect(plan([folder], { maxRecordings: 2 })).rejects.toMatchObject({
      code: 'TOO_LARGE',
      message: 'There are more than 2 recordings.',
    })
  })
})

describe('what cannot be read', () => {
  it('a folder without a recording is refused', async () => {
    await expect(plan()).rejects.toMatchObject({
      code: 'FILE_NOT_FOUND',
      message: 'The folder has no recording.',
    })
  })

  it('the plan names each source that failed as it was given, and why', async () => {
    const good = await put('good.wav')
    await writeFile(join(folder, 'empty.wav'), '')
    await writeFile(join(folder, 'text.wav'), 'This is no sound at all, only a name.')
    const missing = `"${join(folder, 'missing.wav')}"`
    const { recordings, unreadable } = await plan([
      missing,
      '/etc/passwd',
      join(folder, 'empty.wav'),
      good,
      folder,
    ])
    expect(recordings.map(({ audio }) => audio)).toEqual([good])
    expect(unreadable.map(({ given, error }) => [given, error.code])).toEqual([
      [join(folder, 'missing.wav'), 'FILE_NOT_FOUND'],
      ['/etc/passwd', 'OUTSIDE_ALLOWED_DIRS'],
      [join(folder, 'empty.wav'), 'EMPTY_FILE'],
      [join(folder, 'text.wav'), 'NOT_AUDIO'],
    ])
  })

  it('a file that vanishes while it is looked at is missing, not broken', async () => {
    const path = await put('gone.wav', 41)
    const other = await space.open({
      ffmpeg: async () => {
        await rm(path, { force: true })
        return locateTestFfmpeg()
      },
    })
    const request = { sources: [path, '/etc/passwd'], options: {} }
    const { unreadable } = await other.jobs.plan(request, { tool: 'transcribe_audio', owner, signal })
    expect(unreadable.map(({ error }) => error.code).sort()).toEqual([
      'FILE_NOT_FOUND',
      'OUTSIDE_ALLOWED_DIRS',
    ])
  })

  it('the only source outside the allowed folders is refused as ever', async () => {
    await expect(plan(['/etc'])).rejects.toMatchObject({ code: 'OUTSIDE_ALLOWED_DIRS' })
  })
})

describe('what is done', () => {
  it('a recording that its owner has transcribed costs nothing, under any name', async () => {
    const [old] = [await put('old.wav', 21), await put('new.wav', 22)]
    await harness.transcribe({ audio: old })
    await rename(old, join(folder, 'renamed.wav'))
    const stateOf = async (by?: string) =>
      (await plan([folder], {}, by)).recordings.map(({ name, state }) => [name, state])
    expect(await stateOf()).toEqual([
      ['new.wav', 'new'],
      ['renamed.wav', 'done'],
    ])
    expect((await stateOf('bob')).map(([, state]) => state)).toEqual(['new', 'new'])
  })

  it('a file that grows or vanishes between two plans changes the plan', async () => {
    const [growing, vanishing] = [await put('a.wav', 31), await put('b.wav', 32, 2)]
    const before = await plan()
    await appendFile(growing, spokenWav(1, 33).subarray(44))
    await rm(vanishing)
    const after = await plan()
    expect(after.recordings).toHaveLength(1)
    expect(after.recordings[0]!.id).not.toBe(before.recordings[0]!.id)
    // The header of a WAV file tells the length that it had.
    expect(after.seconds).toBeCloseTo(before.recordings[0]!.seconds!)
    expect(after.seconds).toBeLessThan(before.seconds)
  })
})
