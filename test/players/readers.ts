// Players and parsers that read a subtitle file back: each gives the cues that it shows.
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { readInBrowser } from './browsers.ts'
import { players } from './transcript.ts'

const run = promisify(execFile)

export interface Shown {
  start: number
  end: number
  text: string
}

type Read = (file: string, format: string) => Promise<Shown[]>

export interface Reader {
  name: string
  formats: readonly string[]
  /** Resolves with undefined where the program is missing. */
  start(folder: string): Promise<Read | undefined>
}

const text = ['srt', 'vtt', 'vtt-names']

export const readers: Reader[] = [
  { name: 'ffmpeg', formats: [...text, 'ass'], start: async () => readWithFfmpeg },
  { name: 'mpv', formats: [...text, 'ass'], start: () => where('mpv', readWithMpv) },
  { name: 'GStreamer', formats: text, start: () => where('gst-launch-1.0', readWithGstreamer) },
  { name: 'GStreamer with ttmlparse', formats: ['ttml'], start: gstreamerForTtml },
  {
    name: 'Chromium',
    formats: ['vtt', 'vtt-names'],
    start: () => where('chromium', readInBrowser('chromium')),
  },
  {
    name: 'Firefox',
    formats: ['vtt', 'vtt-names'],
    start: () => where('firefox-esr', readInBrowser('firefox-esr')),
  },
  {
    name: 'npm subtitle',
    formats: text,
    start: folder => parser(folder, 'subtitle@4.2.2', readWithSubtitle),
  },
  {
    name: 'npm media-captions',
    formats: [...text, 'ass'],
    start: folder => parser(folder, 'media-captions@1.0.4', readWithMediaCaptions),
  },
  { name: 'npm imsc', formats: ['ttml'], start: folder => parser(folder, 'imsc@1.1.5', readWithImsc) },
]

async function where(program: string, read: Read): Promise<Read | undefined> {
  return (await run('which', [program]).catch(() => undefined)) && read
}

/** Its element is in a package of its own. */
async function gstreamerForTtml(): Promise<Read | undefined> {
  const found = run('gst-inspect-1.0', ['--exists', 'ttmlparse']).then(() => true)
  return (await found.catch(() => false)) ? readWithGstreamer : undefined
}

/** Installs a parser in the folder of the test. */
async function parser(
  folder: string,
  name: string,
  read: (module: string) => Read,
): Promise<Read | undefined> {
  const args = ['install', '--prefix', folder, '--no-audit', '--no-fund', '--ignore-scripts', name]
  const installed = await run('npm', args).catch(() => undefined)
  return installed && read(join(folder, 'package.json'))
}

async function readWithFfmpeg(file: string): Promise<Shown[]> {
  const args = ['-v', 'error', '-i', file, '-f', 'srt', '-']
  const { stdout } = await run(process.env.PLAYERS_FFMPEG!, args)
  return srtCues(stdout)
}

function srtCues(srt: string): Shown[] {
  const blocks = srt.replaceAll('\r', '').matchAll(/(\S+) --> (\S+)\n([\s\S]*?)(?=\n\n\d+\n|\s*$)/g)
  return [...blocks].map(([, start, end, shown]) => ({
    start: seconds(start!),
    end: seconds(end!),
    text: withoutTags(shown!),
  }))
}

/** Tags as players know them; other marks are text. */
function withoutTags(shown: string): string {
  return shown.replace(/<\/?(?:font|b|i|u|c|v)\b[^>]*>|<[\d:.]+>|\{\\[^}]*\}/g, '')
}

function seconds(clock: string): number {
  return clock
    .replace(',', '.')
    .split(':')
    .reduce((sum, part) => sum * 60 + Number(part), 0)
}

const lastSecond = () => Math.ceil(players.duration + 3)

/** Shows black pictures, and prints time and text of each. */
async function readWithMpv(file: string): Promise<Shown[]> {
  const picture = `av://lavfi:color=c=black:s=64x64:r=20:d=${lastSecond()}`
  const args = ['--no-config', '--vo=null', '--ao=null', '--no-sub-auto', `--sub-file=${file}`]
  // biome-ignore lint/suspicious/noTemplateCurlyInString: mpv's own properties
  const status = ['--term-status-msg=@@${=time-pos}|${sub-text}@@', '--speed=5']
  const { stdout, stderr } = await run('mpv', [...args, ...status, picture], { maxBuffer: 1e8 })
  const found = `${stdout}${stderr}`.matchAll(/@@([\d.]+)\|([\s\S]*?)@@/g)
  return [...found].map(([, at, shown]) => ({ start: Number(at), end: Number(at), text: shown! }))
}

/** `fakesink` prints time and size of each cue, `filesink` writes the texts one after the other. */
async function readWithGstreamer(file: string, format: string): Promise<Shown[]> {
  const parse = format === 'ttml' ? 'ttmlparse' : 'subparse'
  const source = ['filesrc', `location=${file}`, '!', parse, '!']
  const { stdout } = await run('gst-launch-1.0', ['-v', ...source, 'fakesink', 'silent=false'])
  await run('gst-launch-1.0', [...source, 'filesink', `location=${file}.txt`])
  const texts = readFileSync(`${file}.txt`)
  let from = 0
  return [...stdout.matchAll(/\((\d+) bytes,[^)]*?pts: ([\d:.]+), duration: ([\d:.]+)/g)].map(
    ([, size, pts, duration]) => {
      const shown = texts.subarray(from, from + Number(size)).toString()
      from += Number(size)
      const start = seconds(pts!)
      return {
        start,
        end: start + seconds(duration!),
        // GStreamer gives markup, and escapes what is escaped in WebVTT once more.
        text: shownText(format === 'ttml' ? shown : unescapeMarkup(withoutTags(shown)), format),
      }
    },
  )
}

/** The text of a parser that leaves tags and escapes in it. SRT has no escapes. */
function shownText(raw: string, format: string): string {
  const text = withoutTags(raw)
  return format.startsWith('vtt') ? unescapeMarkup(text) : text
}

function unescapeMarkup(shown: string): string {
  return shown
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&')
    .replaceAll('&apos;', "'")
}

function readWithSubtitle(manifest: string): Read {
  const { parseSync } = createRequire(manifest)('subtitle')
  return async (file, format) =>
    parseSync(readFileSync(file, 'utf8'))
      .filter(({ type }: { type: string }) => type === 'cue')
      .map(({ data }: { data: Shown }) => ({
        start: data.start / 1000,
        end: data.end / 1000,
        text: shownText(data.text, format),
      }))
}

function readWithMediaCaptions(manifest: string): Read {
  return async (file, format) => {
    const { parseText } = await import(createRequire(manifest).resolve('media-captions'))
    const type = format.startsWith('vtt') ? 'vtt' : format
    const { cues } = await parseText(readFileSync(file, 'utf8'), { type })
    return cues.map(({ startTime, endTime, text }: { startTime: number; endTime: number; text: string }) => ({
      start: startTime,
      end: endTime,
      text: shownText(text, format),
    }))
  }
}

/** The W3C's reference for TTML: the text that is shown between two changes. */
function readWithImsc(manifest: string): Read {
  // The rest of it needs a browser.
  const load = (part: string) => createRequire(manifest)(`imsc/src/main/js/${part}.js`)
  const imsc = { ...load('doc'), ...load('isd') }
  const textOf = (element: { text?: string; contents?: [] }): string =>
    (element.text ?? '') + (element.contents ?? []).map(textOf).join('')
  return async file => {
    const document = imsc.fromXML(readFileSync(file, 'utf8'))
    const changes: number[] = document.getMediaTimeEvents()
    return changes.map((start, i) => {
      const text = textOf({ contents: imsc.generateISD(document, start).contents })
      return { start, end: changes[i + 1] ?? start, text }
    })
  }
}
