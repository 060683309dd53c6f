// THIRD_PARTY_LICENSES, which the build writes: a text for each package that a file of the program imports, or they need.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { bundledFolders, thirdPartyLicences } from '../../../scripts/build/licences.mjs'
import { root } from '../../support/e2e/system.ts'

const licences = readFileSync(join(root, 'THIRD_PARTY_LICENSES'), 'utf8')
/** Sections: titles, an empty line, and a text. */
const sections = licences.split(/\n-{80}\n/).slice(1)
const titles = sections.flatMap(section => section.slice(0, section.indexOf('\n\n')).split('\n'))
const named = titles.map(title => /^(\S+) \d+\.\d+\.\d+\S* \(.+\)$/.exec(title)?.[1] ?? title)

/** Packages that files import as they run: types are no code. */
function imported(): string[] {
  const files = ['src', 'emulators', 'demo'].flatMap(folder =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter(name => name.endsWith('.ts') && !name.endsWith('.d.ts'))
      .map(name => readFileSync(join(root, folder, name), 'utf8')),
  )
  const found = files.flatMap(source =>
    [
      ...source.matchAll(/^import (?!type\b)[^'"]*?from '([^'"]+)'/gm),
      ...source.matchAll(/\bimport\('([^'"]+)'\)/g),
    ].map(([, path]) => /^(?:@[^/]+\/)?[^/.][^/]*/.exec(path!)?.[0] ?? ''),
  )
  return [...new Set(found)].filter(name => name !== '' && !name.startsWith('node:')).sort()
}

it('each package that the program imports is named with its licence, but for libsql, which stays outside', () => {
  const packages = imported()
  expect(packages).toContain('ali-oss')
  expect(packages.filter(name => !named.includes(name))).toEqual(['libsql'])
})

it('packages of packages are named too, in the versions without published holes', () => {
  expect(titles).toContain('xml2js 0.6.2 (MIT)')
  expect(titles.some(title => /^protobufjs (?:7\.([6-9]|\d\d)|[89])\./.test(title))).toBe(true)
})

it('each section has the text of a licence', () => {
  expect(sections.length).toBeGreaterThan(20)
  for (const section of sections) {
    const text = section.slice(section.indexOf('\n\n'))
    expect(text.length).toBeGreaterThan(500)
    expect(text).toMatch(/copyright|license|permission/i)
  }
})

it('a package counts as bundled where its code is in an output, and only there', () => {
  const input = (bytesInOutput: number) => ({ bytesInOutput })
  const outputs = {
    'dist/main.js': {
      inputs: {
        'node_modules/zod/v4/index.js': input(5),
        'node_modules/a/node_modules/@b/c/x.js': input(1),
        'node_modules/unused/index.js': input(0),
        'src/main.ts': input(9),
      },
    },
  }
  expect(bundledFolders([{ outputs }])).toEqual(['node_modules/a/node_modules/@b/c', 'node_modules/zod'])
})

it('a build with a package whose licence is unknown is refused', () => {
  expect(() => thirdPartyLicences(root, ['test/support/data-folder-0.1.0'], {})).toThrow()
})
