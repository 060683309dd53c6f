// Conditions of writes and filters of reads.
import { invalid, refusal } from './errors.ts'
import { readVariant } from './plain-buffer.ts'
import { decode, has } from './protocol.ts'
import type { StoredRow } from './table.ts'
import { compareValues } from './values.ts'

export interface Condition {
  rowExistence: number
  columnCondition: Uint8Array
}

interface Filter {
  type: number
  filter: Uint8Array
}

interface SingleFilter {
  comparator: number
  columnName: string
  columnValue: Uint8Array
  filterIfMissing: boolean
}

interface CompositeFilter {
  combinator: number
  subFilters: Filter[]
}

const expectations = { exist: 1, notExist: 2 }
const filterTypes = { single: 1, composite: 2 }
const combinators = { not: 1, and: 2 }

/** Throws `OTSConditionCheckFail` where the row is not as the writer expects. */
export function checkCondition(row: StoredRow | undefined, condition: Condition): void {
  const { rowExistence } = condition
  if (rowExistence === expectations.exist && !row) throw refusal('OTSConditionCheckFail')
  if (rowExistence === expectations.notExist && row) throw refusal('OTSConditionCheckFail')
  if (!has(condition, 'columnCondition') || condition.columnCondition.length === 0) return
  if (!passes(row, filterIn(condition.columnCondition))) throw refusal('OTSConditionCheckFail')
}

export function filterIn(bytes: Uint8Array): Filter {
  return decode<Filter>('filter', 'Filter', bytes)
}

export function passes(row: StoredRow | undefined, { type, filter }: Filter): boolean {
  if (type === filterTypes.single)
    return passesSingle(row, decode('filter', 'SingleColumnValueFilter', filter))
  if (type !== filterTypes.composite) throw invalid('The filter is not supported here.')
  const { combinator, subFilters } = decode<CompositeFilter>('filter', 'CompositeColumnValueFilter', filter)
  if (combinator === combinators.not) return !subFilters.some(one => passes(row, one))
  return combinator === combinators.and
    ? subFilters.every(one => passes(row, one))
    : subFilters.some(one => passes(row, one))
}

function passesSingle(row: StoredRow | undefined, filter: SingleFilter): boolean {
  const { comparator, columnName, columnValue, filterIfMissing } = filter
  const found = row?.cells.get(columnName)
  if (!found) return !filterIfMissing
  const order = compareValues(found.value, readVariant(columnValue))
  if (order === undefined) return comparator === 2
  return [order === 0, order !== 0, order > 0, order >= 0, order < 0, order <= 0][comparator - 1] ?? false
}
