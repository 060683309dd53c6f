// The licences of all packages whose code is part of dist/, as THIRD_PARTY_LICENSES has them.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const licenceFile = /^(?:licen[cs]e|copying|notice)(?:[.-].*)?$/i
const line = '-'.repeat(80)

/** A licence that some packages name, but do not contain. */
const mit = notice => `The MIT License (MIT)

${notice}

Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated documentation files (the "Software"), to deal in the Software without restriction, including without limitation the rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit persons to whom the Software is furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.`

/** The notice of code that undici contains in compiled form, without its licence. */
export const llhttp = {
  'llhttp (MIT): parser of HTTP, within undici': mit('Copyright Fedor Indutny, 2018.'),
}

/** Folders of the packages that contributed code, relative to the project. `metafiles`: of esbuild. */
export function bundledFolders(metafiles) {
  const inputs = metafiles
    .flatMap(({ outputs }) => Object.values(outputs))
    .flatMap(({ inputs }) => Object.entries(inputs))
  const folders = inputs.flatMap(([path, { bytesInOutput }]) => {
    const folder = /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0]
    return bytesInOutput > 0 && folder ? [folder] : []
  })
  return [...new Set(folders)].sort()
}

/** `others`: texts that belong to no package, by title. Throws for a package whose licence is unknown. */
export function thirdPartyLicences(root, folders, others) {
  const titles = new Map(Object.entries(others).map(([title, text]) => [text.trim(), [title]]))
  for (const folder of folders) {
    const { title, text } = licenceOf(join(root, folder))
    titles.set(text, [...(titles.get(text) ?? []), title])
  }
  // Texts of one length are mostly one licence with other names: side by side they are packed into half the space.
  const byLength = [...titles].sort(([text], [other]) => text.length - other.length)
  const parts = byLength.map(([text, ofText]) => `${ofText.join('\n')}\n\n${text}\n`)
  return `The program in dist/ contains code of these packages, under these licences.\n\n${line}\n${parts.join(`\n${line}\n`)}`
}

function licenceOf(folder) {
  const { name, version, license, licenses, author } = JSON.parse(
    readFileSync(join(folder, 'package.json'), 'utf8'),
  )
  const kind = license ?? licenses?.map(({ type = '' }) => type).join(' or ')
  const title = `${name} ${version} (${kind})`
  const texts = readdirSync(folder)
    .filter(file => licenceFile.test(file))
    .map(file => readFileSync(join(folder, file), 'utf8').replaceAll('\r\n', '\n').trim())
  if (texts.length > 0) return { title, text: texts.join('\n\n') }
  if (kind !== 'MIT') throw new Error(`${name} contains no text of its licence, ${kind}.`)
  return { title, text: mit(`Copyright (c) ${author?.name ?? author}`.replace(/\s*[<(].*/, '')) }
}
