// Counts of requests and uploads, from the records of the services.
import type { OssRequest } from '../oss/oss.ts'

/** Requests without a model, which were not understood, are left out. */
export function countByModel(records: { model?: string }[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const { model } of records) if (model) counts[model] = (counts[model] ?? 0) + 1
  return counts
}

/** Successful uploads by form, in one request or in parts. The bytes of a form include its fields. */
export function uploadsOf(requests: OssRequest[]): { files: number; bytes: number } {
  const good = requests.filter(({ status }) => status >= 200 && status < 300)
  const ofKind = (...kinds: string[]) => good.filter(({ kind }) => kinds.includes(kind))
  const bytes = ofKind('put', 'post', 'part').reduce((sum, request) => sum + request.bytes, 0)
  return { files: ofKind('put', 'post', 'complete').length, bytes }
}
