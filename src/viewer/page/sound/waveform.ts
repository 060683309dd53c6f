// The picture of the sound: its peaks in the colours of the speakers, and the gaps. Without a recording, the turns alone.
import type { Source, ViewerData } from '../contract.ts'
import { byId, colourOf, make } from '../elements.ts'
import type { Shown } from '../shown.ts'
import { columnsOf, shareOf } from './columns.ts'

export interface WaveformView {
  /** Asks for the peaks, unless they are there or on their way. */
  ask(): void
}

/** The server computes the peaks of an hour in some seconds. */
const [askAgainMs, maxAsked] = [2000, 300]
export function createWaveform(view: Shown, source: Source): WaveformView {
  const canvas = byId('wave', 'canvas')
  let peaks: readonly number[] = []
  let asked = 0
  /** Of the recording, when they were asked for last. */
  let duration = -1

  const redraw = () => draw(canvas, view.data, peaks)

  async function ask(): Promise<void> {
    if (asked > 0 || peaks.length > 0 || view.data.status === 'running') return
    duration = view.data.duration
    for (asked = 1; asked <= maxAsked; asked++) {
      const found = await source.waveform().catch(() => undefined)
      // Where there is no recording, the turns are shown alone.
      if (!found) break
      if (found.peaks) {
        peaks = found.peaks
        redraw()
        break
      }
      await new Promise(resolve => setTimeout(resolve, askAgainMs))
    }
    asked = 0
  }

  view.onChange(() => {
    redraw()
    if (view.data.duration === duration) return
    peaks = []
    void ask()
  })
  new ResizeObserver(redraw).observe(canvas)
  for (const query of ['(prefers-color-scheme: dark)', '(forced-colors: active)'])
    matchMedia(query).addEventListener('change', redraw)
  new MutationObserver(redraw).observe(document.documentElement, { attributeFilter: ['data-theme'] })
  // Not before the text is there.
  requestAnimationFrame(() => void ask())
  return { ask: () => void ask() }
}

function draw(canvas: HTMLCanvasElement, data: ViewerData, peaks: readonly number[]): void {
  const pen = canvas.getContext('2d')
  const [width, height] = [canvas.clientWidth, canvas.clientHeight]
  const scale = devicePixelRatio
  canvas.width = Math.max(1, Math.round(width * scale))
  canvas.height = Math.max(1, Math.round(height * scale))
  if (!pen || width < 1) return
  pen.scale(scale, scale)
  const probe = make('span')
  document.body.append(probe)
  const colours = new Map<string, string>()
  const colourFor = (name: string) => {
    const known = colours.get(name)
    if (known !== undefined) return known
    probe.className = name
    const found = getComputedStyle(probe).color
    colours.set(name, found)
    return found
  }
  const columns = columnsOf(data, width)
  const highest = Math.max(1, ...peaks)
  for (let x = 0; x < width; x++) {
    const column = columns[x]
    pen.fillStyle = pen.strokeStyle = colourFor(
      column?.ofGap === undefined ? colourOf(column?.speaker ?? -1) : 'nothing',
    )
    pen.globalAlpha = column?.isDoubtful ? 0.45 : 1
    const share = shareOf(peaks, x / width, (x + 1) / width, highest)
    const tall = Math.max(1, share * height)
    if (column || peaks.length > 0) pen.fillRect(x, (height - tall) / 2, 1, tall)
    // Gaps are hatched: they differ in more than colour.
    if (column?.ofGap !== undefined && column.ofGap % 6 < 3) pen.fillRect(x, 0, 1, height)
  }
  probe.remove()
}
