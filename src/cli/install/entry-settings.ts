// The settings that an entry gets, as the client hands them to the program in another working folder and environment.
import { delimiter } from 'node:path'
import {
  type Config,
  canRunJobs,
  cleanValue,
  type Environment,
  namesOpenAi,
  readConfig,
  variable,
} from '../../config/config.ts'
import { settings } from '../../config/settings.ts'
import { SpeechError } from '../../domain/errors.ts'
import type { Invocation } from '../command.ts'
import { isSecretName } from './describe-change.ts'
import { isRecord } from './records.ts'

const paths = [settings.ffmpegPath, settings.dataDir, settings.allowedDirs]

/** Settings that were given as flags. A key on the command line would stay in the shell's history. */
export function settingsOfFlags(flags: Invocation['flags']): Record<string, string> {
  const given = Object.values(settings).filter(({ flag }) => flags[flag] !== undefined)
  const secret = given.find(({ env }) => isSecretName(env))
  if (secret)
    throw new SpeechError('BAD_INPUT', `--${secret.flag} is not taken from the command line.`, {
      hint:
        secret.env === settings.apiKey.env
          ? `Set ${secret.env} in the environment, or let the command ask for it.`
          : `Write ${secret.env} into the client’s file after the installation.`,
    })
  return Object.fromEntries(given.map(({ env, flag }) => [env, withFullPaths(env, flags[flag]!)]))
}

/**
 * Settings of the environment that decide where audio goes, and with which key: without them the program would ask
 * another server than the user has. Where the entry is enough and no other key is given, what is in the entry counts.
 */
export function settingsOfEnvironment(
  config: Config,
  flags: Invocation['flags'],
  isEnough: boolean,
): Record<string, string> {
  const { apiKey, baseUrl, fileHost, asrModels, speakerModels, fileModels, modelDescriptions } = settings
  const isKept = isEnough && config.apiKey === undefined
  const isOfEntry = isKept && [asrModels, modelDescriptions].every(({ flag }) => flags[flag] === undefined)
  const names = [apiKey, baseUrl, fileHost, asrModels, speakerModels, fileModels, modelDescriptions]
  const used = [
    ...(isKept ? [] : names),
    // Other programs read these too.
    ...(namesOpenAi(config) && !isOfEntry ? [settings.openaiUrl, settings.openaiKey] : []),
  ]
  return Object.fromEntries(
    used.flatMap(({ env }) => {
      const value = variable(env)
      return value === undefined ? [] : [[env, value]]
    }),
  )
}

/** True if recognition needs nothing but the settings of the client's entry. */
export function isEnoughAlone(env: unknown): boolean {
  if (!isRecord(env)) return false
  if (env[settings.apiKey.env]) return true
  try {
    return canRunJobs(readConfig(env as Environment))
  } catch {
    return false
  }
}

/** A value that counts as unset stays so. */
function withFullPaths(name: string, text: string): string {
  const setting = paths.find(({ env }) => env === name)
  const value = cleanValue(text)
  if (!setting || value === undefined) return text
  return [setting.schema.parse(value)].flat().join(delimiter) || text
}
