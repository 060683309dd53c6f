// Runs the contracts against the real services: `npm run test:live`, with the settings of a team in the environment.
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/live/*.live.ts'],
    // One account, one set of tables.
    fileParallelism: false,
    testTimeout: 180_000,
    hookTimeout: 180_000,
  },
})
