// speech-mcp watch FOLDER: transcribes each recording that appears in a folder, until a signal.
import { realpath, stat } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import type { BatchPlan } from '../../domain/batch/batch.ts'
import { formatUsd } from '../../domain/costs/budget.ts'
import { describeError, isCommon, isSpeechError, SpeechError } from '../../domain/errors.ts'
import { localOwner } from '../../domain/job.ts'
import { asLine } from '../../domain/text.ts'
import { ensureBelow, parseMaxCost } from '../batch/agree.ts'
import {
  batchFlags,
  batchSwitches,
  createWriter,
  parseBatchOptions,
  sayStopping,
} from '../batch/batch-command.ts'
import { makeOutputFolders, nameOutputs, shownPath, tryOutputFolders } from '../batch/output-names.ts'
import { type Report, reportToPeople, reportToScripts, withErrorEvents } from '../batch/report.ts'
import { noResult, runBatch } from '../batch/run-batch.ts'
import type { Command, Invocation } from '../command.ts'
import { givenPath } from '../io/given-path.ts'
import { runInteractive, type Session } from '../io/interactive.ts'
import { outputFlags, outputSwitches } from '../io/output.ts'
import { createAppearing } from './appearing.ts'
import { createRetries } from './retries.ts'

const defaultSettleSeconds = 5
const maxLookMs = 2_000
const drainSeconds = 10

export const watch: Command = {
  usage: 'speech-mcp watch FOLDER',
  help: 'Transcribe each recording that appears in a folder, until Ctrl-C.',
  details: [
    'A file that is still being written waits until it has stayed the same for --settle seconds. Recordings that are there at the start are left alone, unless --existing; those that are done already cost nothing.',
    'Each recording is paid for without a question, up to SPEECH_MAX_COST_USD; --max-cost limits all together.',
  ].join('\n'),
  takesArguments: true,
  completes: 'folders',
  flags: {
    format: outputFlags.format,
    preset: outputFlags.preset,
    out: batchFlags.out,
    'max-cost': { help: 'US dollars that all together may cost; then it ends; default: no limit' },
    settle: {
      help: `seconds without a change, after which a file is whole; default: ${defaultSettleSeconds}`,
    },
    language: { short: 'l', help: 'ISO code or English name; default: detected' },
    context: { short: 'c', help: 'names and terms to expect, as a list or as prose; default: none' },
  },
  switches: {
    ...outputSwitches,
    diarize: { help: 'with speakers' },
    existing: { help: 'also what is there at the start' },
    recursive: batchSwitches.recursive,
    overwrite: batchSwitches.overwrite,
    json: { help: 'print one JSON object a line for each recording' },
    readable: { help: 'also add punctuation, capitals and paragraphs without changing a word' },
  },
  examples: [
    ['watch ~/Recordings --out ~/Texts', 'Writes a text for each new recording.'],
    ['watch calls/ -r --diarize --existing --max-cost 20', 'With speakers, also for those that are there.'],
  ],
  run: invocation => withErrorEvents(invocation.switches.has('json'), () => watchFolder(invocation)),
}

async function watchFolder(invocation: Invocation): Promise<number> {
  const { config, words, flags, switches } = invocation
  const [given, ...more] = words
  if (!given || more.length > 0)
    throw new SpeechError('BAD_INPUT', 'Exactly one folder is required.', {
      hint: 'Run `speech-mcp watch FOLDER`; -r watches the folders inside, too.',
    })
  const folder = await realFolder(givenPath(given))
  const options = parseBatchOptions(invocation)
  const maxCostUsd = parseMaxCost(flags['max-cost'])
  const settleMs = 1000 * parseSettle(flags.settle)
  const tool = switches.has('diarize') ? ('diarize_audio' as const) : ('transcribe_audio' as const)
  const request = {
    ...(flags.language && { language: flags.language }),
    ...(flags.context && { context: flags.context }),
    ...(switches.has('readable') && { format: 'faithful' as const }),
  }
  if (options.outDir !== undefined) {
    await tryOutputFolders([options.outDir])
    await makeOutputFolders([options.outDir])
  }
  const allowedDirs = config.allowedDirsGiven ? config.allowedDirs : [...config.allowedDirs, folder]

  async function work({ app, signal, bar }: Session): Promise<number> {
    let spentUsd = 0
    /** Of the recordings that were begun last. */
    let resultsUsd = 0
    /** A recording of hours does not keep the next ones waiting, unless what it costs is limited. */
    const running = new Set<Promise<void>>()
    let failure: unknown
    const report = switches.has('json') ? reportToScripts(bar) : reportToPeople(bar)
    const look = { folder, recursive: switches.has('recursive'), signal }
    const appeared = createAppearing({ settleMs, existing: switches.has('existing') })
    const retries = createRetries()
    /** By real path: the path in the folder, which names the output. */
    const names = new Map<string, string>()
    /** By path of an output: the recording that has it. */
    const takenPaths = new Map<string, string>()
    const counted: Report = {
      ...report,
      // The others go on, or the watch ends and says why.
      note: () => {},
      result(result) {
        resultsUsd += result.costUsd ?? 0
        report.result(result)
        retries.add(result, performance.now())
      },
    }

    /** Throws what every further recording would meet, too. */
    async function transcribe(paths: string[]): Promise<void> {
      const plan = await planOf(paths)
      if (!plan) return
      // Names keep the folders in which the recordings lie.
      const named = <T extends { audio: string; name: string }>(one: T) => {
        return { ...one, name: names.get(one.audio) ?? one.name }
      }
      const whole = { ...plan, recordings: plan.recordings.map(named), copies: plan.copies.map(named) }
      const outputs = nameOutputs([...whole.recordings, ...whole.copies], { ...options, workingDir: folder })
      const leftUsd = ensureAffordable(plan)
      await makeOutputFolders(outputs.folders)
      const allowance =
        leftUsd === undefined ? undefined : await app.jobs.limitCost(localOwner, plan, leftUsd)
      const write = createWriter(app, outputs, options, takenPaths)
      const todo = { tool, options: request, write, report: counted, signal, allowance, onProgress: bar.show }
      resultsUsd = 0
      const { stop } = await runBatch(app, whole, todo).finally(async () => {
        const usedUsd = await allowance?.close({ isOver: !signal.aborted })
        // A failed recording has a cost without a result; the last payments may not be recorded yet.
        spentUsd += Math.max(resultsUsd, usedUsd ?? 0)
      })
      bar.clear()
      if (stop && stop.code !== 'PROVIDER_UNREACHABLE') throw stop
    }

    /** A single recording that is gone by now, or cannot be read, fails by itself, as one of several does. */
    async function planOf(paths: string[]): Promise<BatchPlan | undefined> {
      try {
        const order = { sources: paths, options: request }
        return await app.jobs.plan(order, { tool, owner: localOwner, signal })
      } catch (error) {
        const [audio, ...more] = paths
        if (audio === undefined || more.length > 0 || !isSpeechError(error) || isCommon(error.code))
          throw error
        // With the disk of the folder gone it waits for it.
        const outcome = (await isMissing(folder)) ? ('waiting' as const) : ('failed' as const)
        const failure = outcome === 'failed' ? { error } : {}
        counted.result({ ...noResult({ audio, name: shownPath(audio) }, outcome), ...failure })
        return undefined
      }
    }

    /** Returns what is left of the limit, in US dollars. */
    function ensureAffordable(plan: BatchPlan): number | undefined {
      if (maxCostUsd === undefined) return undefined
      if (plan.usd === undefined) ensureBelow(plan, maxCostUsd)
      const { usd = 0 } = plan
      if (spentUsd + usd <= maxCostUsd) return maxCostUsd - spentUsd
      const costs = `${formatUsd(spentUsd)} are spent, and the next recordings may cost ${formatUsd(usd)}`
      throw new SpeechError('COST_TOO_HIGH', `${costs}, more than --max-cost ${formatUsd(maxCostUsd)}.`, {
        hint: 'Nothing more was sent. Start again with a higher limit.',
      })
    }

    function begin(paths: string[]): void {
      const earlier = maxCostUsd === undefined ? undefined : Promise.all(running)
      const work = Promise.resolve(earlier)
        .then(() => (failure === undefined && !signal.aborted ? transcribe(paths) : undefined))
        .catch(error => {
          failure ??= error
        })
        .finally(() => running.delete(work))
      running.add(work)
    }

    let isFirst = true
    let isGone = false
    while (!signal.aborted) {
      try {
        const files = await app.jobs.recordingsOf(look)
        for (const { path, inside } of files) names.set(path, inside)
        isGone = false
        const now = performance.now()
        const paths = [...retries.take(now), ...appeared(files, now)]
        // Only after the first look: a file that comes from here on has appeared.
        if (isFirst) process.stderr.write(`Watching ${asLine(folder)}. Ctrl-C ends it.\n`)
        isFirst = false
        if (paths.length > 0) begin(paths)
      } catch (error) {
        if (signal.aborted) break
        if (!(await isMissing(folder))) throw error
        // A disk may be plugged in again.
        if (!isGone) process.stderr.write(`Note: ${describeError(error)} Waiting for the folder.\n`)
        isGone = true
      }
      if (failure !== undefined) break
      await sleep(Math.min(maxLookMs, Math.max(20, settleMs / 4)), undefined, { signal }).catch(() => {})
    }
    await Promise.all(running)
    if (failure !== undefined && !signal.aborted) throw failure
    return 0
  }

  return runInteractive({ ...config, allowedDirs }, work, { drainSeconds, onStop: sayStopping })
}

function isMissing(folder: string): Promise<boolean> {
  return stat(folder).then(
    () => false,
    () => true,
  )
}

async function realFolder(path: string): Promise<string> {
  const folder = await realpath(path).catch(cause => {
    throw new SpeechError('FILE_NOT_FOUND', `No folder exists at ${path}.`, {
      hint: 'Check the spelling.',
      cause,
    })
  })
  if ((await stat(folder)).isDirectory()) return folder
  throw new SpeechError('BAD_INPUT', `${path} is no folder.`, {
    hint: 'Run `speech-mcp transcribe` for one recording.',
  })
}

function parseSettle(given: string | undefined): number {
  if (given === undefined) return defaultSettleSeconds
  const seconds = Number(given)
  if (given.trim() !== '' && seconds >= 0 && seconds <= 3600) return seconds
  throw new SpeechError('BAD_INPUT', 'The seconds of --settle are invalid.', {
    hint: 'Use a number from 0 to 3600.',
  })
}
