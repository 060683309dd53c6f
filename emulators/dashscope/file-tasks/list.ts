// The task list, filtered by time, model and state, in pages, newest first.
import { randomUUID } from 'node:crypto'
import { Refusal } from '../errors.ts'
import { listEntry } from './envelope.ts'
import type { TaskRecord } from './record.ts'

const dayMs = 24 * 3600_000
const maxPageSize = 100

/** Throws a `Refusal` for invalid parameters. */
export function listAnswer(query: URLSearchParams, records: TaskRecord[]): object {
  const from = readTime(query.get('start_time'), Date.now() - dayMs)
  const to = readTime(query.get('end_time'), from + dayMs)
  const [model, status] = [query.get('model_name'), query.get('status')]
  const matching = records.filter(
    record =>
      record.submittedAt >= from &&
      // The end time includes its whole second.
      record.submittedAt < to + 1000 &&
      (!model || record.model === model) &&
      (!status || record.state === status),
  )
  const size = Math.min(maxPageSize, readCount(query.get('page_size'), 10))
  const page = readCount(query.get('page_no'), 1)
  const data = matching.reverse().slice((page - 1) * size, page * size)
  return {
    total: matching.length,
    data: data.map(listEntry),
    total_page: Math.ceil(matching.length / size),
    page_no: page,
    page_size: size,
    request_id: randomUUID(),
  }
}

// `YYYYMMDDhhmmss` in UTC+8, like all times of the service.
function readTime(text: string | null, fallback: number): number {
  if (text === null || text === '') return fallback
  const digits = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)$/.exec(text)?.slice(1).map(Number)
  if (!digits) throw invalid(`Time must be given as YYYYMMDDhhmmss: ${text}`)
  const [year, month, day, hour, minute, second] = digits as [number, number, number, number, number, number]
  return Date.UTC(year, month - 1, day, hour - 8, minute, second)
}

function readCount(text: string | null, fallback: number): number {
  if (text === null) return fallback
  const value = Number(text)
  if (!Number.isInteger(value) || value < 1) throw invalid(`Not a page: ${text}`)
  return value
}

function invalid(message: string): Refusal {
  return new Refusal({ status: 400, code: 'InvalidParameter', message })
}
