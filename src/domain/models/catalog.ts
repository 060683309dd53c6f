// Looks up models: in the user's own descriptions, in the tables, by family, and else as an assumption for the role.
import type { Model, ModelProvider, ModelRole } from './model.ts'
import { modelFamilies } from './model-families.ts'
import { speechModels, type TableEntry } from './speech-models.ts'
import { textModels } from './text-models.ts'

/** What a user says about a model; it overrides the tables. */
export type ModelDescription = Pick<TableEntry, 'name'> & Partial<TableEntry>

export interface CatalogOptions {
  descriptions?: readonly ModelDescription[]
  /** Providers that are the user's own servers: their models cost nothing unless a description has a price. */
  ownProviders?: readonly ModelProvider[]
}

export interface ModelCatalog {
  /** Never fails: an unknown name gets the form of the role's first model, no price, and `isKnown: false`. */
  find(name: string, role: ModelRole): Model
}

export const modelTable: readonly TableEntry[] = [...speechModels, ...textModels]

/** What an unknown model of a role is asked like. */
const assumed: Record<ModelRole, string> = {
  chunk: 'qwen3-asr-flash',
  'one-pass': 'qwen-audio-3.1-asr-flash-filetrans',
  words: 'qwen3-asr-flash-filetrans',
  speakers: 'fun-asr',
  text: 'qwen-flash',
}

export function createModelCatalog({
  descriptions = [],
  ownProviders = [],
}: CatalogOptions = {}): ModelCatalog {
  return {
    find(name, role) {
      const description = descriptions.find(described => described.name === name)
      const entry = inTable(name) ?? inTable(withoutSnapshotDate(name)) ?? ofFamily(name)
      const { price: tablePrice, ...facts } = entry ?? assumption(role)
      const isOwn = ownProviders.includes(description?.provider ?? facts.provider)
      const price = isOwn ? { usdPerSecond: 0 } : tablePrice
      const isKnown = entry !== undefined || description !== undefined
      return { ...facts, ...(price && { price }), ...description, name, isKnown }
    },
  }
}

/** The tables alone, without descriptions of a user. */
export const knownModels: ModelCatalog = createModelCatalog()

function inTable(name: string): TableEntry | undefined {
  return modelTable.find(entry => entry.name === name)
}

function ofFamily(name: string): TableEntry | undefined {
  const family = modelFamilies.find(({ pattern }) => pattern.test(name))
  return family && { name, ...family.facts }
}

function assumption(role: ModelRole): TableEntry {
  const { price: _, retires: __, maxAnswerTokens: ___, ...facts } = inTable(assumed[role])!
  return { ...facts, roles: [role], source: 'assumed: the model is in no table' }
}

/** Snapshots (`…-2026-02-10`) are like their model. */
export function withoutSnapshotDate(name: string): string {
  return name.replace(/-\d{4}-\d\d-\d\d$/, '')
}
