// The page at a ticket's address: a file picker and a bar, for people without a tus client.
import { createHash } from 'node:crypto'
import { type FinishedUpload, type UploadRecord, uploadAddress } from '../../../domain/network/uploads.ts'
import { pageScript } from './page-script.ts'

const style = `:root { color-scheme: light dark; font: 1.1rem/1.5 system-ui, sans-serif }
body { max-width: 36rem; margin: 12vh auto; padding: 0 1rem }
h1 { font-size: 1.5rem }
input, progress { display: block; width: 100%; margin: 1.5rem 0; font: inherit }
progress { height: 1rem }
output { overflow-wrap: anywhere }`

const hash = (text: string) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`

/** It may do nothing but send to its own server, and be shown in no other page. */
const policy = [
  "default-src 'none'",
  `script-src ${hash(pageScript)}`,
  `style-src ${hash(style)}`,
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

export function uploadPage(
  { maxBytes, endsAt }: UploadRecord,
  whole: FinishedUpload | undefined,
): { html: string; policy: string } {
  const end = `${new Date(endsAt).toISOString().slice(0, 16).replace('T', ' ')} UTC`
  const form = `<p>One audio or video file of at most ${Math.floor(maxBytes / 1e6)} MB, until ${end}.
A broken upload goes on by itself; if you close the page, choose the same file again.</p>
<label for="file">File</label>
<input id="file" type="file" accept="audio/*,video/*">
<progress id="bar" value="0" aria-label="Upload" hidden></progress>
<output id="state" for="file" aria-live="polite"></output>
<script>${pageScript}</script>`
  const body = whole ? `<p>The recording has arrived. Tell the agent: ${uploadAddress(whole.id)}</p>` : form
  const html = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Upload a recording</title>
<style>${style}</style>
<main>
<h1>Upload a recording</h1>
${body}
</main>
</html>
`
  return { html, policy }
}
