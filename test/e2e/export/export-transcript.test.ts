// export_transcript through an MCP client: formats, files of the user, own files, and paths that are refused.
import { lstat, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type FormatName, formatNames, outputFormats } from '../../../src/formats/index.ts'
import { makeSpacedRecording } from '../../support/audio/spaced-recording.ts'
import { startTestServer } from '../../support/e2e/http.ts'
import { httpClients } from '../../support/e2e/mcp-clients.ts'
import { silentWav, writeInput } from '../../support/e2e/requests.ts'
import { fixture, type System, startSystem, type TempFolder, tempFolder } from '../../support/e2e/system.ts'

let system: System
let home: TempFolder
let outside: TempFolder
let id: string

beforeAll(async () => {
  home = await tempFolder()
  outside = await tempFolder()
  const allowed = [join(fixture('')), home.path, join(home.path, '.open')].join(':')
  system = await startSystem({ env: { HOME: home.path, SPEECH_ALLOWED_DIRS: allowed } })
  const { data } = await system.call('transcribe_audio', { audio: fixture('voice-note.ogg') })
  id = data.transcript_id
})
afterAll(async () => {
  await system.close()
  await home.remove()
  await outside.remove()
})

const at = (...names: string[]) => join(home.path, ...names)
const save = (save_as: string, more: Record<string, unknown> = {}) =>
  system.call('export_transcript', { transcript_id: id, save_as, ...more })

async function resource(format: FormatName): Promise<Buffer> {
  const { contents } = await system.client.readResource({ uri: `transcript://${id}/${format}` })
  const { text, blob } = contents[0] as { text?: string; blob?: string }
  return text === undefined ? Buffer.from(blob!, 'base64') : Buffer.from(text)
}

/** Expects a refusal without a path of the server other than the given one and the allowed folders. */
async function expectRefusal(
  save_as: string,
  code: string,
  more: Record<string, unknown> = {},
): Promise<string> {
  const { isError, text } = await save(save_as, more)
  expect({ isError, text }).toEqual({ isError: true, text: expect.stringMatching(`^${code}: .+\\. .+\\.$`) })
  const open = system.env.SPEECH_ALLOWED_DIRS!.split(':')
  const said = text.replace(/ Given: ".*"\.$/, '')
  expect(open.reduce((rest, folder) => rest.replaceAll(folder, '…'), said)).not.toMatch(/[\s"'`(]\/\w+/)
  return text
}

describe('export_transcript', () => {
  it.each(formatNames)(
    'it writes %s as the resource has it, and answers with path, format and size',
    async format => {
      const path = at(`talk-${format}.${outputFormats[format].extension}`)
      const { isError, text, data } = await save(path, { format })
      expect(isError, text).toBe(false)
      const file = await readFile(path)
      expect(file).toEqual(await resource(format))
      const facts = {
        status: 'completed',
        transcript_id: id,
        path,
        format,
        bytes: file.length,
        file: 'created',
      }
      expect(data).toMatchObject(facts)
      for (const fact of [path, format, `${file.length} bytes`, id]) expect(text).toContain(fact)
    },
  )

  it('the extension chooses the format', async () => {
    expect((await save(at('Chosen.SRT'))).data.format).toBe('srt')
    expect((await save('~/home.docx')).data).toMatchObject({ path: '~/home.docx', format: 'docx' })
    expect(await readdir(home.path)).toContain('home.docx')
  })

  it('a relative path is one of an allowed folder, and the answer says which', async () => {
    await mkdir(at('notes'))
    expect((await save('notes/relative.md')).data.path).toBe(at('notes', 'relative.md'))
    expect(await readFile(at('notes', 'relative.md'), 'utf8')).toMatch(/^# voice-note\n/)
  })

  it('a file of the user is not replaced unless the call says so', async () => {
    await writeFile(at('mine.srt'), 'mine')
    const text = await expectRefusal(at('mine.srt'), 'FILE_EXISTS')
    expect(text).toContain('overwrite: true')
    expect(await readFile(at('mine.srt'), 'utf8')).toBe('mine')
    expect((await save(at('mine.srt'), { overwrite: true })).data.file).toBe('replaced')
    expect(await readFile(at('mine.srt'))).toEqual(await resource('srt'))
  })

  it('a file that it wrote is replaced, until somebody changes it', async () => {
    const path = at('own.md')
    expect((await save(path)).data.file).toBe('created')
    expect((await save(path)).data.file).toBe('unchanged')
    await system.call('update_transcript', { transcript_id: id, title: 'Renamed' })
    expect((await save(path)).data.file).toBe('replaced')
    expect(await readFile(path, 'utf8')).toMatch(/^# Renamed\n/)
    await writeFile(path, '# With notes of mine\n')
    await expectRefusal(path, 'FILE_EXISTS')
    expect(await readFile(path, 'utf8')).toBe('# With notes of mine\n')
    await system.call('update_transcript', { transcript_id: id, title: 'voice-note' })
  })

  it('the file of another transcript is not replaced', async () => {
    const audio = await writeInput({ ...system, folder: home.path }, 'silence.wav', silentWav())
    const { data } = await system.call('transcribe_audio', { audio })
    await save(at('first.csv'))
    await expectRefusal(at('first.csv'), 'FILE_EXISTS', { transcript_id: data.transcript_id })
  })

  it('a file without a difference counts as written, whoever made it', async () => {
    await writeFile(at('same.txt'), await resource('txt'))
    expect((await save(at('same.txt'))).data.file).toBe('unchanged')
  })

  it('calls at once for one file agree: the first writes it, the others find it as it is', async () => {
    const answers = await Promise.all(Array.from({ length: 8 }, () => save(at('at once.srt'))))
    expect(answers.map(({ data }) => data?.file).sort()).toEqual(['created', ...Array(7).fill('unchanged')])
    expect(await readFile(at('at once.srt'))).toEqual(await resource('srt'))
  })

  it('calls at once with different contents leave one of them, which is known as written', async () => {
    const formats = ['csv', 'csv-words', 'csv', 'csv-words'] as const
    const answers = await Promise.all(formats.map(format => save(at('tables.csv'), { format })))
    expect(answers.map(({ isError, text }) => isError && text)).toEqual([false, false, false, false])
    expect((await save(at('tables.csv'), { format: 'csv' })).isError).toBe(false)
  })

  it('a backslash before a space is that of a shell', async () => {
    expect((await save(`${home.path}/with\\ a\\ space.srt`)).data.file).toBe('created')
    expect(await readdir(home.path)).toContain('with a space.srt')
  })

  it('a name may be as long as the disk allows', async () => {
    const name = `${'字'.repeat(83)}aa.srt`
    expect(Buffer.byteLength(name)).toBe(255)
    expect((await save(at(name))).data.file).toBe('created')
    expect((await save(at(name))).data.file).toBe('unchanged')
    expect(await readdir(home.path)).toContain(name)
  })

  it('a link within the folders stays a link: its target is written, and is kept if it is the user’s', async () => {
    await symlink(at('new target.srt'), at('link.srt'))
    expect((await save(at('link.srt'))).data.file).toBe('created')
    expect(await readFile(at('new target.srt'))).toEqual(await resource('srt'))
    await writeFile(at('target.srt'), 'mine')
    await symlink(at('target.srt'), at('second link.srt'))
    await expectRefusal(at('second link.srt'), 'FILE_EXISTS')
    expect((await save(at('second link.srt'), { overwrite: true })).data.file).toBe('replaced')
    expect(await readFile(at('target.srt'))).toEqual(await resource('srt'))
    for (const link of ['link.srt', 'second link.srt'])
      expect((await lstat(at(link))).isSymbolicLink()).toBe(true)
  })

  it('a hidden folder can be opened by name', async () => {
    await mkdir(at('.open'))
    expect((await save(at('.open', 'a.txt'))).data.file).toBe('created')
  })

  it('the answer has the path without the quotes around it', async () => {
    expect((await save(`"${at('quoted.srt')}"`)).data.path).toBe(at('quoted.srt'))
  })

  it('the checks name each gap', async () => {
    const refused = { status: 400, code: 'DataInspectionFailed', message: 'no' }
    system.dashscope.fault({ kind: 'error', times: 1, ...refused })
    const { file } = await makeSpacedRecording(home.path, 3)
    const { data } = await system.call('transcribe_audio', { audio: file, wait_seconds: 60 })
    const { text, data: saved } = await save(at('gaps.txt'), { transcript_id: data.transcript_id })
    expect(saved).toMatchObject({
      status: 'partial',
      checks: ['The transcript is incomplete.', expect.any(String)],
    })
    expect(saved.checks[1]).toMatch(/^No text from \d:\d\d to \d:\d\d: /)
    for (const check of saved.checks) expect(text).toContain(check)
  })
})

describe('a path that is refused', () => {
  beforeAll(async () => {
    await mkdir(at('.hidden'))
    await mkdir(at('folder.txt'))
    await symlink(outside.path, at('way out'))
    await symlink(join(outside.path, 'new.txt'), at('dangling.txt'))
    await writeFile(join(outside.path, 'theirs.txt'), 'theirs')
    await symlink(join(outside.path, 'theirs.txt'), at('theirs.txt'))
    await symlink(at('loop.txt'), at('loop.txt'))
  })

  it.each([
    ['a folder outside', () => join(outside.path, 'a.txt')],
    ['a way out by ..', () => `${home.path}/../${basename(outside.path)}/a.txt`],
    ['an encoded way out', () => `file://${home.path}/%2e%2e/${basename(outside.path)}/a.txt`],
    ['a relative way out', () => `../../${basename(outside.path)}/a.txt`],
    ['a linked folder', () => at('way out', 'a.txt')],
    ['a broken link', () => at('dangling.txt')],
    ['a linked file', () => at('theirs.txt')],
    ['a missing folder outside', () => join(outside.path, 'missing', 'a.txt')],
    ['the chat’s own folder', () => '/mnt/user-data/outputs/a.txt'],
  ])('%s is outside the allowed folders, also with overwrite', async (_, path) => {
    const text = await expectRefusal(path(), 'OUTSIDE_ALLOWED_DIRS', { overwrite: true })
    expect(text).toContain(`Save the file in ${system.env.SPEECH_ALLOWED_DIRS!.split(':').join(' or ')}`)
    expect(await readdir(outside.path)).toEqual(['theirs.txt'])
    expect(await readFile(join(outside.path, 'theirs.txt'), 'utf8')).toBe('theirs')
  })

  it.each([
    ['a hidden file', () => at('.profile.txt'), 'BAD_INPUT'],
    ['a hidden folder', () => at('.hidden', 'a.txt'), 'BAD_INPUT'],
    ['a file that agents obey', () => at('Agents.md'), 'BAD_INPUT'],
    ['a name without an extension', () => at('profile'), 'BAD_INPUT'],
    ['an extension of programs', () => at('a.sh'), 'BAD_INPUT'],
    ['a missing folder', () => at('missing', 'a.txt'), 'FILE_NOT_WRITABLE'],
    ['a file for a folder', () => at('same.txt', 'a.txt'), 'FILE_NOT_WRITABLE'],
    ['a folder', () => at('folder.txt'), 'NOT_A_FILE'],
    ['a name that is too long', () => at(`${'x'.repeat(300)}.txt`), 'FILE_NOT_WRITABLE'],
    ['a NUL byte', () => at('a\0b.txt'), 'BAD_INPUT'],
    ['a line break', () => at('a\nb.txt'), 'BAD_INPUT'],
    ['a mark of direction', () => at('a\u202etxt.b.txt'), 'BAD_INPUT'],
    ['a link to itself', () => at('loop.txt'), 'FILE_NOT_WRITABLE'],
    ['a folder behind a link to itself', () => at('loop.txt', 'a.txt'), 'FILE_NOT_WRITABLE'],
  ])('%s is refused', async (_, path, code) => {
    await expectRefusal(path(), code, { overwrite: true })
    expect((await readdir(home.path)).filter(name => /part$|^\.profile/.test(name))).toEqual([])
  })

  it('a name that the disk cannot have is told from a folder that is closed', async () => {
    const name = '字'.repeat(100)
    expect(await expectRefusal(at(`${name}.txt`), 'FILE_NOT_WRITABLE')).toContain('shorter name')
    expect(await expectRefusal(at('loop.txt'), 'FILE_NOT_WRITABLE')).toContain('permissions')
  })

  it('an extension that is not that of the format is refused', async () => {
    expect(await expectRefusal(at('a.txt'), 'BAD_INPUT', { format: 'srt' })).toContain('.srt')
  })
})

it.each(httpClients)('over HTTP (%s) without a folder it says how to get the file', async (_, connect) => {
  const server = await startTestServer({ tokens: [{ name: 'ann', token: 'ann-0123456789abcdef' }] })
  const client = await connect({ url: server.url, token: 'ann-0123456789abcdef' })
  const answer = await client.call('export_transcript', { transcript_id: 'tr_ann', save_as: '/tmp/a.srt' })
  expect(answer.isError).toBe(true)
  expect(answer.content[0].text).toMatch(
    /^OUTSIDE_ALLOWED_DIRS: .*transcript:\/\/tr_ann\/srt .*get_transcript/,
  )
  await client.close()
  await server.close(async () => {})
})
