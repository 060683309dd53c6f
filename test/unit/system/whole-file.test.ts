// Files that appear whole: no other file is lost, and nothing is left after a failure.
import { chmod, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createWhole, replaceWhole } from '../../../src/system/whole-file.ts'
import { type TempFolder, tempFolder } from '../../support/e2e/system.ts'

let folder: TempFolder
beforeAll(async () => {
  folder = await tempFolder()
})
afterAll(() => folder.remove())

/** A path in a folder of its own. */
async function pathIn(name: string): Promise<string> {
  await mkdir(join(folder.path, name))
  return join(folder.path, name, 'talk.txt')
}

describe('createWhole', () => {
  it('a new file has its content and no neighbours', async () => {
    const file = await pathIn('new')
    await createWhole(file, 'Hello.')
    expect(await readFile(file, 'utf8')).toBe('Hello.')
    expect(await readdir(join(file, '..'))).toEqual(['talk.txt'])
  })

  it('of two that create the same file at once, one fails, and the file is whole', async () => {
    const file = await pathIn('twice')
    const texts = ['a', 'b'].map(letter => letter.repeat(1e6))
    const ends = await Promise.allSettled(texts.map(text => createWhole(file, text)))
    expect(ends.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
    expect(ends.find(({ status }) => status === 'rejected')).toMatchObject({ reason: { code: 'EEXIST' } })
    expect(texts).toContain(await readFile(file, 'utf8'))
    expect(await readdir(join(file, '..'))).toEqual(['talk.txt'])
  })

  it('a file in a missing folder is an error that leaves nothing', async () => {
    await expect(createWhole(join(folder.path, 'missing/talk.txt'), 'a')).rejects.toThrow('ENOENT')
  })
})

describe('replaceWhole', () => {
  it('a replaced file keeps its mode', async () => {
    const file = await pathIn('old')
    await writeFile(file, 'old')
    await chmod(file, 0o640)
    await replaceWhole(file, 'new')
    expect(await readFile(file, 'utf8')).toBe('new')
    expect((await stat(file)).mode & 0o777).toBe(process.platform === 'win32' ? 0o666 : 0o640)
    expect(await readdir(join(file, '..'))).toEqual(['talk.txt'])
  })
})
