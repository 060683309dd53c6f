// Reads WebVTT as the track of a page, which sends what the browser found in it.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import type { Shown } from './readers.ts'

const page = `<!doctype html><meta charset="utf-8"><video><track default src="track.vtt"></video><script>
document.querySelector('track').onload = ({ target }) => fetch('/', { method: 'POST', body: JSON.stringify(
  [...target.track.cues].map(cue => ({
    start: cue.startTime, end: cue.endTime, text: cue.getCueAsHTML().textContent }))) })
document.querySelector('track').track.mode = 'showing'
</script>`
const maxWaitMs = 60_000

export function readInBrowser(program: 'chromium' | 'firefox-esr'): (file: string) => Promise<Shown[]> {
  return async file => {
    const profile = `${file}.${program}`
    await mkdir(profile, { recursive: true })
    let resolve: (cues: Shown[]) => void
    const shown = new Promise<Shown[]>(done => {
      resolve = done
    })
    const server = createServer(async (request, response) => {
      if (request.method === 'POST') resolve(JSON.parse(await text(request)))
      const isTrack = request.url === '/track.vtt'
      response.setHeader('Content-Type', isTrack ? 'text/vtt' : 'text/html')
      response.end(isTrack ? readFileSync(file) : page)
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const args =
      program === 'chromium'
        ? [
            '--headless',
            '--no-sandbox',
            '--disable-gpu',
            `--user-data-dir=${profile}`,
            '--remote-debugging-port=0',
          ]
        : ['--headless', '--no-remote', '--profile', profile]
    const { port } = server.address() as AddressInfo
    const browser = spawn(program, [...args, `http://127.0.0.1:${port}/`], {
      env: { ...process.env, HOME: profile },
      stdio: 'ignore',
      timeout: maxWaitMs,
    })
    const closed = once(browser, 'exit').then(() => Promise.reject(new Error(`${program} sent no cues.`)))
    try {
      return await Promise.race([shown, closed])
    } finally {
      closed.catch(() => {})
      browser.kill()
      server.close()
      server.closeAllConnections()
    }
  }
}
