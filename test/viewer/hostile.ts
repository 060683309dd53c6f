// Transcripts that hold HTML and scripts wherever a transcript has text.
import type { Transcript } from '../../src/domain/transcript.ts'
import { transcript } from '../support/transcripts.ts'

const scripts = [
  '<script>PAYLOAD</script>',
  '<img src=x onerror=PAYLOAD>',
  '<svg/onload=PAYLOAD>',
  '</p></div><iframe srcdoc="<script>parent.PAYLOAD</script>">',
  '"><body onload=PAYLOAD>',
  "'-PAYLOAD-'",
  '`$' + '{PAYLOAD}`',
  'javascript:PAYLOAD',
  '<a href="javascript:PAYLOAD">x</a>',
  '<base href="https://example.com/">',
  '<meta http-equiv="refresh" content="0;url=javascript:PAYLOAD">',
  '<style>@import "https://example.com/x.css";</style>',
  '<link rel=stylesheet href=https://example.com/x.css>',
  '<form action=https://example.com><input name=q autofocus onfocus=PAYLOAD>',
  '<object data="https://example.com/x.swf">',
  '<math><mtext><table><mglyph><style><img src onerror=PAYLOAD>',
  '<!--<img src="--><img src=x onerror=PAYLOAD//">',
  '</script><script>PAYLOAD</script>',
  '\u202e<script>PAYLOAD</script>\u2066',
  '{"__proto__":{"innerHTML":"<img src=x onerror=PAYLOAD>"}}',
]

/** As many as are asked for, each different. */
export function hostileTranscript(number: number): Transcript {
  const text = (i: number) =>
    scripts[(number + i) % scripts.length]!.replaceAll('PAYLOAD', `top.pwned=${number}`)
  return transcript({
    id: 'tr_bad',
    title: text(0),
    language: text(1),
    createdAt: text(2),
    duration: 60,
    speakers: [{ id: 'S1', name: text(3), seconds: 1, share: 1 }],
    segments: Array.from({ length: 8 }, (_, i) => ({
      text: `${text(i)} ${text(i + number)}`,
      start: i,
      end: i + 1,
      estimated: i % 2 === 0,
      speaker: i === 3 ? text(4) : 'S1',
      ...(i === 5 && { words: [{ text: text(5), start: 5, end: 6 }] }),
    })),
    gaps: [{ start: 10, end: 12, reason: text(6) }],
    warnings: [text(7)],
  })
}
