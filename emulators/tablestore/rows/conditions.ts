// Conditions of writes and filters of reads.
import { invalid, refusal } from '../errors.ts'
import { readVariant } from '../plain-buffer/read.ts'
import { decode, has } from '../protocol.ts'
import { given, type StoredRow, type Table, valuesOf } from '../table.ts'
import { compareValues, type Value } from '../values.ts'

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
const comparators = { notEqual: 2 }

/** Throws `OTSConditionCheckFail` if the row does not match the condition. */
export function checkCondition(row: StoredRow | undefined, condition: Condition, table: Table): void {
  const { rowExistence } = condition
  if (rowExistence === expectations.exist && !row) throw refusal('OTSConditionCheckFail')
  if (rowExistence === expectations.notExist && row) throw refusal('OTSConditionCheckFail')
  if (!has(condition, 'columnCondition') || condition.columnCondition.length === 0) return
  const one = row && given(table, row)
  const values = valuesOf(one ? [...one.key, ...one.cells] : [])
  if (!passes(values, filterIn(condition.columnCondition))) throw refusal('OTSConditionCheckFail')
}

export function filterIn(bytes: Uint8Array): Filter {
  return decode<Filter>('filter', 'Filter', bytes)
}

/** `values`: the row's values by column. */
export function passes(values: Map<string, Value>, { type, filter }: Filter): boolean {
  if (type === filterTypes.single)
    return passesSingle(values, decode('filter', 'SingleColumnValueFilter', filter))
  if (type !== filterTypes.composite) throw invalid('The filter is not supported here.')
  const { combinator, subFilters } = decode<CompositeFilter>('filter', 'CompositeColumnValueFilter', filter)
  if (combinator === combinators.not) {
    if (subFilters.length !== 1) throw invalid('Invalid NOT operator: the number of sub-filters must be 1.')
    return !passes(values, subFilters[0]!)
  }
  if (subFilters.length < 2) throw invalid('Invalid AND/OR operator: the number of sub-filters must be 2.')
  return combinator === combinators.and
    ? subFilters.every(one => passes(values, one))
    : subFilters.some(one => passes(values, one))
}

function passesSingle(values: Map<string, Value>, filter: SingleFilter): boolean {
  const { comparator, columnName, columnValue, filterIfMissing } = filter
  const value = values.get(columnName)
  if (value === undefined) return !filterIfMissing
  const order = compareValues(value, readVariant(columnValue))
  if (order === undefined) return comparator === comparators.notEqual
  return [order === 0, order !== 0, order > 0, order >= 0, order < 0, order <= 0][comparator - 1] ?? false
}
