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

it('without any ffmpeg three ways out are named', async () => {
  const error = await locateFfmpeg({ searchPath: '' }).catch(describeError)
  expect(error).toMatch(
    /^FFMPEG_MISSING: No ffmpeg was found\. Install it .*, or .*ffmpeg-static`, or set FFMPEG_PATH/,
  )
})

it('the one that was named is used, also when there are others', async () => {
  install('/opt/mine/ffmpeg', '/usr/bin/ffmpeg', /node_modules/)
  const named = '/opt/mine/ffmpeg'
  expect(await locateFfmpeg({ named, searchPath: '/usr/bin' })).toEqual({ path: named, by: 'FFMPEG_PATH' })
})

it('a bare name is looked for on the PATH', async () => {
  install('/b/ffmpeg6')
  const searchPath = ['/a', '', '/b'].join(delimiter)
  expect(await locateFfmpeg({ named: 'ffmpeg6', searchPath })).toEqual({
    path: '/b/ffmpeg6',
    by: 'FFMPEG_PATH',
  })
})

it('where the one that was named is missing, no other takes its place', async () => {
  install('/usr/bin/ffmpeg')
  const search = locateFfmpeg({ named: '/opt/mine/ffmpeg', searchPath: '/usr/bin' })
  expect(await search.catch(describeError)).toMatch(/^FFMPEG_MISSING: FFMPEG_PATH .*unset it/)
})

it('the first on the PATH comes before the usual folders', async () => {
  install('/b/ffmpeg', '/c/ffmpeg', '/usr/bin/ffmpeg')
  const searchPath = ['/a', '/b', '/c'].join(delimiter)
  expect(await locateFfmpeg({ searchPath })).toEqual({ path: '/b/ffmpeg', by: 'system' })
})

it('an app without the shell’s PATH finds the system’s in the usual folders', async () => {
  install('/usr/local/bin/ffmpeg')
  expect(await locateFfmpeg({ searchPath: '' })).toEqual({ path: '/usr/local/bin/ffmpeg', by: 'system' })
})

it('the system’s comes before the package for development, which is the last resort', async () => {
  install('/usr/bin/ffmpeg', /ffmpeg-installer/)
  expect(await locateFfmpeg({ searchPath: '' })).toMatchObject({ by: 'system' })
  install(/ffmpeg-installer/)
  expect(await locateFfmpeg({ searchPath: '' })).toMatchObject({ by: 'development package' })
})

it('the one that npm brought comes before the system’s, if its download went through', async () => {
  install('/modules/ffmpeg-static/ffmpeg', '/usr/bin/ffmpeg')
  const packaged = { path: '/modules/ffmpeg-static/ffmpeg', by: 'ffmpeg-static' }
  expect(await locateFfmpeg({ searchPath: '/usr/bin' })).toEqual(packaged)
  install('/usr/bin/ffmpeg')
  expect(await locateFfmpeg({ searchPath: '/usr/bin' })).toMatchObject({ by: 'system' })
})
