// Test runner settings: files run side by side, each with servers and data folders of its own.
import { defineConfig } from 'vitest/config'

/** Files that replace a module for all who import it. All others share what a worker has loaded, above all the fixtures' audio. */
const replacingModules = [
  'test/unit/jobs/submit/single-read.test.ts',
  'test/unit/drivers/ffmpeg/locate.test.ts',
]

export default defineConfig({
  test: {
    // Tests mostly wait for processes; the default leaves a machine of two cores with one worker.
    maxWorkers: '100%',
    testTimeout: 60_000,
    hookTimeout: 60_000,
    globalSetup: 'test/support/build-dist.ts',
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['test/unit/**/*.test.ts'],
          exclude: replacingModules,
          isolate: false,
        },
      },
      {
        extends: true,
        test: {
          name: 'integration',
          include: ['test/*.test.ts', 'test/{contracts,e2e,emulators}/**/*.test.ts'],
          isolate: false,
        },
      },
      { extends: true, test: { name: 'isolated', include: replacingModules } },
    ],
  },
})
