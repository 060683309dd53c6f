// The command that the error without ffmpeg names, on each system.
import { expect, it } from 'vitest'
import { installCommand } from '../../../../src/drivers/ffmpeg/install-command.ts'

const linux = (program: string, isRoot = false) =>
  installCommand({ platform: 'linux', isRoot, has: async name => name === program })

it('the command that installs ffmpeg is that of the system', async () => {
  const has = () => Promise.resolve(false)
  expect(await installCommand({ platform: 'darwin', isRoot: false, has })).toBe('brew install ffmpeg')
  expect(await installCommand({ platform: 'win32', isRoot: false, has })).toBe('winget install ffmpeg')
})

it('on Linux the installed package manager tells the command', async () => {
  expect(await linux('apt-get')).toBe('sudo apt-get install ffmpeg')
  expect(await linux('dnf')).toBe('sudo dnf install ffmpeg-free')
  expect(await linux('apk')).toBe('sudo apk add ffmpeg')
})

it('root needs no sudo', async () => {
  expect(await linux('apt-get', true)).toBe('apt-get install ffmpeg')
})

it('a system without a known package manager has no command', async () => {
  expect(await linux('portage')).toBeUndefined()
})
