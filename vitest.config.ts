// Test runner settings: files run side by side, each with servers and data folders of its own.
import { readFileSync, writeFileSync } from 'node:fs'
import { availableParallelism, getPriority, setPriority } from 'node:os'
import { defineConfig } from 'vitest/config'
import { LongestFirst } from './test/support/longest-first.ts'

/** Files that replace a module for all who import it. All others share what a worker has loaded, above all the fixtures' audio. */
const replacingModules = [
  'test/unit/jobs/submit/single-read.test.ts',
  'test/unit/drivers/ffmpeg/locate.test.ts',
  'test/unit/drivers/download/proxy.test.ts',
]

/** Not part of the inner loop (`npm run test:unit`): tests with ffmpeg, emulators, processes or real waits, and long property tests. */
const slowUnits = [
  'test/unit/jobs/**/*.test.ts',
  'test/unit/pipeline/{audio,clips,voices,file-tasks}/**/*.test.ts',
  'test/unit/pipeline/chunks/plausible-length.test.ts',
  'test/unit/drivers/asr/file-asr/emulated-tasks*.test.ts',
  'test/unit/drivers/asr/{chunk-asr,input-audio,mutated-answers,openai-asr}.test.ts',
  'test/unit/drivers/{patience,proxied-services,http/http,llm/text-models}.test.ts',
  'test/unit/formats/{cues,docx,presets}.test.ts',
  'test/unit/pipeline/diarization/{error-rates,segments}.test.ts',
  'test/unit/pipeline/faithfulness/{broken-answers,properties}.test.ts',
  'test/unit/pipeline/formatting/{format-text,format-segments,unusual-segments,unusual-text}.test.ts',
]

const cores = availableParallelism()

/** Between a usual one and that of ffmpeg, which would wait for the tests and their servers. */
const priority = 5
if (getPriority() < priority) setPriority(priority)
lowerSession()

/** On Linux, until the tests end: the session may be that of a terminal. */
function lowerSession(): void {
  const file = '/proc/self/autogroup'
  try {
    const usual = /nice (-?\d+)/.exec(readFileSync(file, 'utf8'))![1]!
    // This file is read more than once.
    if (Number(usual) >= priority) return
    writeFileSync(file, String(priority))
    process.once('exit', () => writeFileSync(file, usual))
  } catch {
    // Only priorities differ without it.
  }
}

export default defineConfig({
  test: {
    testTimeout: 60_000,
    hookTimeout: 60_000,
    setupFiles: ['test/support/patient-wait-for.ts', 'test/support/undone-after-file.ts'],
    // Files that have not changed are not transformed again.
    experimental: { fsModuleCache: true },
    sequence: { sequencer: LongestFirst },
    // Each project runs after the one before: a worker that goes on with another project starts again.
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['test/unit/**/*.test.ts', 'test/architecture.test.ts'],
          exclude: [...slowUnits, ...replacingModules],
          isolate: false,
          maxWorkers: cores,
          sequence: { groupOrder: 2 },
        },
      },
      {
        extends: true,
        test: {
          name: 'integration',
          include: [...slowUnits, 'test/{contracts,e2e,emulators}/**/*.test.ts'],
          exclude: replacingModules,
          isolate: false,
          globalSetup: 'test/support/build-dist.ts',
          testTimeout: 120_000,
          // These tests wait for processes and timers for two thirds of their time: more workers keep all cores busy.
          maxWorkers: Math.min(3 * cores, cores + 4),
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: {
          name: 'isolated',
          include: replacingModules,
          maxWorkers: cores,
          sequence: { groupOrder: 3 },
        },
      },
    ],
  },
})
