// The settings that an entry gets, as the client hands them to the program in another working folder and environment.
import { delimiter } from 'node:path'
import { type Config, cleanValue, namesOpenAi, variable } from '../../config/config.ts'
import { settings } from '../../config/settings.ts'
import { SpeechError } from '../../domain/errors.ts'
import type { Invocation } from '../command.ts'
import { isSecretName } from './describe-change.ts'

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
 * another server than the user has. Where the key of the entry stays, what is in the entry counts.
 */
export function settingsOfEnvironment(config: Config, hasKey: boolean): Record<string, string> {
  const { apiKey, baseUrl, fileHost, asrModels, speakerModels, fileModels, modelDescriptions } = settings
  const isKept = hasKey && config.apiKey === undefined
  const names = [apiKey, baseUrl, fileHost, asrModels, speakerModels, fileModels, modelDescriptions]
  const used = [
    ...(isKept ? [] : names),
    // Other programs read these too.
    ...(namesOpenAi(config) ? [settings.openaiUrl, settings.openaiKey] : []),
  ]
  return Object.fromEntries(
    used.flatMap(({ env }) => {
      const value = variable(env)
      return value === undefined ? [] : [[env, value]]
    }),
  )
}

/** A value that counts as unset stays so. */
function withFullPaths(name: string, text: string): string {
  const setting = paths.find(({ env }) => env === name)
  const value = cleanValue(text)
  if (!setting || value === undefined) return text
  return [setting.schema.parse(value)].flat().join(delimiter) || text
}
