// Control tags that engines leave in a text: the language headers of Qwen3-ASR, and tokens such as `<|en|>`.
import { languageCode } from '../../../domain/languages.ts'
import { joinText } from '../../../domain/text.ts'

/** A server that splits long audio leaves one header in each part. */
const header = /language\s+([\p{L}][\p{L}\s()-]{0,40}?)\s*<asr_text>/giu
const tokens = /<\|[^<>|]{0,40}\|>|<\/?asr_text>/gi

/** The text without tags, and the language of its longest part as an ISO code, if a header names one. */
export function readTags(tagged: string): { text: string; language?: string } {
  const [beginning = '', ...rest] = tagged.split(header)
  let text = plain(beginning)
  let longest = { length: 0, language: undefined as string | undefined }
  for (let i = 0; i < rest.length; i += 2) {
    const part = plain(rest[i + 1]!)
    // Audio without speech has the language "None".
    const language = languageCode(rest[i]!)
    if (language && part.length > longest.length) longest = { length: part.length, language }
    text = joinText(text, part)
  }
  return { text: text.trim(), ...(longest.language && { language: longest.language }) }
}

function plain(text: string): string {
  return text.replace(tokens, '')
}
