// The list of tasks: those of a time, a model and a state, page by page, the newest first.
import { randomUUID } from 'node:crypto'
import { Refusal } from '../errors.ts'
import { listEntry } from './envelope.ts'
import type { TaskRecord } from './record.ts'

const DAY = 24 * 3600_000
const MOST = 100

/** Throws the refusal of a question that cannot be answered. */
export function listAnswer(query: URLSearchParams, records: TaskRecord[]): object {
  const from = moment(query.get('start_time'), Date.now() - DAY)
  const to = moment(query.get('end_time'), from + DAY)
  const [model, status] = [query.get('model_name'), query.get('status')]
  const fitting = records.filter(
    record =>
      record.submittedAt >= from &&
      // The moment names a whole second.
      record.submittedAt < to + 1000 &&
      (!model || record.model === model) &&
      (!status || record.state === status),
  )
  const size = Math.min(MOST, count(query.get('page_size'), 10))
  const page = count(query.get('page_no'), 1)
  const data = fitting.reverse().slice((page - 1) * size, page * size)
  return {
    total: fitting.length,
    data: data.map(listEntry),
    total_page: Math.ceil(fitting.length / size),
    page_no: page,
    page_size: size,
    request_id: randomUUID(),
  }
}

// `YYYYMMDDhhmmss`, eight hours ahead of UTC like all times that the service writes.
function moment(text: string | null, missing: number): number {
  if (text === null || text === '') return missing
  const digits = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)$/.exec(text)?.slice(1).map(Number)
  if (!digits) throw invalid(`Time must be given as YYYYMMDDhhmmss: ${text}`)
  const [year, month, day, hour, minute, second] = digits as [number, number, number, number, number, number]
  return Date.UTC(year, month - 1, day, hour - 8, minute, second)
}

function count(text: string | null, missing: number): number {
  if (text === null) return missing
  const value = Number(text)
  if (!Number.isInteger(value) || value < 1) throw invalid(`Not a page: ${text}`)
  return value
}

function invalid(message: string): Refusal {
  return new Refusal({ status: 400, code: 'InvalidParameter', message })
}
