// The table of docs/clients.md with what each client of the matrix did in its last run.
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { type MatrixClient, matrix } from './matrix.ts'

export interface Result {
  scenario: string
  ok: boolean
  /** `yes`, or what the client does instead; the error where it is not ok. */
  detail: string
}

const page = fileURLToPath(new URL('../../docs/clients.md', import.meta.url))
/** The scenarios of a driver. */
export const driven = ['list', 'call', 'progress', 'cancel', 'errors', 'resources', 'restart', 'many']
/** Of a whole run; the last one is by the witness between the client and the server. */
export const columns = [...driven, 'protocol']
const head = [
  '| client | over | list | call | long call | cancel | errors | resources | after a restart | 200 calls | protocol errors |',
  `|${'---|'.repeat(columns.length + 2)}`,
]

export const keyOf = ({ name, transport }: Pick<MatrixClient, 'name' | 'transport'>) =>
  `| ${name} | ${transport} |`

export function rowOf(client: MatrixClient, results: Result[]): string {
  const cells = columns.map(column => {
    const found = results.find(({ scenario }) => scenario === column)
    return found?.ok ? found.detail : 'fails'
  })
  return `${keyOf(client)} ${cells.join(' | ')} |`
}

/** Rows by their key, in the order of the page. */
export function tableRows(): Map<string, string> {
  const lines = readFileSync(page, 'utf8').split('\n')
  const rows = lines.slice(lines.indexOf(head[1]!) + 1)
  return new Map(
    rows
      .slice(
        0,
        rows.findIndex(line => !line.startsWith('|')),
      )
      .map(row => [/^\|[^|]*\|[^|]*\|/.exec(row)![0], row]),
  )
}

/** Puts a row in its place. */
export function writeRow(client: MatrixClient, row: string): void {
  const rows = tableRows().set(keyOf(client), row)
  const text = readFileSync(page, 'utf8')
  const from = text.indexOf(head[0]!)
  const to = text.indexOf('\n\n', from)
  const ordered = matrix.flatMap(one => rows.get(keyOf(one)) ?? [])
  writeFileSync(page, [text.slice(0, from), [...head, ...ordered].join('\n'), text.slice(to)].join(''))
}
