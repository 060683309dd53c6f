// The page at a ticket's address: a file picker and a bar, for people without a tus client.
import { type FinishedUpload, type UploadRecord, uploadAddress } from '../../../domain/network/uploads.ts'
import { loadPage } from '../../../viewer/html.ts'

/** It may do nothing but send to its own server, and be shown in no other page. */
export async function uploadPage(
  { maxBytes, endsAt }: UploadRecord,
  whole: FinishedUpload | undefined,
): Promise<{ html: string; policy: string }> {
  const { html, policy } = await loadPage('upload')
  const end = `${new Date(endsAt).toISOString().slice(0, 16).replace('T', ' ')} UTC`
  const form = `<p>One audio or video file of at most ${Math.floor(maxBytes / 1e6)} MB, until ${end}.
A broken upload goes on by itself; if you close the page, choose the same file again.</p>
<label for="file">File</label>
<input id="file" type="file" accept="audio/*,video/*">
<progress id="bar" value="0" aria-label="Upload" hidden></progress>
<output id="state" for="file" aria-live="polite"></output>`
  const body = whole ? `<p>The recording has arrived. Tell the agent: ${uploadAddress(whole.id)}</p>` : form
  return { html: html.replace('%BODY%', () => body), policy: `${policy}; frame-ancestors 'none'` }
}
