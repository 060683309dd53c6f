// npm run test:documents: LibreOffice opens our DOCX, and NIST's tools score our CTM and RTTM. Outside CI: both are large.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Transcript } from '../src/domain/transcript.ts'
import { renderFormat } from '../src/formats/index.ts'
import { documentText } from '../test/support/rendered.ts'
import { spokenSegments, talk } from '../test/support/speaker-transcript.ts'
import { longTranscript, transcript } from '../test/support/transcripts.ts'

interface Check {
  name: string
  /** Program that the check needs, and the package of Debian that has it. */
  program: string
  from: string
  /** Returns what is wrong. */
  run(folder: string): Promise<string[]>
}

const languages = transcript({
  title: 'R&D <talk> “Σ”',
  speakers: ['Ann Lee', 'דנה', '田中'].map((name, i) => ({ id: `S${i + 1}`, name, seconds: 3, share: 0.33 })),
  gaps: [{ start: 130, end: 190, reason: 'THROTTLED: too fast.' }],
  warnings: ['The recording is cut off.'],
  segments: spokenSegments(
    ['S1', 'École & <b>über</b> "Straße" (um) and/or {x} \u0001 3.14!', 0, 4],
    ['S2', 'שלום לכולם, this is Hebrew.', 61, 64],
    ['S3', '今日は「良い」天気です…', 122, 125],
    [null, 'مرحبا بكم في الاجتماع.', 200, 203],
    ['S1', 'สวัสดีครับ 😀', 261, 264],
  ),
})
const transcripts: [name: string, transcript: Transcript][] = [
  ['talk', talk],
  ['languages', languages],
  ['empty', transcript({ segments: [] })],
  ['four-hours', longTranscript('tr_long')],
]

const checks: Check[] = [
  {
    name: 'LibreOffice reads each paragraph of a DOCX, its headings and directions',
    program: 'soffice',
    from: 'libreoffice-writer-nogui',
    async run(folder) {
      const wrong: string[] = []
      for (const [name, said] of transcripts) {
        const document = (await renderFormat(said, 'docx')) as Uint8Array
        const text = convert(folder, name, document, 'txt:Text (encoded):UTF8').replace(/^\ufeff/, '')
        if (text.trim() !== documentText(document).trim()) wrong.push(`${name}: the text differs`)
      }
      const document = (await renderFormat(languages, 'docx')) as Uint8Array
      const html = convert(folder, 'languages', document, 'html')
      const headings = [...html.matchAll(/<h1[^>]*>([\d:]+)<\/h1>/g)].map(found => found[1])
      if (headings.join() !== '0:00,1:01,2:02,3:20,4:21') wrong.push(`headings: ${headings.join()}`)
      if (html.match(/<p dir="rtl"/g)?.length !== 2) wrong.push('two paragraphs run from right to left')
      return wrong
    },
  },
  {
    name: 'sclite finds no error in a CTM scored against itself, and one where a word is wrong',
    program: 'sclite',
    from: 'sctk, with its folder of programs in PATH',
    async run(folder) {
      const wrong: string[] = []
      for (const [name, said] of transcripts.filter(([, { segments }]) => segments.length > 0)) {
        const ctm = (await renderFormat(said, 'ctm')) as string
        const words = ctm.trim().split('\n').length
        const errors = sclite(folder, ctm, ctm)
        if (errors !== `${words} 0`) wrong.push(`${name}: words and errors are ${errors}`)
        const spoiled = ctm.replace(/(?<=^\S+ 1 \S+ \S+ )\S+/, 'zzz')
        if (sclite(folder, ctm, spoiled) === errors) wrong.push(`${name}: a wrong word was not seen`)
      }
      return wrong
    },
  },
  {
    name: 'md-eval finds no error in an RTTM scored against itself, and one where a turn is missing',
    program: 'md-eval.pl',
    from: 'sctk, with its folder of programs in PATH',
    async run(folder) {
      const wrong: string[] = []
      for (const [name, said] of transcripts.filter(([, { segments }]) => segments.length > 0)) {
        const rttm = (await renderFormat(said, 'rttm')) as string
        const errors = mdEval(folder, rttm, rttm)
        if (errors !== '0.00') wrong.push(`${name}: ${errors} % errors`)
        const spoiled = rttm.replace(/(?<=^|\n)SPEAKER .*\n/, '')
        if (mdEval(folder, rttm, spoiled) === errors) wrong.push(`${name}: a missing turn was not seen`)
      }
      return wrong
    },
  },
]

function convert(folder: string, name: string, document: Uint8Array, filter: string): string {
  writeFileSync(join(folder, `${name}.docx`), document)
  const profile = `-env:UserInstallation=file://${join(folder, 'profile')}`
  const args = [
    profile,
    '--headless',
    '--convert-to',
    filter,
    '--outdir',
    folder,
    join(folder, `${name}.docx`),
  ]
  execFileSync('soffice', args, { stdio: 'ignore', timeout: 120_000 })
  return readFileSync(join(folder, `${name}.${filter.split(':')[0]}`), 'utf8')
}

/** Numbers of words and errors. */
function sclite(folder: string, reference: string, hypothesis: string): string {
  writeFileSync(join(folder, 'reference.ctm'), reference)
  writeFileSync(join(folder, 'hypothesis.ctm'), hypothesis)
  const files = ['-r', 'reference.ctm', 'ctm', '-h', 'hypothesis.ctm', 'ctm']
  const args = ['-e', 'utf-8', ...files, '-o', 'rsum', 'stdout']
  const report = execFileSync('sclite', args, { cwd: folder, encoding: 'utf8' })
  const [, words, errors] = /\| Sum *\| *\d+ +(\d+) *\|(?: *\d+){4} +(\d+)/.exec(report) ?? []
  return `${words} ${errors}`
}

function mdEval(folder: string, reference: string, system: string): string {
  writeFileSync(join(folder, 'reference.rttm'), reference)
  writeFileSync(join(folder, 'system.rttm'), system)
  const args = ['-r', 'reference.rttm', '-s', 'system.rttm']
  const report = execFileSync('md-eval.pl', args, { cwd: folder, encoding: 'utf8', stdio: 'pipe' })
  return /OVERALL SPEAKER DIARIZATION ERROR = ([\d.]+)/.exec(report)?.[1] ?? 'no figure of'
}

function isThere(program: string): boolean {
  try {
    execFileSync('which', [program], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

const folder = mkdtempSync(join(tmpdir(), 'speech-mcp-documents-'))
try {
  for (const { name, program, from, run } of checks) {
    const wrong = isThere(program) ? await run(folder) : [`${program} is missing: install ${from}`]
    process.stdout.write(`${wrong.length === 0 ? 'ok   ' : 'FAIL '} ${name}\n`)
    for (const sentence of wrong) process.stdout.write(`      ${sentence}\n`)
    if (wrong.length > 0) process.exitCode = 1
  }
} finally {
  rmSync(folder, { recursive: true, force: true })
}
