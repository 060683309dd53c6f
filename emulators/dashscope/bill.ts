// The account's bill: one entry for each answered request and each finished task, nothing for what was refused.
import { costOf, type Price, type Use } from './models/price.ts'

export interface BillEntry extends Use {
  /** Milliseconds since 1970. */
  at: number
  kind: 'chunk' | 'file' | 'text'
  model: string
  /** Id of a file task. */
  task?: string
  /** US dollars; 0 for a model whose price is not in the table. */
  dollars: number
}

export interface Bill {
  /** In order of their ends. */
  entries: BillEntry[]
  /** Totals of all entries. */
  dollars: number
  seconds: number
  inputTokens: number
  outputTokens: number
  /** US dollars by model. */
  byModel: Record<string, number>
}

export interface Billing {
  add(entry: Omit<BillEntry, 'at' | 'dollars'>, price: Price | undefined): void
  bill(): Bill
}

export function createBilling(): Billing {
  const entries: BillEntry[] = []
  const total = (of: (entry: BillEntry) => number) => entries.reduce((sum, entry) => sum + of(entry), 0)
  return {
    add(entry, price) {
      entries.push({ ...entry, at: Date.now(), dollars: price ? costOf(entry, price) : 0 })
    },
    bill() {
      const byModel: Record<string, number> = {}
      for (const { model, dollars } of entries) byModel[model] = (byModel[model] ?? 0) + dollars
      return {
        entries: [...entries],
        dollars: total(({ dollars }) => dollars),
        seconds: total(({ seconds }) => seconds),
        inputTokens: total(({ inputTokens }) => inputTokens),
        outputTokens: total(({ outputTokens }) => outputTokens),
        byModel,
      }
    },
  }
}
