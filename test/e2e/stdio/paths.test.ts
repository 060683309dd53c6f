// Paths in all spellings are found; files outside the allowed folders are refused.
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { copyFile, mkdir, rm, symlink } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { expectRefusal, expectStillRunning, transcribe } from '../../support/e2e/requests.ts'
import {
  fixture,
  type System,
  startSystem,
  type TempFolder,
  tempFolder,
  truth,
  truthText,
} from '../../support/e2e/system.ts'

let system: System
/** The only open folder beside /dev. */
let home: TempFolder
let outside: TempFolder

beforeAll(async () => {
  home = await tempFolder()
  outside = await tempFolder()
  system = await startSystem({ env: { HOME: home.path, SPEECH_ALLOWED_DIRS: `${home.path}:/dev` } })
})
afterAll(async () => {
  await expectStillRunning({ ...system, folder: home.path })
  await system.close()
  await home.remove()
  await outside.remove()
})

/** Puts the voice note under this name into the open folder. */
async function put(name: string): Promise<string> {
  const path = join(home.path, name)
  await mkdir(dirname(path), { recursive: true })
  await copyFile(fixture('voice-note.ogg'), path)
  return path
}

async function isHeard(audio: string): Promise<void> {
  expect((await transcribe(system, audio)).words).toBe(truthText(truth('voice-note')))
}

describe('a name', () => {
  it.each([
    'my voice note.ogg',
    `Ann's "best" note.ogg`,
    'half%20off.ogg',
    '100%.ogg',
    '$(touch pwned).ogg',
    '`touch pwned`.ogg',
    'note; touch pwned.ogg',
    'note | touch pwned & .ogg',
    '-i.ogg',
    '--help',
    'two\nlines.ogg',
    'Grüße, 世界 🎧.ogg',
    'a:b.mp3',
    'concat:a|b.ogg',
    'http:host.ogg',
    'file:note.ogg',
    'pipe:0',
    'note%03d.ogg',
    '[1]*?.ogg',
    'back\\slash\\ .ogg',
    '~',
    'a'.repeat(255),
  ])('the file name %j is found and not interpreted', async name => {
    await isHeard(await put(name))
    for (const folder of ['.', system.folder, home.path])
      expect(existsSync(join(folder, 'pwned'))).toBe(false)
  })

  it.each([
    ['accents apart', 'Café.ogg'.normalize('NFD'), 'Café.ogg'.normalize('NFC')],
    ['accents joined', 'Müller.ogg'.normalize('NFC'), 'Müller.ogg'.normalize('NFD')],
    ['a narrow no-break space', 'Recording at 3.04\u202fPM.ogg', 'Recording at 3.04 PM.ogg'],
    ['a folder with accents apart', join('Été'.normalize('NFD'), 'note.ogg'), join('Été', 'note.ogg')],
    ['a folder and a name', join('A\u202fB', 'C\u00a0D.ogg'), join('A B', 'C D.ogg')],
  ])('a name with %s on disk is found as typed', async (_, onDisk, typed) => {
    await put(onDisk)
    await isHeard(join(home.path, typed))
  })

  it('a name that differs only in accents from a broken link is not found', async () => {
    await symlink('nowhere', join(home.path, 'Noël.ogg'.normalize('NFD')))
    await expectRefusal(system, join(home.path, 'Noël.ogg'.normalize('NFC')), 'FILE_NOT_FOUND')
  })
})

describe('a path', () => {
  it.each([
    ['in double quotes', (path: string) => `"${path}"`],
    ['in single quotes', (path: string) => `'${path}'`],
    ['in curly quotes', (path: string) => `“${path}”`],
    ['with blanks around it', (path: string) => `  ${path}\n`],
    ['escaped for a shell', (path: string) => path.replaceAll(' ', '\\ ')],
    ['as a file:// address', (path: string) => pathToFileURL(path).href],
    ['as a file:// address that is not encoded', (path: string) => `file://${path}`],
    ['as a file: address', (path: string) => `file:${path}`],
    ['as a FILE://localhost address', (path: string) => `FILE://localhost${path}`],
    ['from the home folder', (path: string) => `~/${basename(path)}`],
    ['from the home folder, in quotes', (path: string) => `'~/${basename(path)}'`],
    ['relative to the open folder', (path: string) => basename(path)],
    ['relative, with a dot', (path: string) => `./${basename(path)}`],
    ['with turns', (path: string) => `${home.path}/x/../${basename(path)}`],
  ])('the path form %s is understood', async (_, write) => {
    await isHeard(write(await put('my voice note #1?.ogg')))
  })

  it('a link within an allowed folder is followed', async () => {
    await symlink(await put('real.ogg'), join(home.path, 'link.ogg'))
    await isHeard(join(home.path, 'link.ogg'))
  })

  it.each([
    'C:\\Users\\Ann\\talk.mp3',
    'C:/Users/Ann/talk.mp3',
    '"C:\\Users\\Ann\\my talk.mp3"',
    '\\\\server\\share\\talk.mp3',
    'file:///C:/Users/Ann/talk.mp3',
  ])('a Windows path (%s) gets its own error', async path => {
    expect(await expectRefusal(system, path, 'FILE_NOT_FOUND')).toContain('Windows')
  })

  it.each([
    ['that is only blanks', '  ', 'BAD_INPUT'],
    ['with a zero byte', '/dev\u0000/note.ogg', 'BAD_INPUT'],
    ['as a file:// address of another host', 'file://server/note.ogg', 'BAD_INPUT'],
    ['as a file:// address that is no text', 'file:///%ff%fe.ogg', 'BAD_INPUT'],
    ['as a file:// address with a zero byte', 'file:///dev/%00.ogg', 'BAD_INPUT'],
    ['to a device', '/dev/zero', 'NOT_A_FILE'],
    ['of 5,000 characters', `/dev/${'a'.repeat(5_000)}`, 'FILE_NOT_FOUND'],
    ['of 5,000 folders', `/dev${'/a'.repeat(5_000)}`, 'FILE_NOT_FOUND'],
    ['of a million characters', `/dev${'/a'.repeat(500_000)}`, 'BAD_INPUT'],
    ['through a file', '/dev/null/note.ogg', 'FILE_NOT_FOUND'],
  ])('%s is refused', async (_, path, code) => {
    await expectRefusal(system, path, code)
  })

  it('a pipe is refused without waiting for it', async () => {
    const pipe = join(home.path, 'pipe.wav')
    execFileSync('mkfifo', [pipe])
    await expectRefusal(system, pipe, 'NOT_A_FILE')
  })

  it('a link to itself is refused', async () => {
    await symlink('ring.ogg', join(home.path, 'ring.ogg'))
    await expectRefusal(system, join(home.path, 'ring.ogg'), 'FILE_UNREADABLE')
  })
})

describe('outside the allowed folders', () => {
  const inside = (name: string) => join(home.path, name)
  const beyond = (name: string) => join(outside.path, name)

  beforeAll(async () => {
    await copyFile(fixture('voice-note.ogg'), beyond('real.ogg'))
    await symlink('ring', beyond('ring'))
    await symlink(outside.path, inside('linked folder'))
    await symlink(beyond('real.ogg'), inside('link to real.ogg'))
    await symlink(beyond('missing.ogg'), inside('link to missing.ogg'))
    await symlink(inside('link to missing.ogg'), inside('link to link.ogg'))
    await mkdir(`${home.path}-sibling`)
    await copyFile(fixture('voice-note.ogg'), `${home.path}-sibling/real.ogg`)
  })
  afterAll(() => rm(`${home.path}-sibling`, { recursive: true }))

  it.each([
    ['a file', () => beyond('real.ogg')],
    ['a missing file', () => beyond('missing.ogg')],
    ['a missing folder', () => beyond('missing/missing.ogg')],
    ['a file taken for a folder', () => beyond('real.ogg/missing.ogg')],
    ['the folder itself', () => outside.path],
    ['the root', () => '/'],
    ['a link to itself', () => beyond('ring')],
    ['a file of the system', () => '/etc/passwd'],
    ['an address', () => pathToFileURL(beyond('real.ogg')).href],
    ['a file by way of ..', () => `${home.path}/../${basename(outside.path)}/real.ogg`],
    ['a missing file by way of ..', () => `${home.path}/../${basename(outside.path)}/missing.ogg`],
    ['a relative way out', () => `../${basename(outside.path)}/real.ogg`],
    ['an encoded way out', () => `file://${home.path}/%2e%2e/${basename(outside.path)}/real.ogg`],
    ['a linked file', () => inside('link to real.ogg')],
    ['a missing linked file', () => inside('link to missing.ogg')],
    ['a missing file behind two links', () => inside('link to link.ogg')],
    ['a file in a linked folder', () => inside('linked folder/real.ogg')],
    ['a missing file in a linked folder', () => inside('linked folder/missing.ogg')],
    ['a folder whose name only begins like the open one', () => `${home.path}-sibling/real.ogg`],
  ])('%s outside the allowed folders is refused with the same message', async (_, path) => {
    const text = await expectRefusal(system, path(), 'OUTSIDE_ALLOWED_DIRS')
    expect(text).toBe(
      `OUTSIDE_ALLOWED_DIRS: The path is outside the folders that this server may read. Move the recording to ${home.path} or /dev, or add its folder to SPEECH_ALLOWED_DIRS.`,
    )
  })
})

describe('an error', () => {
  it.each([
    ['~/no such note.ogg', '~/no such note.ogg'],
    ['"nothing.ogg"', 'nothing.ogg'],
    ['file:///dev/no%20such.ogg', 'file:///dev/no%20such.ogg'],
    ['https://127.0.0.1/a.mp3?key=SECRET', 'https://127.0.0.1/a.mp3'],
    [' \nhttps://127.0.0.1/a.mp3?key=SECRET', 'https://127.0.0.1/a.mp3'],
    ['"https://127.0.0.1/a.mp3?X-Amz-Signature=SECRET"', 'https://127.0.0.1/a.mp3'],
    ['<https://127.0.0.1/a.mp3?key=SECRET>', '<https://127.0.0.1/a.mp3'],
    ['https://me:SEC@RET@127.0.0.1/a.mp3#SECRET', 'https://127.0.0.1/a.mp3'],
  ])('an error about %j repeats it without the secrets of a URL', async (audio, shown) => {
    const { text } = await system.call('transcribe_audio', { audio })
    expect(text.endsWith(` Given: "${shown}".`), text).toBe(true)
    expect(text).not.toContain('SECRET')
  })

  it.each([
    '\ndata:audio/ogg;base64,SECRET',
    '"data:audio/ogg;base64,SECRET"',
    'https://me:SECRET#/@127.0.0.1/a',
  ])('an error about %j repeats nothing of it', async audio => {
    const { text } = await system.call('transcribe_audio', { audio })
    expect(text).not.toMatch(/Given|SECRET/)
  })

  it('calls at once that fail say which of their recordings they are about', async () => {
    const given = ['a.ogg', 'b.ogg', 'c.ogg'].map(name => join(home.path, 'missing', name))
    const answers = await Promise.all(given.map(audio => system.call('diarize_audio', { audio })))
    for (const [i, { text }] of answers.entries()) expect(text).toContain(`Given: "${given[i]}".`)
  })
})

describe('a file attached to a chat', () => {
  it.each([
    '/mnt/user-data/uploads/talk.mp3',
    '/mnt/data/talk.mp3',
    'sandbox:/mnt/data/talk.mp3',
    'attachment:talk.mp3',
    'attachment://talk.mp3',
    'file:///mnt/user-data/uploads/talk.mp3',
  ])('the attachment path %s is refused with advice', async audio => {
    const text = await expectRefusal(system, audio, 'ATTACHMENT_NOT_VISIBLE')
    for (const way of [home.path, 'https://', 'data:']) expect(text).toContain(way)
  })
})

describe('an address', () => {
  it.each([
    'https://127.0.0.1/talk.mp3',
    'https://localhost/talk.mp3',
    'HTTPS://LOCALHOST:8443/talk.mp3',
    'https://[::1]/talk.mp3',
    'https://10.0.0.1/talk.mp3',
    'https://172.16.0.1/talk.mp3',
    'https://192.168.1.1/talk.mp3',
    'https://169.254.169.254/latest/meta-data/',
    'https://100.100.100.200/latest/meta-data/',
    'https://[::ffff:127.0.0.1]/talk.mp3',
    'https://[fd00::1]/talk.mp3',
    'https://[fe80::1]/talk.mp3',
    'https://0x7f000001/talk.mp3',
    'https://2130706433/talk.mp3',
    'https://0177.0.0.1/talk.mp3',
    'https://127.1/talk.mp3',
    'https://0.0.0.0/talk.mp3',
    'https://user:word@127.0.0.1/talk.mp3',
  ])('a private address (%s) is refused without a request', async address => {
    const text = await expectRefusal(system, address, 'URL_REFUSED')
    expect(text).toContain('private network')
  })

  it.each([
    ['http://example.com/talk.mp3', 'URL_REFUSED'],
    ['ftp://example.com/talk.mp3', 'BAD_INPUT'],
    ['rtsp://example.com/talk', 'BAD_INPUT'],
    ['concat://talk.mp3', 'BAD_INPUT'],
    ['https://', 'BAD_INPUT'],
    ['https://exa mple.com/', 'BAD_INPUT'],
  ])('a URL of another scheme (%s) is refused', async (address, code) => {
    expect(await expectRefusal(system, address, code)).toContain('https://')
  })
})
