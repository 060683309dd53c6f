// The containers that files are made in, and what each of them can hold.

export interface ContainerKind {
  ending: string
  codecs: string[]
  picture?: string
  /** Type of a Matroska file that this trial writes itself; all other files are copied from one by ffmpeg. */
  own?: string
  /** ffmpeg arguments for the copy. */
  args?: string[]
  /** False: a sample's number is its time, so that there are neither gaps nor starts. */
  hasClock: boolean
  /** True: one time stands for several packets, so that single ones have none of their own. */
  isPacked?: boolean
  /** Several audio tracks. */
  tracks?: boolean
  /** Files may be laid one behind the other. */
  isJoinable?: boolean
  /** Its clock may begin at any time. */
  hasStart?: boolean
}

const common = ['aac', 'aac-stereo', 'mp3', 'ac3', 'mp2', 'pcm', 'opus', 'vorbis', 'alac', 'speex']
const clock = { hasClock: true, tracks: true, hasStart: true }
/** A packet to a page, or to a parcel: several of them would hide where a gap lies. */
const [ownPages, ownParcels] = [
  ['-page_duration', '20000'],
  ['-pes_payload_size', '0'],
]

/** Without a limit to its patience, ffmpeg ends a fragment before the sound behind a gap is there, and leaves the gap out. */
const ownFragments = ['-max_interleave_delta', '0']

export const containers: readonly ContainerKind[] = [
  { ending: 'mkv', own: 'matroska', codecs: common, picture: 'h264', isJoinable: true, ...clock },
  {
    ending: 'webm',
    own: 'webm',
    codecs: ['opus', 'opus-60', 'vorbis'],
    picture: 'vp8',
    isJoinable: true,
    ...clock,
  },
  { ending: 'mka', codecs: common, ...clock },
  {
    ending: 'live.webm',
    codecs: ['opus', 'vorbis'],
    picture: 'vp8',
    args: ['-f', 'webm', '-live', '1'],
    ...clock,
  },
  { ending: 'mp4', codecs: ['aac', 'aac-stereo', 'mp3', 'ac3'], picture: 'h264', ...clock },
  {
    ending: 'frag.mp4',
    codecs: ['aac', 'mp3'],
    picture: 'h264',
    args: [...ownFragments, '-movflags', 'frag_keyframe+empty_moov', '-frag_duration', '500000'],
    ...clock,
  },
  { ending: 'mov', codecs: ['aac', 'aac-stereo', 'alac'], picture: 'h264', ...clock },
  { ending: 'm4a', codecs: ['aac', 'alac'], hasClock: true, hasStart: true },
  {
    ending: 'ts',
    codecs: ['aac', 'mp2', 'mp3', 'ac3'],
    picture: 'mpeg2',
    args: ownParcels,
    isJoinable: true,
    ...clock,
  },
  {
    ending: 'mpg',
    codecs: ['mp2', 'ac3'],
    picture: 'mpeg2',
    args: ['-f', 'vob'],
    hasClock: true,
    isPacked: true,
    tracks: true,
  },
  {
    ending: 'ogg',
    codecs: ['opus', 'opus-60', 'vorbis', 'speex'],
    args: ownPages,
    isJoinable: true,
    ...clock,
  },
  { ending: 'nut', codecs: ['aac', 'mp3', 'ac3', 'opus', 'vorbis', 'pcm'], picture: 'h264', ...clock },
  { ending: 'flv', codecs: ['aac', 'mp3'], picture: 'h264', hasClock: true, hasStart: true },
  { ending: '3gp', codecs: ['amr', 'aac'], hasClock: true },
  { ending: 'amr', codecs: ['amr'], hasClock: false },
  { ending: 'wma', codecs: ['wma', 'mp3'], args: ['-f', 'asf'], hasClock: true, tracks: true },
  { ending: 'avi', codecs: ['pcm', 'mp3', 'ac3'], hasClock: false },
  { ending: 'pcm.mov', codecs: ['pcm'], hasClock: false },
  { ending: 'mp3', codecs: ['mp3'], isJoinable: true, hasClock: false },
  { ending: 'aac', codecs: ['aac', 'aac-stereo'], isJoinable: true, hasClock: false },
  { ending: 'ac3', codecs: ['ac3'], isJoinable: true, hasClock: false },
  { ending: 'wav', codecs: ['pcm'], hasClock: false },
  { ending: 'w64', codecs: ['pcm'], hasClock: false },
  { ending: 'flac', codecs: ['pcm'], args: ['-c:a', 'flac'], hasClock: false },
  { ending: 'aiff', codecs: ['pcm'], args: ['-c:a', 'pcm_s24be'], hasClock: false },
  { ending: 'caf', codecs: ['pcm', 'alac'], hasClock: false },
  { ending: 'au', codecs: ['pcm'], args: ['-c:a', 'pcm_mulaw'], hasClock: false },
]
