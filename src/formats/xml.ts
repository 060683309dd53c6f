// Text as the content of an XML element or attribute.

/** XML 1.0 forbids these even as references; lone surrogates are no characters at all. */
const forbidden = /[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu

const references: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }

/** Escapes markup, and removes characters that XML 1.0 forbids (https://www.w3.org/TR/xml/#charsets). */
export function escapeXml(text: string): string {
  return text.replace(forbidden, '').replace(/[&<>"]/g, found => references[found]!)
}
