// DOCX: the archive, its XML, headings, speakers, gaps, directions and fonts.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { renderFormat } from '../../../src/formats/index.ts'
import { documentText, expectWellFormed, rendered, unzipped } from '../../support/rendered.ts'
import { talk } from '../../support/speaker-transcript.ts'
import { type Facts, segment, transcript } from '../../support/transcripts.ts'

const archiveOf = async (facts: Facts) => (await renderFormat(transcript(facts), 'docx')) as Uint8Array
const partsOf = async (facts: Facts) => unzipped(await archiveOf(facts))
const bodyOf = async (facts: Facts) => (await partsOf(facts))['word/document.xml']!
const stylesOf = async (language?: string) => (await partsOf({ language }))['word/styles.xml']!

/** The style and text of each paragraph. */
function styledParagraphs(xml: string): [style: string, text: string][] {
  return [...xml.matchAll(/<w:p>.*?<w:pStyle w:val="(\w+)"\/>.*?<\/w:p>/g)].map(([paragraph, style]) => [
    style!,
    [...paragraph.matchAll(/<w:t [^>]*>([^<]*)/g)].map(found => found[1]).join(''),
  ])
}

describe('docx', () => {
  it('a DOCX has title, facts, speakers, notes and paragraphs with times and names in styles of their own', async () => {
    const { 'word/document.xml': body } = unzipped((await renderFormat(talk, 'docx')) as Uint8Array)
    expect(styledParagraphs(body!)).toEqual([
      ['Title', 'Budget talk'],
      ['Subtitle', 'Transcript of 0:09 · English · created 2026-03-01'],
      ['Subtitle', 'Speakers: Alice 75 %, S2 25 %'],
      ['Note', '&quot;?:&quot; marks speech whose speaker is unknown.'],
      ['Heading1', '0:00'],
      ['Normal', '[0:00] Alice: Shall we begin? The budget first.'],
      ['Normal', '[0:06] S2: It is fine.'],
      ['Normal', '[0:07] ?: Mhm.'],
      ['Normal', '[0:07] Alice: Good.'],
    ])
    expect(body).toContain('<w:rStyle w:val="Speaker"/></w:rPr><w:t xml:space="preserve">Alice: </w:t>')
  })

  it('a DOCX marks each gap, and says that something is missing', async () => {
    const gaps = [{ start: 2, end: 75, reason: 'THROTTLED: too fast.' }]
    const segments = [segment('Before.', 0, 2), segment('After.', 75, 76)]
    expect(styledParagraphs(await bodyOf({ segments, gaps })).slice(1)).toEqual([
      ['Subtitle', 'Transcript of 1:16 · English · created 2026-03-01 · incomplete: 1 gap(s)'],
      ['Heading1', '0:00'],
      ['Normal', '[0:00] Before.'],
      ['Gap', '[no text from 0:02 to 1:15: THROTTLED: too fast.]'],
      ['Heading1', '1:15'],
      ['Normal', '[1:15] After.'],
    ])
  })

  it('a long DOCX has at most thirty headings, which Word’s navigation shows', async () => {
    const segments = Array.from({ length: 400 }, (_, i) => segment(`Sentence ${i}.`, i * 30, i * 30 + 5))
    const parts = await partsOf({ segments })
    const headings = styledParagraphs(parts['word/document.xml']!).filter(([style]) => style === 'Heading1')
    expect(headings.length).toBeGreaterThan(20)
    expect(headings.length).toBeLessThanOrEqual(30)
    expect(parts['word/styles.xml']).toMatch(
      /w:styleId="Heading1"><w:name w:val="heading 1"\/>.*?<w:outlineLvl w:val="0"\/>/,
    )
  })

  it('equal transcripts give equal bytes, with the file of content types first', async () => {
    const archive = await archiveOf({ segments: [segment('Hello.', 0, 1)] })
    expect(await archiveOf({ segments: [segment('Hello.', 0, 1)] })).toEqual(archive)
    expect(Object.keys(unzipped(archive))[0]).toBe('[Content_Types].xml')
  })

  it('a DOCX carries title, language and date of the transcript', async () => {
    const core = (await partsOf({ title: 'R&D', language: 'de' }))['docProps/core.xml']
    for (const fact of ['<dc:title>R&amp;D<', '<dc:language>de<', '>2026-03-01T10:00:00Z<'])
      expect(core).toContain(fact)
  })

  it('text from right to left has its direction, and other text has none', async () => {
    const segments = [segment('שלום לכולם, ok?', 0, 1), segment('Hello שלום.', 90, 91)]
    const [hebrew, english] = (await bodyOf({ segments })).split('\n').filter(line => line.includes('שלום'))
    expect(hebrew).toMatch(/<w:pStyle w:val="Normal"\/><w:bidi\/>.*<w:rtl\/><\/w:rPr><w:t [^>]*>שלום/)
    expect(english).not.toMatch(/<w:bidi\/>|<w:rtl\/>/)
  })

  it('ideographs ask for the font of their language', async () => {
    expect(await bodyOf({ segments: [segment('今日は。', 0, 1)] })).toContain('<w:rFonts w:hint="eastAsia"/>')
    expect(await stylesOf('ja')).toMatch(/w:eastAsia="Yu Gothic".*<w:lang w:val="en-US" w:eastAsia="ja-JP"/)
    expect(await stylesOf('yue')).toMatch(/w:eastAsia="Microsoft JhengHei".*w:eastAsia="yue-HK"/)
  })

  it.each([
    ['th', 'w:cs="Leelawadee UI"', 'w:bidi="th-TH"'],
    ['he', 'w:cs="Arial"', 'w:bidi="he-IL"'],
    ['de', 'w:ascii="Calibri"', 'w:val="de-DE"'],
    ['no such language!', 'w:ascii="Calibri"', 'w:val="en-US"'],
    [undefined, 'w:ascii="Calibri"', 'w:val="en-US"'],
  ])('a DOCX in the language %s has its font and proofing language', async (language, font, proofing) => {
    const styles = await stylesOf(language)
    expect(styles).toContain(font)
    expect(styles).toContain(proofing)
  })

  it('every part is well-formed XML with every word, whatever was said', async () => {
    const texts = fc.array(fc.string({ unit: 'binary', minLength: 1, maxLength: 40 }), { maxLength: 8 })
    await fc.assert(
      fc.asyncProperty(texts, fc.string({ unit: 'binary' }), async (said, title) => {
        const segments = said.map((text, i) => segment(text, i * 40, i * 40 + 1))
        const archive = await archiveOf({ segments, title, warnings: [title] })
        for (const part of Object.values(unzipped(archive))) expectWellFormed(part)
        const words = (text: string) => text.match(/[\p{L}\p{N}]+/gu) ?? []
        const found = words(documentText(archive)).join('')
        for (const { text } of segments) expect(found).toContain(words(text).join(''))
      }),
      { seed: 20261129, numRuns: 30 },
    )
  })

  it('characters that XML forbids are left out', async () => {
    const text = await rendered(
      transcript({ segments: [segment('a\u0000b\u001fc\ud800d\uffffe', 0, 1)] }),
      'docx',
    )
    expect(text).toContain('abcde')
  })
})
