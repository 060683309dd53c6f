// Doctor's table of models: asks each one once, and shows whether it lives, when it ends and what an hour costs.
import type { App } from '../../app.ts'
import type { Config } from '../../config/config.ts'
import { type ErrorCode, errors, SpeechError } from '../../domain/errors.ts'
import { knownModels } from '../../domain/models/catalog.ts'
import type { Model, ModelRole } from '../../domain/models/model.ts'
import { usdPerHour } from '../../domain/models/price.ts'
import type { ModelState } from '../../domain/models/probe.ts'
import { deadlines } from '../../domain/network/deadlines.ts'
import type { Finding } from './formatting.ts'

export interface ModelRow extends ModelState {
  model: Model
  roles: ModelRole[]
}

/** US dollars for an hour of speech; absent where a price is unknown. */
export interface HourCosts {
  transcribe?: number
  diarize?: number
  passes: 1 | 2
  /** With the model that the table has for one pass. */
  diarizeInOnePass?: number
  format?: number
}

const timeoutMs = deadlines.doctorModel.totalSeconds * 1000
const onePass = knownModels.find('qwen-audio-3.1-asr-flash-filetrans', 'one-pass')
const listOf = {
  chunk: 'asrModels',
  speakers: 'speakerModels',
  words: 'fileModels',
  text: 'formatModels',
} as const
type ListedRole = keyof typeof listOf
/** Names of models in the order of preference. */
type ModelLists = Pick<Config, (typeof listOf)[ListedRole]>
const settings = [
  { role: 'chunk', setting: 'ASR_MODEL', examples: ['qwen3-asr-flash', 'qwen-audio-3.1-asr-flash'] },
  { role: 'speakers', setting: 'SPEAKER_MODEL', examples: ['fun-asr', onePass.name] },
  { role: 'words', setting: 'FILE_MODEL', examples: ['qwen3-asr-flash-filetrans', onePass.name] },
] as const

/**
 * At most one request to each model, all at once; models of an account whose key fails are not asked. Engines have been
 * asked: `engineError` is the code of the error, undefined where an engine has answered.
 */
export async function askModels(
  { probes, engines }: Pick<App, 'probes' | 'engines'>,
  isKeyGood: boolean,
  engineError: (model: string) => ErrorCode | undefined,
): Promise<ModelRow[]> {
  const rows = probes.map(async ({ model, roles, ask }): Promise<ModelRow> => {
    if (model.provider === 'dashscope' && !isKeyGood)
      return { model, roles, state: 'not asked', detail: 'see key and region' }
    const state = await ask(AbortSignal.timeout(timeoutMs))
    return {
      model,
      roles,
      ...(state.state === 'unfit' && { detail: `no model for ${rolesAsText(roles)}` }),
      ...state,
    }
  })
  const own = engines.map(({ model: name, usdPerSecond }): ModelRow => {
    const price = usdPerSecond === undefined ? {} : { price: { usdPerSecond } }
    const model = { ...knownModels.find(name, 'chunk'), ...price }
    return { model, roles: ['chunk'], ...engineState(engineError(name)) }
  })
  return [...own, ...(await Promise.all(rows))]
}

function engineState(code: ErrorCode | undefined): ModelState {
  if (!code) return { state: 'alive' }
  // Without ffmpeg there is no speech to send.
  if (code.startsWith('FFMPEG_')) return { state: 'not asked', detail: 'see ffmpeg' }
  return { state: code === 'MODEL_NOT_FOUND' ? 'gone' : 'refused', code, detail: 'see your own engine' }
}

/** Counts the models by state. Throws for a role whose models all cannot be used; text may stay as it is. */
export function describeModels(rows: ModelRow[]): Finding {
  for (const { role, setting, examples } of settings) {
    const own = rows.filter(({ roles }) => roles.includes(role))
    if (own.length === 0 || own.some(isUsable)) continue
    const names = own.map(({ model, code, detail }) => `${model.name} (${code ?? detail})`)
    const example = examples.find(name => !own.some(({ model }) => model.name === name)) ?? examples[0]
    const code = own.find(({ state }) => state === 'refused')?.code ?? 'MODEL_NOT_FOUND'
    throw new SpeechError(code, `No model of ${setting} can be used: ${names.join(', ')}.`, {
      hint:
        code === 'MODEL_NOT_FOUND' && own[0]!.model.provider === 'dashscope'
          ? `Set ${setting} to a model that exists in the region, such as ${example}.`
          : errors[code],
    })
  }
  const counts = ['alive', 'gone', 'refused', 'unfit', 'not asked'].flatMap(state => {
    const count = rows.filter(row => row.state === state).length
    return count > 0 ? [`${count} ${state}`] : []
  })
  return { isOn: rows.some(({ state }) => state === 'alive'), text: counts.join(', ') }
}

function isUsable({ state }: ModelRow): boolean {
  return state === 'alive' || state === 'not asked'
}

/** By the models that would answer: the first of each list that lives. */
export function hourCosts(rows: ModelRow[], config: ModelLists): HourCosts {
  const answering = (role: ListedRole) => {
    const living = rows.filter(row => row.roles.includes(role) && isUsable(row))
    const name = config[listOf[role]].find(name => living.some(({ model }) => model.name === name))
    return living.find(({ model }) => model.name === name)?.model
  }
  const costOf = (models: (Model | undefined)[]) => {
    const costs = models.map(model => model && usdPerHour(model))
    return costs.includes(undefined) ? undefined : costs.reduce<number>((sum, cost) => sum + cost!, 0)
  }
  const passes = [answering('words'), answering('speakers')]
  const both = passes.find(model => model?.roles.includes('one-pass'))
  return {
    transcribe: costOf([answering('chunk')]),
    diarize: costOf(both ? [both] : passes),
    passes: both ? 1 : 2,
    diarizeInOnePass: usdPerHour(onePass),
    format: costOf([answering('text')]),
  }
}

const roleNames: Partial<Record<ModelRole, string>> = { chunk: 'chunks', text: 'formatting' }

function rolesAsText(roles: ModelRole[]): string {
  return roles.map(role => roleNames[role] ?? role).join(', ')
}

/** Lines of a table, and a sentence about the cost of an hour. */
export function modelTable(rows: ModelRow[], costs: HourCosts): string {
  const cells = rows.map(({ model, roles, state, code, detail }) => [
    model.name,
    rolesAsText(roles),
    [state, state === 'refused' ? code : undefined, detail && `(${detail})`].filter(Boolean).join(' '),
    model.retires?.date ?? '',
    model.retires?.successor ?? '',
    usd(usdPerHour(model)),
  ])
  const table = [['model', 'for', 'state', 'ends', 'then', 'an hour'], ...cells]
  const widths = table[0]!.map((_, i) => Math.max(...table.map(row => row[i]!.length)))
  const lines = table.map(row =>
    row
      .map((cell, i) => cell.padEnd(widths[i]!))
      .join('  ')
      .trimEnd(),
  )
  return `${lines.join('\n')}\n${describeCosts(costs)}\n`
}

function describeCosts({ transcribe, diarize, passes, diarizeInOnePass, format }: HourCosts): string {
  const other = passes === 2 ? ` (in one pass with ${onePass.name} at most ${usd(diarizeInOnePass)})` : ''
  const speakers = `with speakers ${usd(diarize)} in ${passes === 2 ? 'two passes' : 'one pass'}${other}`
  return `An hour of speech costs ${usd(transcribe)}, ${speakers}, and formatting its text about ${usd(format)}.`
}

function usd(amount: number | undefined): string {
  return amount === undefined ? 'unknown' : `$${amount.toFixed(3)}`
}

/** For `--json`. */
export function modelsAsJson(rows: ModelRow[], costs: HourCosts): object {
  const { diarizeInOnePass, ...others } = costs
  return {
    models: rows.map(({ model, roles, ...state }) => ({
      name: model.name,
      for: roles,
      ...state,
      ...(model.retires && { ends: model.retires.date, successor: model.retires.successor }),
      usd_per_hour: usdPerHour(model),
    })),
    usd_per_hour: { ...others, diarize_in_one_pass: diarizeInOnePass },
  }
}
