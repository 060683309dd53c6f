// The Markdown pages: links, lengths of lines, and names of settings, errors, tools and files that exist.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { expect, it } from 'vitest'
import { readConfig } from '../../../src/config/config.ts'
import { settings } from '../../../src/config/settings.ts'
import { errors } from '../../../src/domain/errors.ts'
import { languageName } from '../../../src/domain/languages.ts'
import { fillerLists } from '../../../src/pipeline/faithfulness/fillers.ts'
import { tools } from '../../../src/server/tools/index.ts'
import { page, pages } from '../../support/documents.ts'
import { root } from '../../support/e2e/system.ts'

const settingNames = Object.values(settings).map(({ env }) => env)

/** Words in capitals that are neither a setting nor an error code. */
const otherNames = [
  ...['SPEECH_CHAOS_JOBS', 'SPEECH_CHAOS_KILLS', 'SPEECH_CHAOS_SEED'],
  // Those of other programs, and of Node.
  ...['HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY', 'NODE_EXTRA_CA_CERTS', 'CLAUDE_CONFIG_DIR', 'CODEX_HOME'],
  // Codes of DashScope.
  ...['ASR_RESPONSE_HAVE_NO_WORDS', 'SUCCESS_WITH_NO_VALID_FRAGMENT'],
  // A file of the package.
  'THIRD_PARTY_LICENSES',
]

/** First cells of the rows of all tables of a page, header rows included. */
function firstCells(path: string): string[] {
  return page(path).prose.flatMap(({ text }) => /^\|([^|]+)\|/.exec(text)?.[1]?.trim() ?? [])
}

/** Code spans of the prose, each with its line. */
function codeSpans(text: string): string[] {
  return [...text.matchAll(/`([^`]+)`/g)].map(([, code]) => code!)
}

/** As GitHub makes them of headings. */
function anchors(path: string): string[] {
  return page(path).prose.flatMap(({ text }) => {
    const heading = /^#+ (.+)$/.exec(text)?.[1]
    return heading === undefined ? [] : [slug(heading)]
  })
}

function slug(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-')
}

it('every page links only to files and headings that exist', () => {
  const broken = pages.flatMap(({ path, prose }) =>
    prose.flatMap(({ number, text }) =>
      [...text.matchAll(/\]\(([^)\s]+)\)/g)]
        .map(([, target]) => target!)
        .filter(target => !/^[a-z]+:/.test(target) && !resolves(path, target))
        .map(target => `${path}:${number} ${target}`),
    ),
  )
  expect(broken).toEqual([])
})

it('every page has lines of prose of at most 120 characters', () => {
  const long = pages.flatMap(({ path, prose }) =>
    prose
      .filter(({ text }) => !/^\s*(?:\||<!--)/.test(text) && [...text].length > 120)
      .map(({ number }) => `${path}:${number}`),
  )
  expect(long).toEqual([])
})

it('every page names only settings and error codes that exist', () => {
  const known = new Set([...settingNames, ...Object.keys(errors), ...otherNames])
  const own = /\b(?:SPEECH|OSS|ALIBABA|TABLESTORE|MNS|DASHSCOPE|GEMINI)_[A-Z_]+\b/g
  const unknown = pages.flatMap(({ path, prose, text }) => {
    const spans = prose
      .flatMap(line => codeSpans(line.text))
      .filter(span => /^[A-Z]+(?:_[A-Z]+)+$/.test(span))
    const names = [...spans, ...[...text.matchAll(own)].map(([name]) => name)]
    return names.filter(name => !known.has(name)).map(name => `${path} ${name}`)
  })
  expect(unknown).toEqual([])
})

it('every page names only files and folders that exist', () => {
  const missing = pages.flatMap(({ path, prose }) =>
    prose.flatMap(({ number, text }) =>
      codeSpans(text)
        .filter(span => looksLikePath(span) && !isThere(span, dirname(path)))
        .map(span => `${path}:${number} ${span}`),
    ),
  )
  expect(missing).toEqual([])
})

it('every page is free of unfilled parts', () => {
  expect(pages.filter(({ text }) => /@@|TODO|FIXME/.test(text)).map(({ path }) => path)).toEqual([])
})

function resolves(from: string, target: string): boolean {
  const [file = '', anchor] = target.split('#')
  const path = file === '' ? from : join(dirname(from), file).replaceAll('\\', '/')
  if (!existsSync(join(root, path))) return false
  return anchor === undefined || (path.endsWith('.md') && anchors(path).includes(anchor))
}

const sourceFiles = ['src', 'emulators', 'demo', 'test', 'bench', 'scripts', 'fixtures', 'findings'].flatMap(
  folder =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map(
      path => `${folder}/${path.replaceAll('\\', '/')}`,
    ),
)
const fileNames = new Set(sourceFiles.map(path => basename(path)))

/** `jobs/submit/`, `src/app.ts` or `seams.ts`, and no address, pattern or object key. */
function looksLikePath(span: string): boolean {
  if (/NAME|^speech-mcp\//.test(span)) return false
  return /^(?:[a-z][\w-]*\/)+$|^(?:[\w-]+\/)*[\w-]+(?:\.test)?\.(?:ts|mjs|sh)$/.test(span)
}

/** From the project's root, from `src/` or from the folder of the page; a bare name may be anywhere. */
function isThere(span: string, folder: string): boolean {
  // The build makes it, and a clone may have none yet.
  if (span === 'dist/') return true
  if (!span.includes('/')) return fileNames.has(span) || existsSync(join(root, span))
  return ['', 'src', folder].some(start => existsSync(join(root, start, span)))
}

it('README.md has at most 170 lines', () => {
  expect(page('README.md').text.split('\n').length).toBeLessThanOrEqual(170)
})

it('README.md shows the commands that try and test a clone', () => {
  const commands = page('README.md').blocks.flatMap(({ lines }) => lines)
  expect(commands).toEqual(expect.arrayContaining(['npm ci && npm run demo', 'npm ci && npm test']))
})

it('README.md links to every page in docs/', () => {
  const { text } = page('README.md')
  const unlinked = pages.filter(({ path }) => /^docs\/[^/]+$/.test(path) && !text.includes(`(${path})`))
  expect(unlinked.map(({ path }) => path)).toEqual([])
})

it('ARCHITECTURE.md links to every decision', () => {
  const { text } = page('ARCHITECTURE.md')
  const decisions = pages.filter(({ path }) => path.startsWith('docs/decisions/'))
  expect(decisions.length).toBeGreaterThan(50)
  expect(decisions.filter(({ path }) => !text.includes(`(${path})`))).toEqual([])
})

it('ARCHITECTURE.md gives a reason for every dependency', () => {
  const { dependencies, optionalDependencies, devDependencies, overrides } = JSON.parse(
    readFileSync(join(root, 'package.json'), 'utf8'),
  ) as Record<string, Record<string, unknown>>
  const listed = firstCells('ARCHITECTURE.md').flatMap(codeSpans)
  const names = [dependencies, optionalDependencies, devDependencies, ...Object.values(overrides!)].flatMap(
    group => Object.keys(group as object),
  )
  // Types of packages that are listed themselves.
  expect(names.filter(name => !name.startsWith('@types/') && !listed.includes(name))).toEqual([])
})

it('every decision says what, why and what else was considered', () => {
  const incomplete = pages
    .filter(({ path }) => path.startsWith('docs/decisions/'))
    .filter(
      ({ text }) =>
        !/^# \d+\. .+\n\n\*\*What\.\*\* .+\n\n\*\*Why\.\*\* .+\n\n\*\*Considered\.\*\* /s.test(text),
    )
  expect(incomplete.map(({ path }) => path)).toEqual([])
})

it('docs/tools.md has a row for each argument of each tool', () => {
  const listed = new Map<string, string[]>()
  let tool = ''
  for (const { text } of page('docs/tools.md').prose) {
    const [, name, args] = /^\|([^|]*)\|([^|]*)\|/.exec(text) ?? []
    tool = codeSpans(name ?? '')[0] ?? tool
    if (tool !== '' && args) listed.set(tool, [...(listed.get(tool) ?? []), ...codeSpans(args)])
  }
  const defined = tools.map(({ name, input, fileInput = input }) => [
    name,
    Object.keys(fileInput.shape).toSorted(),
  ])
  expect([...listed].map(([name, args]) => [name, args.toSorted()])).toEqual(defined)
})

it('docs/settings.md has a row for each setting', () => {
  const listed = firstCells('docs/settings.md').flatMap(codeSpans)
  expect(listed.toSorted()).toEqual(settingNames.toSorted())
})

it('docs/errors.md has a row for each error code', () => {
  const listed = firstCells('docs/errors.md').flatMap(codeSpans)
  expect(listed.toSorted()).toEqual(Object.keys(errors).toSorted())
})

it('docs/formatting.md lists every filler that the clean style removes', () => {
  const { text } = page('docs/formatting.md')
  const fillers = fillerLists()
  expect(fillers.length).toBeGreaterThan(5)
  for (const [language, examples] of fillers)
    expect(text, language).toMatch(
      new RegExp(`\\|[^|\\n]*${languageName(language)}[^|\\n]*\\| ${examples.join(', ')} \\|\\n`),
    )
})

it('docs/troubleshooting.md quotes warnings as the program writes them', () => {
  const quotes = firstCells('docs/troubleshooting.md').flatMap(cell => /“(.+)”/.exec(cell)?.[1] ?? [])
  expect(quotes.length).toBeGreaterThan(3)
  const source = sourceFiles
    .filter(path => /^src\/.*\.ts$/.test(path))
    .map(path => readFileSync(join(root, path), 'utf8'))
    .join('\n')
  expect(quotes.filter(quote => !source.includes(quote))).toEqual([])
})

it('mcp.json.example starts this package with settings that exist', () => {
  const example = JSON.parse(readFileSync(join(root, 'mcp.json.example'), 'utf8'))
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const { command, args, env } = example.mcpServers.speech
  const entry = manifest.bin[manifest.name]
  expect([command, ...args].join(' ')).toMatch(new RegExp(`^(npx -y ${manifest.name}|node /.*/${entry})$`))
  expect(Object.keys(env).length).toBeGreaterThan(0)
  expect(settingNames).toEqual(expect.arrayContaining(Object.keys(env)))
  // The home folder is there on every machine, and its path has no separator.
  expect(readConfig(env).allowedDirs).toEqual([homedir()])
})
