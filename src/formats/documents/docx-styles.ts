// The styles of a DOCX: paragraphs, headings that Word's navigation shows, and fonts for the transcript's language.

/** Fonts of Windows by script; Word takes a similar one where a font is missing. */
const eastAsianFonts: Record<string, string> = {
  Hans: 'Microsoft YaHei',
  Hant: 'Microsoft JhengHei',
  Jpan: 'Yu Gothic',
  Kore: 'Malgun Gothic',
}
/** The same for the scripts that Word calls complex. */
const complexFonts: Record<string, string> = {
  Arab: 'Arial',
  Hebr: 'Arial',
  Thai: 'Leelawadee UI',
  Deva: 'Nirmala UI',
}

/** A style of paragraphs, or of characters within one. Sizes are half points, spaces twentieths of a point. */
function style(
  type: 'paragraph' | 'character',
  id: string,
  name: string,
  paragraph: string,
  run: string,
): string {
  const isDefault = id === 'Normal' ? ' w:default="1"' : ''
  const base = type === 'character' || id === 'Normal' ? '' : '<w:basedOn w:val="Normal"/>'
  const next = /^Heading|^Title|^Subtitle/.test(id) ? '<w:next w:val="Normal"/>' : ''
  const properties = paragraph ? `<w:pPr>${paragraph}</w:pPr>` : ''
  const runProperties = run ? `<w:rPr>${run}</w:rPr>` : ''
  return `<w:style w:type="${type}" w:styleId="${id}"${isDefault}><w:name w:val="${name}"/>${base}${next}<w:qFormat/>${properties}${runProperties}</w:style>`
}

const size = (halfPoints: number) => `<w:sz w:val="${halfPoints}"/><w:szCs w:val="${halfPoints}"/>`
const grey = '<w:color w:val="595959"/>'
const bold = '<w:b/><w:bCs/>'
const italic = '<w:i/><w:iCs/>'

/** Built-in names, by which Word and LibreOffice know headings in every language. */
const styles = [
  style('paragraph', 'Normal', 'Normal', '<w:spacing w:after="120" w:line="276" w:lineRule="auto"/>', ''),
  style('paragraph', 'Title', 'Title', '<w:spacing w:after="60"/>', bold + size(40)),
  style('paragraph', 'Subtitle', 'Subtitle', '', grey),
  style(
    'paragraph',
    'Heading1',
    'heading 1',
    '<w:keepNext/><w:spacing w:before="240" w:after="60"/><w:outlineLvl w:val="0"/>',
    bold + size(26),
  ),
  style('paragraph', 'Note', 'Transcript Note', '<w:ind w:left="284"/>', italic + grey),
  style('paragraph', 'Gap', 'Transcript Gap', '', `${italic}<w:color w:val="9C2A00"/>`),
  style('character', 'Time', 'Transcript Time', '', grey),
  style('character', 'Speaker', 'Transcript Speaker', '', bold),
].join('')

/** Returns `word/styles.xml`. `language`: ISO code of the main language; English if absent or unknown. */
export function stylesXml(language = 'en'): string {
  const { tag, script } = localeOf(language)
  const eastAsian = eastAsianFonts[script]
  const complex = complexFonts[script]
  const fonts = `w:ascii="Calibri" w:hAnsi="Calibri" w:eastAsia="${eastAsian ?? eastAsianFonts.Hans}" w:cs="${complex ?? 'Arial'}"`
  const languages = `w:val="${eastAsian || complex ? 'en-US' : tag}" w:eastAsia="${eastAsian ? tag : 'zh-CN'}" w:bidi="${complex ? tag : 'ar-SA'}"`
  const defaults = `<w:rPrDefault><w:rPr><w:rFonts ${fonts}/>${size(22)}<w:lang ${languages}/></w:rPr></w:rPrDefault>`
  return `<w:styles xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:docDefaults>${defaults}<w:pPrDefault/></w:docDefaults>${styles}</w:styles>`
}

/** `ja` is `ja-JP` in the script `Jpan`. */
function localeOf(language: string): { tag: string; script: string } {
  try {
    const { language: code, script = '', region } = new Intl.Locale(language).maximize()
    if (region) return { tag: `${code}-${region}`, script }
  } catch {
    // A server of the user's own may call languages as it likes.
  }
  return { tag: 'en-US', script: 'Latn' }
}
