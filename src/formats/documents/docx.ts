// DOCX output: title, facts, a heading for each part, and timed paragraphs with speakers and gaps.
import { formatTime } from '../../domain/format-time.ts'
import type { Transcript } from '../../domain/transcript.ts'
import { inTurns, mapInTurns } from '../../domain/waiting/turns.ts'
import { documentHead } from '../head.ts'
import type { Paragraph } from '../paragraphs.ts'
import { labelOf, type SpeakerLabel } from '../speakers.ts'
import { paragraphsWithGaps } from '../text.ts'
import { escapeXml } from '../xml.ts'
import { stylesXml } from './docx-styles.ts'
import { zip } from './zip.ts'

const declaration = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
const namespaceOf = (part: string) => `http://schemas.openxmlformats.org/${part}`
const contentType = (kind: string) =>
  `application/vnd.openxmlformats-officedocument.wordprocessingml.${kind}+xml`
const coreType = 'application/vnd.openxmlformats-package.core-properties+xml'

/** At most about 30 headings, and none more often than each minute. */
const maxParts = 30
const minPartSeconds = 60

/**
 * Renders a transcript as WordprocessingML (ECMA-376), formatted text preferred. Equal transcripts give equal bytes: the
 * files within carry no time.
 */
export function docx(transcript: Transcript): Promise<Uint8Array> {
  return zip([
    {
      name: '[Content_Types].xml',
      content: [
        declaration,
        `<Types xmlns="${namespaceOf('package/2006/content-types')}">`,
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>',
        `<Override PartName="/word/document.xml" ContentType="${contentType('document.main')}"/>`,
        `<Override PartName="/word/styles.xml" ContentType="${contentType('styles')}"/>`,
        `<Override PartName="/docProps/core.xml" ContentType="${coreType}"/>`,
        '</Types>',
      ],
    },
    {
      name: '_rels/.rels',
      content: relationships([
        [namespaceOf('officeDocument/2006/relationships/officeDocument'), 'word/document.xml'],
        [namespaceOf('package/2006/relationships/metadata/core-properties'), 'docProps/core.xml'],
      ]),
    },
    { name: 'docProps/core.xml', content: coreProperties(transcript) },
    {
      name: 'word/_rels/document.xml.rels',
      content: relationships([[namespaceOf('officeDocument/2006/relationships/styles'), 'styles.xml']]),
    },
    { name: 'word/styles.xml', content: [declaration, stylesXml(transcript.language)] },
    { name: 'word/document.xml', content: documentXml(transcript) },
  ])
}

function relationships(targets: [type: string, target: string][]): string[] {
  const entries = targets.map(
    ([type, target], i) => `<Relationship Id="rId${i + 1}" Type="${type}" Target="${target}"/>`,
  )
  const root = `<Relationships xmlns="${namespaceOf('package/2006/relationships')}">`
  return [declaration, root, ...entries, '</Relationships>']
}

function coreProperties({ title, createdAt, language }: Transcript): string[] {
  return [
    declaration,
    `<cp:coreProperties xmlns:cp="${namespaceOf('package/2006/metadata/core-properties')}" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:dcterms="http://purl.org/dc/terms/" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">`,
    `<dc:title>${escapeXml(title)}</dc:title><dc:creator>speech-mcp</dc:creator>`,
    language ? `<dc:language>${escapeXml(language)}</dc:language>` : '',
    `<dcterms:created xsi:type="dcterms:W3CDTF">${createdAt.replace(/\.\d+/, '')}</dcterms:created>`,
    '</cp:coreProperties>',
  ]
}

async function* documentXml(transcript: Transcript): AsyncGenerator<string> {
  const { facts, missing, speakers, notes } = documentHead(transcript)
  yield `${declaration}<w:document xmlns:w="${namespaceOf('wordprocessingml/2006/main')}"><w:body>`
  yield paragraph('Title', run(transcript.title), transcript.title)
  yield paragraph('Subtitle', run([...facts, ...(missing ? [missing] : [])].join(' · ')))
  if (speakers) yield paragraph('Subtitle', run(speakers), speakers)
  for (const note of notes) yield paragraph('Note', run(note), note)
  const spoken = await mapInTurns(paragraphsWithGaps(transcript), said => said)
  const headingBefore = createHeadings(spoken)
  const labelFor = labelOf(transcript)
  for await (const said of inTurns(spoken)) yield headingBefore(said) + timedParagraph(said, labelFor)
  yield '<w:sectPr><w:pgSz w:w="11906" w:h="16838"/><w:pgMar w:top="1134" w:right="1134" w:bottom="1134" w:left="1134" w:header="567" w:footer="567" w:gutter="0"/></w:sectPr></w:body></w:document>'
}

/** Returns the heading that comes before a paragraph: its time, where a part of the recording begins, or nothing. */
function createHeadings(spoken: Paragraph[]): (said: Paragraph) => string {
  const [first, last] = [spoken[0]?.start ?? 0, spoken.at(-1)?.start ?? 0]
  const step = Math.max(minPartSeconds, (last - first) / (maxParts - 1))
  let next = 0
  return ({ start }) => {
    if (start < next) return ''
    next = start + step
    return paragraph('Heading1', run(formatTime(start)))
  }
}

function timedParagraph(said: Paragraph, labelFor: SpeakerLabel): string {
  const { start, text, isGap } = said
  if (isGap) return paragraph('Gap', run(text))
  const label = labelFor(said)
  const head =
    run(`[${formatTime(start)}] `, 'Time') + (label === undefined ? '' : run(`${label}: `, 'Speaker'))
  return paragraph('Normal', head + run(text), text)
}

/** `text` decides the direction: right to left where its first letter is written so. */
function paragraph(style: string, runs: string, text = ''): string {
  const bidi = isRightToLeft(text) ? '<w:bidi/>' : ''
  return `<w:p><w:pPr><w:pStyle w:val="${style}"/>${bidi}</w:pPr>${runs}</w:p>\n`
}

const firstLetter = /\p{L}/u
const rightToLeft =
  /[\p{Script=Arabic}\p{Script=Hebrew}\p{Script=Syriac}\p{Script=Thaana}\p{Script=Nko}\p{Script=Adlam}]/u
const eastAsian =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Bopomofo}\p{Script=Hangul}]/u
/** Word draws these scripts with the font for complex ones only where the run says so. */
const otherComplex = /[\p{Script=Thai}\p{Script=Devanagari}]/u

function isRightToLeft(text: string): boolean {
  return rightToLeft.test(firstLetter.exec(text)?.[0] ?? '')
}

function run(text: string, style?: string): string {
  const properties = [
    style ? `<w:rStyle w:val="${style}"/>` : '',
    // Quotation marks and dots are as wide as ideographs beside ideographs.
    eastAsian.test(text) ? '<w:rFonts w:hint="eastAsia"/>' : '',
    isRightToLeft(text) ? '<w:rtl/>' : '',
    !isRightToLeft(text) && otherComplex.test(text) ? '<w:cs/>' : '',
  ].join('')
  const given = properties ? `<w:rPr>${properties}</w:rPr>` : ''
  return `<w:r>${given}<w:t xml:space="preserve">${escapeXml(text.replace(/\s+/g, ' '))}</w:t></w:r>`
}
