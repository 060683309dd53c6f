// Where ffmpeg is looked for, and what is said where there is none.
import { access } from 'node:fs/promises'
import { delimiter } from 'node:path'
import { beforeEach, expect, it, vi } from 'vitest'
import { describeError } from '../../../../src/domain/errors.ts'
import { locateFfmpeg } from '../../../../src/drivers/ffmpeg/locate.ts'

// Which programs this machine has must not matter.
vi.mock('node:fs/promises', () => ({ access: vi.fn() }))

vi.mock('ffmpeg-static', () => ({ default: '/modules/ffmpeg-static/ffmpeg' }))

function install(...programs: (string | RegExp)[]): void {
  vi.mocked(access).mockImplementation(async path => {
    if (!programs.some(program => (typeof program === 'string' ? program === path : program.test(`${path}`))))
      throw new Error('ENOENT')
  })
}

beforeEach(() => install())

it('without any ffmpeg the error names the command that installs one', async () => {
  const error = await locateFfmpeg({ searchPath: '' }).catch(describeError)
  expect(error).toMatch(
    /^FFMPEG_MISSING: No ffmpeg was found\. (?:Run|Install) .*ffmpeg.*, or set FFMPEG_PATH to one\./,
  )
})

it('the program of FFMPEG_PATH is used before others', async () => {
  install('/opt/mine/ffmpeg', '/usr/bin/ffmpeg', /node_modules/)
  const named = '/opt/mine/ffmpeg'
  expect(await locateFfmpeg({ named, searchPath: '/usr/bin' })).toEqual({ path: named, by: 'FFMPEG_PATH' })
})

it('a bare name in FFMPEG_PATH is searched on the PATH', async () => {
  install('/b/ffmpeg6')
  const searchPath = ['/a', '', '/b'].join(delimiter)
  expect(await locateFfmpeg({ named: 'ffmpeg6', searchPath })).toEqual({
    path: '/b/ffmpeg6',
    by: 'FFMPEG_PATH',
  })
})

it('a missing program of FFMPEG_PATH is not replaced by another', async () => {
  install('/usr/bin/ffmpeg')
  const search = locateFfmpeg({ named: '/opt/mine/ffmpeg', searchPath: '/usr/bin' })
  expect(await search.catch(describeError)).toMatch(/^FFMPEG_MISSING: FFMPEG_PATH .*unset it/)
})

it('the PATH comes before the usual folders', async () => {
  install('/b/ffmpeg', '/c/ffmpeg', '/usr/bin/ffmpeg')
  const searchPath = ['/a', '/b', '/c'].join(delimiter)
  expect(await locateFfmpeg({ searchPath })).toEqual({ path: '/b/ffmpeg', by: 'system' })
})

it('an app without the shell’s PATH finds the system’s ffmpeg in the usual folders', async () => {
  install('/usr/local/bin/ffmpeg')
  expect(await locateFfmpeg({ searchPath: '' })).toEqual({ path: '/usr/local/bin/ffmpeg', by: 'system' })
})

it('the system’s ffmpeg comes before the development package', async () => {
  install('/usr/bin/ffmpeg', /ffmpeg-installer/)
  expect(await locateFfmpeg({ searchPath: '' })).toMatchObject({ by: 'system' })
  install(/ffmpeg-installer/)
  expect(await locateFfmpeg({ searchPath: '' })).toMatchObject({ by: 'development package' })
})

it('ffmpeg-static comes before the system’s ffmpeg if its download succeeded', async () => {
  install('/modules/ffmpeg-static/ffmpeg', '/usr/bin/ffmpeg')
  const packaged = { path: '/modules/ffmpeg-static/ffmpeg', by: 'ffmpeg-static' }
  expect(await locateFfmpeg({ searchPath: '/usr/bin' })).toEqual(packaged)
  install('/usr/bin/ffmpeg')
  expect(await locateFfmpeg({ searchPath: '/usr/bin' })).toMatchObject({ by: 'system' })
})
