// The demuxers that ffmpeg may use: all audio and video formats except those that can open another file or URL.
import type { Source } from '../source/source.ts'

/**
 * Excluded: playlists and descriptions (hls, concat, dash, sdp, rtsp, imf, webm_dash_manifest, mlv, vobsub),
 * devices (alsa, x11grab, lavfi, …), pictures, subtitles and text. The format is probed from the content, so raw
 * samples and codecs without a header (u8, alaw, g722, …), which only a file name reveals, are excluded too.
 */
const allowedDemuxers = [
  '3dostr 4xm aa aac ac3 ace acm act adp ads adx aea afc aiff aix alp amr anm apc ape apm',
  'argo_asf argo_brp argo_cvg asf ast au av1 avi avr avs avs2 avs3 bethsoftvid bfi bfstm bink binka boa',
  'brstm c93 caf cavsvideo cdxl cine daud derf dfa dhav dirac dnxhd dsf dsicin dss dts dtshd dv dxa ea',
  'ea_cdata eac3 epaf film_cpk flac flic flv frm fsb fwse g723_1 gdv',
  'genh gxf h261 h263 h264 hca hcom hevc hnm iamf idcin iff ifv ilbc ingenient ipmovie ircam iss iv8 ivf ivr jv',
  'kux kvag laf live_flv lmlm4 loas luodat lvf lxf m4v matroska webm mca mgsts mjpeg mlp mm mmf mods moflex mov',
  'mp4 m4a 3gp 3g2 mj2 mp3 mpc mpc8 mpeg mpegts mpegvideo msf msnwctcp msp mtaf mtv musx mv mvi mxf mxg nc',
  'nistsphere nsp nsv nut nuv obu ogg oma osq paf pmp pp_bnk psxstr pva pvf qcp qoa r3d redspark rka rl2 rm roq rpl rsd',
  'rso s337m scd sdns sdr2 sds sdx ser sga shn siff simbiosis_imx smjpeg',
  'smk smush sol sox spdif svag svs swf tak thp tiertexseq tmv truehd tta',
  'usm vag vc1 vc1test vividas vivo vmd voc vpk vqf w64 wady wav wavarc wc3movie wsaud wsd wsvqa',
  'wtv wv wve xa xmd xmv xvag xwma yop',
]
  .join(' ')
  .replaceAll(' ', ',')

export type InputFile = Pick<Source, 'file' | 'inputOptions'>

/** ffmpeg arguments that open a file and nothing that the file names. */
export function inputArguments({ file, inputOptions = [] }: InputFile): string[] {
  return [
    ...inputOptions,
    '-protocol_whitelist',
    'file',
    '-format_whitelist',
    allowedDemuxers,
    '-i',
    `file:${file}`,
  ]
}

/** Formats that can make a program open other files or URLs; their refusal gets an error of its own. */
export const playlistDemuxers =
  /^(?:hls|applehttp|concat|dash|sdp|rtsp|rtp|sap|imf|webm_dash_manifest|mlv|vobsub)\b/
