// The script of the page for uploads, as text: a small tus client that goes on after a break.

/** Runs in browsers of the last years; the page's policy names its hash. */
export const pageScript = `'use strict'
const address = location.pathname.replace(/\\/$/, '')
const byId = id => document.getElementById(id)
const [picker, bar, state] = ['file', 'bar', 'state'].map(byId)
const encoded = text => btoa(String.fromCharCode(...new TextEncoder().encode(text)))
const decoded = text => new TextDecoder().decode(Uint8Array.from(atob(text), c => c.charCodeAt(0)))
const megabytes = bytes => (bytes / 1e6).toFixed(1)
const pause = ms => new Promise(resolve => setTimeout(resolve, ms))

function ask(method, headers = {}, body, onSent) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest()
    request.open(method, address)
    for (const [name, value] of Object.entries({ 'Tus-Resumable': '1.0.0', ...headers }))
      request.setRequestHeader(name, value)
    if (onSent) request.upload.onprogress = event => onSent(event.loaded)
    request.onload = () => resolve(request)
    request.onerror = request.ontimeout = () => reject(new Error('broken'))
    request.send(body)
  })
}

function refused(request) {
  const error = new Error(request.responseText.replace(/^[A-Z_]+: /, '') || 'The server answered ' + request.status + '.')
  const passes = [409, 423, 429].includes(request.status) || (request.status >= 500 && request.status !== 507)
  return Object.assign(error, { isFinal: !passes })
}

async function begin(file) {
  // A page cannot hash a large file; its date tells it from others.
  const fingerprint = [file.name, file.size, file.lastModified].join('/')
  const found = await ask('HEAD')
  if (found.status === 200) {
    const pairs = (found.getResponseHeader('Upload-Metadata') || '').split(',').map(pair => pair.split(' '))
    const known = pairs.find(([key]) => key === 'fingerprint')
    if (known && decoded(known[1]) === fingerprint) return Number(found.getResponseHeader('Upload-Offset'))
    throw Object.assign(new Error('This address was used for another file. Ask for another one.'), { isFinal: true })
  }
  // The upload may have begun.
  if (!refused(found).isFinal) throw refused(found)
  const metadata = 'filename ' + encoded(file.name) + ',fingerprint ' + encoded(fingerprint)
  const created = await ask('POST', { 'Upload-Length': file.size, 'Upload-Metadata': metadata })
  if (created.status !== 201) throw refused(created)
  return 0
}

async function send(file, onOffset) {
  const offset = await begin(file)
  onOffset(offset)
  const headers = { 'Upload-Offset': offset, 'Content-Type': 'application/offset+octet-stream' }
  const whole = offset === file.size
  const last = whole ? await ask('HEAD') : await ask('PATCH', headers, file.slice(offset), sent => onOffset(offset + sent))
  if (last.status >= 300) throw refused(last)
  return last.getResponseHeader('Upload-Address')
}

picker.addEventListener('change', async () => {
  const [file] = picker.files
  if (!file) return
  picker.disabled = true
  bar.hidden = false
  bar.max = file.size
  const show = done => {
    bar.value = done
    state.textContent = megabytes(done) + ' of ' + megabytes(file.size) + ' MB'
  }
  for (let failures = 0; ; failures++) {
    try {
      const found = await send(file, done => {
        if (done > bar.value) failures = 0
        show(done)
      })
      if (!found) throw new Error('incomplete')
      state.textContent = 'The recording has arrived. Tell the agent: ' + found
      return
    } catch (error) {
      if (error.isFinal) {
        state.textContent = error.message
        picker.disabled = false
        return
      }
      state.textContent = 'The connection is broken. Trying again…'
      await pause(Math.min(10000, 500 * 2 ** failures))
    }
  }
})
`
