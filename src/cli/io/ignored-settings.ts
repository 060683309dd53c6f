// Logs the variables that a server ignores, by name: their values may hold a password.
import { type Config, unfilledTemplates } from '../../config/config.ts'
import { log } from '../../log.ts'

export function logIgnoredSettings({ unusedProxies }: Config): void {
  for (const name of unfilledTemplates()) log.warn('setting-is-a-template', { name })
  for (const name of unusedProxies) log.warn('proxy-is-not-supported', { name })
}
