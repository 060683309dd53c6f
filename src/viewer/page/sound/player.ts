// Plays the sound in pieces of the recording's clock, one after the other. The next one is fetched before it is needed.
import type { LoadedPiece, Source } from '../contract.ts'
import { nextFrom, pieceAt } from '../times.ts'

export interface Player {
  readonly seconds: number
  readonly isPlaying: boolean
  /** Plays from a time; without one, goes on or stops. */
  playFrom(seconds: number): void
  toggle(): void
  /** Goes to a time, and plays on if it was playing. */
  seek(seconds: number): void
  setSpeed(speed: number): void
}

export interface PlayerEvents {
  /** The first piece of the sound has come. */
  onSound(): void
  onTime(seconds: number): void
  onState(state: 'playing' | 'paused' | 'loading'): void
  onError(message: string): void
}

interface OwnPiece extends LoadedPiece {
  /** The time that was asked for: a piece may begin a little later. */
  from: number
  url: string
}

/** Five minutes, about 1.3 MB. */
const maxPieces = 12

export function createPlayer(source: Source, length: () => number, events: PlayerEvents): Player {
  const audio = new Audio()
  audio.preload = 'auto'
  let pieces: OwnPiece[] = []
  let current: OwnPiece | undefined
  let seconds = 0
  let speed = 1
  let wantsToPlay = false
  /** Of the newest wish: what was fetched for an older one is kept, and not played. */
  let turn = 0
  let isTicking = false
  const loading = new Map<number, Promise<OwnPiece>>()

  const knownPiece = (from: number) => pieceAt(pieces, from) ?? pieces.find(piece => piece.from === from)

  async function fetchPiece(from: number): Promise<OwnPiece> {
    const known = knownPiece(from)
    if (known) return known
    const pending = loading.get(from)
    if (pending) return pending
    const fetched = source.piece(from).then(loaded => {
      const piece = { ...loaded, from, url: URL.createObjectURL(loaded.audio) }
      pieces.push(piece)
      if (pieces.length === 1) events.onSound()
      for (const old of pieces.slice(0, -maxPieces)) if (old !== current) URL.revokeObjectURL(old.url)
      pieces = pieces.filter((old, i) => i >= pieces.length - maxPieces || old === current)
      return piece
    })
    loading.set(from, fetched)
    fetched.finally(() => loading.delete(from)).catch(() => {})
    return fetched
  }

  async function start(from: number): Promise<void> {
    const own = ++turn
    seconds = Math.max(0, Math.min(from, Math.max(0, length() - 0.1)))
    wantsToPlay = true
    events.onTime(seconds)
    try {
      if (!knownPiece(seconds)) {
        audio.pause()
        events.onState('loading')
      }
      let piece = await fetchPiece(seconds)
      // The piece of a long sentence may end before the time that was asked for.
      for (let tries = 0; piece.end <= seconds + 0.05 && piece.next !== undefined && tries < 4; tries++)
        piece = await fetchPiece(piece.next)
      if (own === turn) await play(piece, seconds)
    } catch (error) {
      if (own === turn) fail(error)
    }
  }

  async function play(piece: OwnPiece, from: number): Promise<void> {
    if (current !== piece) {
      current = piece
      audio.src = piece.url
    }
    audio.currentTime = Math.max(0, from - piece.start)
    audio.playbackRate = speed
    await audio.play()
    events.onState('playing')
    const next = nextFrom(piece, length())
    // Errors are told when the piece is needed.
    if (next !== undefined) fetchPiece(next).catch(() => {})
    if (!isTicking) tick()
  }

  function tick(): void {
    isTicking = current !== undefined && !audio.paused
    if (!current || !isTicking) return
    seconds = Math.min(current.end, current.start + audio.currentTime)
    events.onTime(seconds)
    requestAnimationFrame(tick)
  }

  function stop(): void {
    turn++
    wantsToPlay = false
    audio.pause()
    events.onState('paused')
  }

  function fail(error: unknown): void {
    // A wish that was taken back.
    if ((error as Error).name === 'AbortError') return
    stop()
    events.onError((error as Error).message)
  }

  audio.addEventListener('ended', () => {
    if (!current || !wantsToPlay) return
    const next = nextFrom(current, length())
    if (next === undefined) {
      // A recording that is still transcribed may have more by now.
      seconds = length() - current.end < 1 ? length() : current.end
      events.onTime(seconds)
      stop()
    } else void start(next)
  })
  audio.addEventListener('error', () => {
    if (current) fail(new Error('This browser cannot play the sound.'))
  })

  const player: Player = {
    get seconds() {
      return seconds
    },
    get isPlaying() {
      return wantsToPlay
    },
    playFrom: from => void start(from),
    toggle: () => (wantsToPlay ? stop() : void start(seconds >= length() - 0.1 ? 0 : seconds)),
    seek(to) {
      if (wantsToPlay) return void start(to)
      seconds = Math.max(0, Math.min(to, length()))
      events.onTime(seconds)
    },
    setSpeed(value) {
      speed = value
      audio.playbackRate = value
    },
  }
  return player
}
