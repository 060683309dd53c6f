// `transcribe` and `diarize` for several recordings: the inputs, the plan and its price, the work, and a report.
import { dirname, parse } from 'node:path'
import type { App } from '../../app.ts'
import type { BatchPlan } from '../../domain/batch/batch.ts'
import { formatUsd } from '../../domain/costs/budget.ts'
import { codeOf, SpeechError } from '../../domain/errors.ts'
import { localOwner } from '../../domain/job.ts'
import { deadlines } from '../../domain/network/deadlines.ts'
import { plural } from '../../domain/text.ts'
import type { Transcript } from '../../domain/transcript.ts'
import { checkFormat, type FormatName, outputFormats, renderFormat } from '../../formats/index.ts'
import type { PresetName } from '../../formats/subtitles/presets.ts'
import type { Invocation } from '../command.ts'
import { givenPath, isAddress } from '../io/given-path.ts'
import { runInteractive, type Session } from '../io/interactive.ts'
import { parseFormat, parsePreset } from '../io/output.ts'
import { agree, parseMaxCost } from './agree.ts'
import { type BatchInputs, isFolder, readInputs } from './inputs.ts'
import {
  makeOutputFolders,
  type NamedRecording,
  nameOutputs,
  type OutputNames,
  onAnyDisk,
  shownPath,
  tryOutputFolders,
} from './output-names.ts'
import { reportToPeople, reportToScripts } from './report.ts'
import { type BatchWork, runBatch } from './run-batch.ts'

/** Requests that are paid for end within this time after Ctrl-C. */
const drainSeconds = deadlines.shutdown.totalSeconds

export const batchFlags = {
  out: {
    help: 'write the texts into this folder, which keeps the folders of the recordings; default: beside each one',
  },
  'max-cost': { help: 'US dollars that all together may cost; asks no question; default: asks' },
}

export const batchSwitches = {
  recursive: { short: 'r', help: 'look into the folders of folders, too' },
  yes: { short: 'y', help: 'pay without a question' },
  overwrite: { help: 'write over files that this program did not write' },
  json: { help: 'print one JSON object a line: the plan, each recording, the end' },
}

export interface BatchOptions {
  overwrite: boolean
  outDir?: string
  formats: FormatName[]
  preset?: PresetName | undefined
  check: boolean
}

/** The tool and its options, for each recording. */
export type RecordingTask = Pick<BatchWork, 'tool' | 'options'>

/** Resolves with the exit code: 1 if a recording failed, 3 if something is missing, 130 after Ctrl-C. */
export async function transcribeBatch(invocation: Invocation, task: RecordingTask): Promise<number> {
  const { config, words, flags, switches } = invocation
  const options = parseBatchOptions(invocation)
  const maxCostUsd = parseMaxCost(flags['max-cost'])
  const inputs = await readInputs(words)
  if (!inputs) return 130
  const json = switches.has('json')
  const consent = {
    yes: switches.has('yes'),
    maxCostUsd,
    canAsk: process.stdin.isTTY === true && inputs.stdin === undefined && !json,
  }
  try {
    return await runInteractive(
      { ...config, allowedDirs: foldersOf(inputs, config) },
      async session => {
        const { app, signal, bar } = session
        const report = json ? reportToScripts(bar) : reportToPeople(bar)
        if (inputs.leftOut > 0)
          report.note(
            `${plural(inputs.leftOut, 'text')} among the inputs ${inputs.leftOut === 1 ? 'is' : 'are'} left out.`,
          )
        const plan = await planOf(inputs, task, session, switches.has('recursive'))
        report.plan(plan)
        const names = namesOf(plan, options, inputs.stdin)
        const folders = plan.recordings.length > 0 ? names.folders : []
        await tryOutputFolders(folders)
        const agreement = await agree(plan, consent, signal)
        if (!agreement) return signal.aborted ? 130 : 1
        await makeOutputFolders(folders)
        const { limitUsd, hasOthersOnTop } = agreement
        const allowance =
          limitUsd === undefined ? undefined : await app.jobs.limitCost(localOwner, plan, limitUsd)
        if (limitUsd !== undefined && allowance && allowance.usd < limitUsd)
          report.note(`The limit of the day leaves ${formatUsd(allowance.usd)} for them.`)
        const write = createWriter(app, names, options)
        const work = { ...task, write, report, signal, allowance, hasOthersOnTop, onProgress: bar.show }
        const { exitCode } = await runBatch(app, plan, work).finally(() =>
          allowance?.close({ isOver: !signal.aborted }),
        )
        report.end(exitCode)
        return exitCode
      },
      { drainSeconds, onStop: sayStopping },
    )
  } finally {
    await inputs.close()
  }
}

export function sayStopping(): void {
  process.stderr.write(
    '\nStopping: requests under way end first. The same command goes on later. Ctrl-C again stops at once.\n',
  )
}

export function parseBatchOptions({ flags, lists, switches }: Invocation): BatchOptions {
  if (lists.output)
    throw new SpeechError(
      'BAD_INPUT',
      'The flag --output names one file, and there may be several recordings.',
      {
        hint: 'Use --out FOLDER, and -f for the format.',
      },
    )
  if (flags.title !== undefined)
    throw new SpeechError('BAD_INPUT', 'The flag --title is for one recording.', { hint: 'Leave it out.' })
  const advice = 'Separate several by commas. To format the text, use --readable.'
  const formats = (flags.format ?? 'txt').split(',').map(name => parseFormat(name.trim(), advice))
  return {
    formats: [...new Set(formats)],
    preset: parsePreset(flags.preset),
    check: switches.has('check'),
    overwrite: switches.has('overwrite'),
    ...(flags.out !== undefined && { outDir: givenPath(flags.out) }),
  }
}

/** Files that the user names may be read, wherever they are, unless folders are configured. */
export function foldersOf({ sources, stdin }: BatchInputs, config: Invocation['config']): string[] {
  const own = stdin === undefined ? [] : [dirname(stdin)]
  if (config.allowedDirsGiven) return [...config.allowedDirs, ...own]
  const roots = sources.filter(source => !isAddress(source)).map(source => parse(source).root)
  return [...new Set([...roots, ...config.allowedDirs])]
}

async function planOf(
  { sources }: BatchInputs,
  { tool, options }: RecordingTask,
  { app, signal, bar }: Session,
  recursive: boolean,
): Promise<BatchPlan> {
  const caller = { tool, owner: localOwner, signal, onProgress: bar.show }
  try {
    return await app.jobs.plan({ sources, options, recursive }, caller)
  } catch (error) {
    if (recursive || codeOf(error) !== 'FILE_NOT_FOUND' || !sources.some(isFolder)) throw error
    throw new SpeechError('FILE_NOT_FOUND', 'The folder itself has no recording.', {
      hint: '--recursive looks into the folders inside. Recordings are known by endings such as m4a, mp3, wav or mp4.',
    })
  } finally {
    bar.clear()
  }
}

function namesOf(
  { recordings, copies }: BatchPlan,
  { outDir, overwrite }: BatchOptions,
  stdin: string | undefined,
): OutputNames {
  const temporaryDir = stdin === undefined ? undefined : dirname(stdin)
  return nameOutputs([...recordings, ...copies], {
    outDir,
    overwrite,
    temporaryDir,
    workingDir: process.cwd(),
  })
}

/** `takenPaths`: by path of an output, the recording that has it in this run of the program. */
export function createWriter(
  { jobs }: App,
  names: OutputNames,
  { formats, preset, check, overwrite }: BatchOptions,
  takenPaths = new Map<string, string>(),
): BatchWork['write'] {
  async function writeOne(transcript: Transcript, recording: NamedRecording, format: FormatName) {
    const content = await renderFormat(transcript, format, { preset })
    const { extension } = outputFormats[format]
    for (const path of names.candidates(recording, format)) {
      const key = onAnyDisk(path)
      if ((takenPaths.get(key) ?? recording.audio) !== recording.audio) continue
      takenPaths.set(key, recording.audio)
      try {
        const request = { path, extension, content, overwrite, isOwnChoice: true }
        const { isEdited } = await jobs.save(localOwner, transcript.id, request)
        if (!isEdited) return { path, notes: [] }
        return {
          path,
          notes: [`${shownPath(path)} was changed by somebody, and stays; --overwrite replaces it.`],
        }
      } catch (error) {
        takenPaths.delete(key)
        if (codeOf(error) !== 'FILE_EXISTS') throw error
      }
    }
    throw new SpeechError('FILE_EXISTS', 'Other files have all names of the output.', {
      hint: `Use --out FOLDER; \`speech-mcp export ${transcript.id} -o …\` writes this one.`,
    })
  }

  return async (transcript, recording) => {
    const files: string[] = []
    const notes: string[] = []
    let isWithinRules = true
    for (const format of formats) {
      const written = await writeOne(transcript, recording, format)
      files.push(written.path)
      notes.push(...written.notes)
      const broken = check ? await checkFormat(transcript, format, { preset }) : []
      notes.push(...broken)
      isWithinRules &&= broken.length === 0
    }
    return { files, notes, isWithinRules }
  }
}
