// VLC gives no text back: the light of its pictures tells if a cue is drawn with all of its words.
import { execFile } from 'node:child_process'
import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, extname } from 'node:path'
import { promisify } from 'node:util'
import type { Shown } from './readers.ts'
import { players } from './transcript.ts'

const run = promisify(execFile)
const framesPerSecond = 10
/** Marks of markup and letters differ in their light; a lost word makes a larger difference. */
const tolerance = 0.08

/** Those of the cues that are as bright as with letters in place of all marks. */
export async function drawnByVlc(file: string, cues: Shown[]): Promise<Shown[]> {
  const letters = `${file}.letters${extname(file)}`
  writeFileSync(letters, withoutMarks(readFileSync(file, 'utf8')))
  const [light, wanted] = [await lightOf(file), await lightOf(letters)]
  return cues.filter(({ start, end }) => {
    const at = Math.round(((start + end) / 2) * framesPerSecond)
    return wanted[at]! > 0.01 && Math.abs(light[at]! / wanted[at]! - 1) < tolerance
  })
}

function withoutMarks(file: string): string {
  return file
    .split('\n')
    .map(line =>
      / --> |^(?:Style|\w+):(?<!Dialogue:)/.test(line)
        ? line
        : line
            .replace(/&(?:amp|lt|gt);|<\u2060|[｛｝]|\\\u2060/g, 'x')
            .replace(/(?<= )[<>&](?= )|&(?=\w|;)|(?<=\w)<(?=\w)/g, 'x'),
    )
    .join('\n')
}

/** The mean light of each frame above black. */
async function lightOf(file: string): Promise<number[]> {
  const ffmpeg = process.env.PLAYERS_FFMPEG!
  const [black, drawn] = [`${file}.avi`, `${file}.ts`]
  const picture = `color=black:s=640x360:r=${framesPerSecond}:d=${Math.ceil(players.duration + 1)}`
  await run(ffmpeg, ['-v', 'error', '-y', '-f', 'lavfi', '-i', picture, '-c:v', 'mpeg4', black])
  const sout = `#transcode{vcodec=mp2v,vb=8000,soverlay}:std{access=file,mux=ts,dst=${drawn}}`
  // VLC refuses to run as root.
  const user = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {}
  if ('uid' in user) chmodSync(dirname(file), 0o777)
  const args = ['-I', 'dummy', '--no-audio', `--sub-file=${file}`, '--sub-track=0', '--sout', sout]
  await run('vlc', [...args, black, 'vlc://quit'], { ...user, env: { ...process.env, HOME: dirname(file) } })
  const stats = 'signalstats,metadata=print:key=lavfi.signalstats.YAVG:file=-'
  const { stdout } = await run(ffmpeg, ['-v', 'error', '-i', drawn, '-vf', stats, '-f', 'null', '-'])
  return [...stdout.matchAll(/YAVG=([\d.]+)/g)].map(([, light]) => Number(light) - 16)
}
