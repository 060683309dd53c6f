// Budgets of tests: within a limit that the user has set, or without one; nothing is recorded.
import type { SpendingStore } from '../../../src/domain/costs/spending.ts'
import { createBudgets, type OpenBudget } from '../../../src/jobs/records/budgets.ts'

const noRecord: SpendingStore = { updateSpending: async () => {}, listSpending: async () => [] }

/** `orderUsd` is the limit in US dollars; absent: none. */
export function testBudget(orderUsd?: number): OpenBudget {
  return createBudgets(noRecord, { orderUsd, isStrict: orderUsd !== undefined })('local', 'order')
}
