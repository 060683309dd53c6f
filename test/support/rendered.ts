// Rendered transcripts as text, also those of binary formats.
import { strFromU8, unzipSync } from 'fflate'
import type { Transcript } from '../../src/domain/transcript.ts'
import { type FormatName, renderFormat } from '../../src/formats/index.ts'

/** The output of a format; of a DOCX the text of its paragraphs, one a line. */
export async function rendered(transcript: Transcript, format: FormatName): Promise<string> {
  const output = await renderFormat(transcript, format)
  return typeof output === 'string' ? output : documentText(output)
}

/** The files of a ZIP archive by name. */
export function unzipped(archive: Uint8Array): Record<string, string> {
  return Object.fromEntries(Object.entries(unzipSync(archive)).map(([name, file]) => [name, strFromU8(file)]))
}

/** The paragraphs of a DOCX, one a line. */
export function documentText(archive: Uint8Array): string {
  return plainXml(unzipped(archive)['word/document.xml']!.replaceAll('</w:p>', '\n').replace(/\n+/g, '\n'))
}

function plainXml(text: string): string {
  const signs: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"' }
  return text.replace(/<[^>]*>/g, '').replace(/&(\w+);/g, (_, name) => signs[name]!)
}

/** Throws where elements are not closed in order, or a character may not stand in XML 1.0. */
export function expectWellFormed(xml: string): void {
  const open: string[] = []
  const content = xml.replace(/^<\?xml [^?]*\?>\n/, '')
  for (const [tag, end, name, attributes, empty] of content.matchAll(
    /<(\/?)([\w:]+)((?: [\w:]+="[^"<]*")*)(\/?)>/g,
  )) {
    if (end ? open.pop() !== name || attributes : false) throw new Error(`${tag} closes nothing.`)
    if (!end && !empty) open.push(name!)
  }
  if (open.length > 0) throw new Error(`<${open.at(-1)}> is not closed.`)
  const text = content.replace(/<\/?[\w:]+(?: [\w:]+="[^"<]*")*\/?>/g, '')
  if (/[<>]|&(?!(?:amp|lt|gt|quot);)/.test(text)) throw new Error('The text has bare markup.')
  if (/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u.test(xml))
    throw new Error('The text has a character that XML forbids.')
}
