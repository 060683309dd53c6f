// The table of formats: those that people record in, with the endings of their files, and all others that ffmpeg may read.

/**
 * Demuxers of ffmpeg, and file endings. `.ts` and `.mts` are left out: they are far more often TypeScript than video.
 */
const recorded: readonly [demuxers: string, endings: string][] = [
  ['mov mp4 m4a 3gp 3g2 mj2', '3ga 3gp 3g2 m4a m4b m4v mov mp4 qta'],
  ['matroska webm', 'mka mkv weba webm'],
  ['ogg', 'oga ogg ogv opus spx'],
  ['mp3', 'mp2 mp3'],
  ['wav w64', 'w64 wav wave'],
  ['aac loas', 'aac'],
  ['ac3 eac3', 'ac3 eac3'],
  ['aiff', 'aif aifc aiff'],
  ['amr', 'amr awb'],
  ['ape', 'ape'],
  ['asf', 'asf wma wmv'],
  ['au', 'au'],
  ['avi', 'avi'],
  ['caf', 'caf'],
  ['dss', 'dss'],
  ['flac', 'flac'],
  ['flv live_flv', 'flv'],
  ['gsm', 'gsm'],
  ['mpeg mpegvideo', 'mpeg mpg vob'],
  ['mpegts', 'm2ts'],
]

/** Old games, discs and broadcasts. */
const others = [
  '3dostr 4xm aa ace acm act adp ads adx aea afc aix alp anm apc apm argo_asf argo_brp argo_cvg ast av1 avr avs',
  'avs2 avs3 bethsoftvid bfi bfstm bink binka boa brstm c93 cavsvideo cdxl cine daud derf dfa dhav dirac dnxhd',
  'dsf dsicin dts dtshd dv dxa ea ea_cdata epaf film_cpk flic frm fsb fwse g723_1 gdv genh gxf h261 h263 h264',
  'hca hcom hevc hnm iamf idcin iff ifv ilbc ingenient ipmovie ircam iss iv8 ivf ivr jv kux kvag laf lmlm4',
  'luodat lvf lxf m4v mca mgsts mjpeg mlp mm mmf mods moflex mpc mpc8 msf msnwctcp msp mtaf mtv musx mv mvi mxf',
  'mxg nc nistsphere nsp nsv nut nuv obu oma osq paf pmp pp_bnk psxstr pva pvf qcp qoa r3d redspark rka rl2 rm',
  'roq rpl rsd rso s337m scd sdns sdr2 sds sdx ser sga shn siff simbiosis_imx smjpeg smk smush sol sox spdif',
  'svag svs swf tak thp tiertexseq tmv truehd tta usm vag vc1 vc1test vividas vivo vmd voc vpk vqf wady wavarc',
  'wc3movie wsaud wsd wsvqa wtv wv wve xa xmd xmv xvag xwma yop',
]

/** Endings of recordings, without the dot. */
export const recordingEndings: ReadonlySet<string> = new Set(
  recorded.flatMap(([, endings]) => endings.split(' ')),
)

/**
 * All audio and video formats of ffmpeg, separated by commas, except those that can open another file or URL. Excluded:
 * playlists and descriptions (hls, concat, dash, sdp, rtsp, imf, webm_dash_manifest, mlv, vobsub), devices (alsa,
 * x11grab, lavfi, …), pictures, subtitles and text. The format is probed from the content, so raw samples and codecs
 * without a header (u8, alaw, g722, …), which only a file name reveals, are excluded too; GSM is recognised by its frames.
 */
export const allowedDemuxers = [...recorded.map(([demuxers]) => demuxers), ...others]
  .join(' ')
  .replaceAll(' ', ',')
