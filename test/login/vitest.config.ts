// Runs the login in a real browser: `npm run test:login`.
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/login/*.browser.ts'],
    setupFiles: ['test/support/patient-wait-for.ts', 'test/support/undone-after-file.ts'],
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
})
