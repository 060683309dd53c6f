// Test runner settings: files run side by side, each with servers and data folders of its own.
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Tests mostly wait for processes; the default leaves a machine of two cores with one worker.
    maxWorkers: '100%',
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Tests drive real processes: a machine that stalls must not fail a run. What passed only then is named in the report.
    retry: 1,
  },
})
