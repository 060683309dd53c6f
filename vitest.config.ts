// Test runner settings: files run side by side, each with servers and data folders of its own.
import { defineConfig } from 'vitest/config'

/** Files that put something in a module's place. All others share what a worker has loaded: the fixtures' sound, above all. */
const apart = ['test/unit/jobs/submit/single-read.test.ts', 'test/unit/drivers/ffmpeg/locate.test.ts']

export default defineConfig({
  test: {
    // Tests mostly wait for processes; the default leaves a machine of two cores with one worker.
    maxWorkers: '100%',
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Tests drive real processes: a machine that stalls must not fail a run. What passed only then is named in the report.
    retry: 1,
    projects: [
      {
        extends: true,
        test: { name: 'shared', include: ['test/**/*.test.ts'], exclude: apart, isolate: false },
      },
      { extends: true, test: { name: 'apart', include: apart } },
    ],
  },
})
