// The controls of the player, and the mark on the word that is said.
import type { Source } from '../contract.ts'
import { byId, say, unsay } from '../elements.ts'
import type { List } from '../list.ts'
import type { createMarks } from '../marks.ts'
import type { Shown } from '../shown.ts'
import { clock, rowAt, spokenTime, wordAt } from '../times.ts'
import { createPlayer, type Player } from './player.ts'
import { createWaveform } from './waveform.ts'

export interface Playing {
  player: Player
  /** Goes to a time, which the list shows, and plays on if it was playing. */
  seek(seconds: number): void
  /** Plays on from what the list then shows, or stops. */
  toggle(): void
  /** Goes so many rows up or down, and plays on if it was playing. */
  step(rows: number): void
  /** The row that is heard. */
  readonly row: number
}

/** Shorter recordings show tenths of a second. */
const fineSeconds = 200

export function createPlaying(
  view: Shown,
  list: List,
  marks: ReturnType<typeof createMarks>,
  source: Source,
): Playing {
  const waveform = createWaveform(view, source)
  const [play, now, position] = [byId('play', 'button'), byId('now', 'span'), byId('position', 'input')]
  let row = -1
  let said = -1

  function show(seconds: number): void {
    const time = clock(seconds)
    if (now.textContent !== time) {
      now.textContent = time
      position.setAttribute('aria-valuetext', describe(seconds))
    }
    // Each new value is painted: of a long recording, a second is less than a pixel.
    const parts = view.data.duration < fineSeconds ? 10 : 1
    const place = String(Math.round(seconds * parts) / parts)
    if (position.value !== place) position.value = place
    const { rows } = view.data
    const at = rowAt(rows, seconds)
    const shown = rows[at]
    if (at !== row) {
      // A reader who has scrolled away stays there.
      const isFollowed = player.isPlaying && list.isSeen(Math.max(0, row))
      row = at
      list.mark(at)
      if (at >= 0 && isFollowed) list.show(at)
      // A gap is never played as if nothing were missing.
      if (player.isPlaying) say(shown?.isGap ? `No text until ${clock(shown.end)}: ${shown.text}` : '')
    }
    const word = shown && wordAt(shown, seconds)
    const mark = word ? at * 1e6 + word.from : -1
    if (mark === said) return
    said = mark
    marks.set('said', word ? [{ row: at, from: word.from, to: word.to }] : [])
  }

  /** The time, and who speaks then. */
  function describe(seconds: number): string {
    const { rows, speakers } = view.data
    const row = rows[rowAt(rows, seconds)]
    const isIn = row !== undefined && seconds < row.end
    const label = row?.speaker === undefined ? '' : (speakers[row.speaker]?.label ?? 'unknown speaker')
    const said = isIn ? (row.isGap ? 'no text' : label) : ''
    return said ? `${spokenTime(seconds)}, ${said}` : spokenTime(seconds)
  }

  const player = createPlayer(source, () => view.data.duration, {
    onTime: show,
    onSound: waveform.ask,
    onState(state) {
      play.textContent = state === 'paused' ? 'Play' : 'Pause'
      byId('controls', 'div').setAttribute('aria-busy', String(state === 'loading'))
      if (state === 'loading') say('Fetching the sound…')
      else unsay('Fetching the sound…')
    },
    onError: say,
  })

  function change(): void {
    // The elements beside the time stay where they are.
    now.style.minWidth = `${clock(view.data.duration).length}ch`
    position.max = String(Math.ceil(view.data.duration * 10) / 10)
    // A change does not take the reader to what is heard.
    row = rowAt(view.data.rows, player.seconds)
    list.mark(row)
    // The marked word is other text by now, also where no word is said.
    said = Number.NaN
    now.textContent = ''
    show(player.seconds)
  }

  view.onChange(change)
  change()
  const showHeard = () => list.show(Math.max(0, row))
  function seek(seconds: number): void {
    player.seek(seconds)
    showHeard()
  }
  function toggle(): void {
    player.toggle()
    if (player.isPlaying) showHeard()
  }
  position.addEventListener('input', () => seek(Number(position.value)))
  play.addEventListener('click', toggle)
  const speed = byId('speed', 'select')
  speed.addEventListener('change', () => player.setSpeed(Number(speed.value)))
  byId('controls', 'div').hidden = false
  return {
    player,
    seek,
    toggle,
    step(count) {
      const { rows } = view.data
      const to = rows[Math.max(0, Math.min(rows.length - 1, Math.max(0, row) + count))]
      if (to) seek(to.start)
    },
    get row() {
      return row
    },
  }
}
