// Finding recordings in real folders: what is found, in what order, and what is left alone.
import { mkdir, symlink, utimes, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { findRecordings, type RecordingWish } from '../src/pipeline/recordings.ts'
import { type TempFolder, tempFolder } from './support/system.ts'

let home: TempFolder
let elsewhere: TempFolder
let age = 0

beforeEach(async () => {
  home = await tempFolder()
  elsewhere = await tempFolder()
  age = 0
})
afterEach(() => Promise.all([home.remove(), elsewhere.remove()]))

/** Makes a file; each is older than the one before. */
async function put(name: string, { content = 'sound', root = home.path } = {}): Promise<string> {
  const path = join(root, name)
  await mkdir(dirname(path), { recursive: true })
  await writeFile(path, content)
  const time = Date.UTC(2026, 2, 1) / 1000 - 60 * age++
  await utimes(path, time, time)
  return path
}

function find(wish: Partial<RecordingWish> = {}, folders = [home.path]) {
  return findRecordings(folders, { limit: 100, signal: new AbortController().signal, ...wish })
}

const names = async (...args: Parameters<typeof find>) => (await find(...args)).map(({ name }) => name)

describe('finding recordings', () => {
  it('gives the newest first, with path, size and time', async () => {
    await put('newest.m4a', { content: 'four' })
    await put('deep/in/folders/older.MP3')
    await put('oldest.mkv')
    const found = await find({ limit: 2 })
    expect(found).toEqual([
      {
        path: join(home.path, 'newest.m4a'),
        name: 'newest.m4a',
        bytes: 4,
        modifiedAt: '2026-03-01T00:00:00.000Z',
      },
      {
        path: join(home.path, 'deep/in/folders/older.MP3'),
        name: 'older.MP3',
        bytes: 5,
        modifiedAt: '2026-02-28T23:59:00.000Z',
      },
    ])
  })

  it('takes audio and film, and nothing else', async () => {
    for (const name of ['a.ogg', 'b.opus', 'c.webm', 'd.MOV']) await put(name)
    for (const name of ['a.txt', 'b.ts', 'mp3', 'c.mp3.part', '.hidden.mp3', 'd.jpg']) await put(name)
    expect(await names()).toEqual(['a.ogg', 'b.opus', 'c.webm', 'd.MOV'])
  })

  it('passes over empty files, and folders that are named like recordings', async () => {
    await put('empty.mp3', { content: '' })
    await put('folder.mp3/real.mp3')
    expect(await names()).toEqual(['real.mp3'])
  })

  it('leaves alone what programs fill', async () => {
    for (const folder of ['.cache', 'node_modules', 'Library', 'AppData', 'work/Caches', 'Some.app/Contents'])
      await put(`${folder}/noise.mp3`)
    await put('Music/Library/talk.mp3')
    expect(await names()).toEqual(['talk.mp3'])
  })

  it('looks into a folder of such a name when it is the one that is open', async () => {
    await put('.recordings/talk.mp3')
    expect(await names({}, [join(home.path, '.recordings')])).toEqual(['talk.mp3'])
  })

  it('goes six folders deep', async () => {
    await put('1/2/3/4/5/6/reached.mp3')
    await put('1/2/3/4/5/6/7/beyond.mp3')
    expect(await names()).toEqual(['reached.mp3'])
  })

  it('knows a file once, however many open folders and links lead to it', async () => {
    const talk = await put('talks/talk.mp3')
    await symlink(talk, join(home.path, 'link.mp3'))
    await symlink(join(home.path, 'talks'), join(home.path, 'again'))
    await symlink(home.path, join(home.path, 'talks', 'circle'))
    expect(await find({}, [home.path, join(home.path, 'talks'), home.path])).toMatchObject([{ path: talk }])
  })

  it('does not follow a link out of the open folders', async () => {
    await symlink(await put('secret.mp3', { root: elsewhere.path }), join(home.path, 'link.mp3'))
    await symlink(elsewhere.path, join(home.path, 'folder'))
    await symlink(join(elsewhere.path, 'nothing.mp3'), join(home.path, 'broken.mp3'))
    expect(await names()).toEqual([])
    expect(await names({}, [home.path, elsewhere.path])).toEqual(['secret.mp3'])
  })

  it('finds nothing, and does not fail, where there is no folder', async () => {
    expect(await names({}, [])).toEqual([])
    expect(await names({}, [join(home.path, 'gone')])).toEqual([])
  })

  it('finds the newest of thousands', async () => {
    for (let i = 0; i < 40; i++) {
      await mkdir(join(home.path, `${i}`))
      const files = Array.from({ length: 50 }, (_, k) => writeFile(join(home.path, `${i}`, `${k}.mp3`), 'x'))
      await Promise.all(files)
    }
    await utimes(join(home.path, '17', '23.mp3'), 4e9, 4e9)
    const found = await find({ limit: 10_000 })
    expect(found).toHaveLength(2000)
    expect(found[0]!.path).toBe(join(home.path, '17', '23.mp3'))
  })

  it('stops with its caller', async () => {
    await put('talk.mp3')
    await expect(find({ signal: AbortSignal.abort('gone') })).rejects.toBe('gone')
    const stop = new AbortController()
    const search = find({ signal: stop.signal })
    stop.abort('gone')
    await expect(search).rejects.toBe('gone')
  })
})

describe('a query', () => {
  it.each([
    ['standup monday', 'Monday – Stand-Up.m4a', false],
    ['monday stand up', 'Monday – Stand-Up.m4a', true],
    ['MUNCHEN', 'Reise nach München.mp3', true],
    ['cafe', 'Cafe\u0301 talk.mp3', true],
    ['recording 10 30', 'Screen Recording at 10.30\u202fAM.mov', true],
    ['会议', '三月会议.m4a', true],
    ['会议 四月', '三月会议.m4a', false],
    ['talk.mp3', 'talk.mp3', true],
    ['  ', 'talk.mp3', true],
    ['!?', 'talk.mp3', true],
    ['.*', "it's (1) [final] $100%.mp3", true],
    ['100 final', "it's (1) [final] $100%.mp3", true],
  ])('%j, for %j: %j', async (query, name, expected) => {
    await put(name)
    expect(await names({ query })).toEqual(expected ? [name] : [])
  })
})
