// Looks up models: in the user's own descriptions, in the tables, by family, and else as an assumption for the role.
import type { Model, ModelProvider, ModelRole } from './model.ts'
import { modelFamilies } from './model-families.ts'
import { speechModels } from './speech-models.ts'
import { textModels } from './text-models.ts'

/** Facts from the user, which override the tables. */
export type ModelDescription = Pick<Model, 'name'> & Partial<Model>

export interface ModelCatalog {
  /**
   * Never fails: a name that is unknown, or known for other work, gets the form and limits of the role's first model and
   * no price.
   */
  find(name: string, role: ModelRole): Model
}

/** The model whose form and limits are assumed for an unknown name. */
const assumed: Record<ModelRole, string> = {
  chunk: 'qwen3-asr-flash',
  words: 'qwen3-asr-flash-filetrans',
  speakers: 'fun-asr-mtl',
  'one-pass': 'qwen-audio-3.1-asr-flash-filetrans',
  text: 'qwen-flash',
}

/** Models of `ownProviders` run on engines of the user's own: they cost nothing unless described. */
export function createModelCatalog(
  descriptions: readonly ModelDescription[] = [],
  ownProviders: readonly ModelProvider[] = [],
): ModelCatalog {
  return {
    find(name, role) {
      const known = inTable(name) ?? inTable(withoutSnapshotDate(name))
      const usable = known && workOf(known) === workOf({ roles: [role] }) ? known : undefined
      const description = descriptions.find(described => described.name === name)
      const facts = usable ?? { ...assumption(role), ...familyFacts(name, role) }
      const isOwn = facts.provider === 'dashscope' && ownProviders.includes('dashscope')
      const unfit = known !== usable && !isOwn && !description?.roles
      const model = { ...facts, ...(unfit && { unfit }), ...(isOwn && ownFacts(role)), ...description, name }
      const isFree = role !== 'text' && ownProviders.includes(model.provider) && !description?.price
      return isFree ? { ...model, price: { usdPerSecond: 0 } } : model
    },
  }
}

/**
 * qwen3-asr-service has file tasks alone. They give words and speakers in one pass, whatever the model is called, and ignore
 * context and the number of speakers.
 */
function ownFacts(role: ModelRole): Partial<Model> {
  if (role === 'text') return {}
  const roles: ModelRole[] = role === 'chunk' ? ['chunk', 'words'] : ['words', 'speakers', 'one-pass']
  return { form: 'dashscope-file-list', roles, context: undefined, hotwords: false, speakerCount: false }
}

/** The tables alone, without descriptions of a user. */
export const knownModels: ModelCatalog = createModelCatalog()

function inTable(name: string): Model | undefined {
  return [...speechModels, ...textModels].find(entry => entry.name === name)
}

/** Models of whole files can stand in for each other; a model of chunks cannot be asked for a file. */
function workOf({ roles }: Pick<Model, 'roles'>): 'chunk' | 'text' | 'file' {
  const [role] = roles
  return role === 'chunk' || role === 'text' ? role : 'file'
}

function familyFacts(name: string, role: ModelRole): Partial<Model> {
  const facts = modelFamilies.filter(({ pattern }) => pattern.test(name)).map(family => family.facts)
  const usable = facts.filter(({ roles }) => !roles || workOf({ roles }) === workOf({ roles: [role] }))
  return Object.assign({}, ...usable)
}

function assumption(role: ModelRole): Model {
  const { price: _, retires: __, maxAnswerTokens: ___, ...facts } = inTable(assumed[role])!
  return { ...facts, roles: [role], source: 'assumed: the model is in no table' }
}

/** Snapshots (`…-2026-02-10`) are like their model. */
function withoutSnapshotDate(name: string): string {
  return name.replace(/-\d{4}-\d\d-\d\d$/, '')
}
