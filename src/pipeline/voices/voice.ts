// The part of a recording that is heard as one stream: one of its tracks, with its channels mixed to one.

export interface Voice {
  /** Number of the track's stream in the file; absent: the one that ffmpeg takes. */
  stream?: number
  /** Filter of ffmpeg that makes one channel of the track's; absent: the mix of all by their layout. */
  filter?: string
}

/** A voice that may be a speaker of its own. */
export interface HeardVoice extends Voice {
  /** Stable key of the speaker, `channel:0` or `track:2`; absent where all speakers are in this voice. */
  key?: string
  /** Title of the track. */
  title?: string
}
