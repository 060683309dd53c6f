// The table of tested clients and the matrix of the runner name the same clients.
import { expect, it } from 'vitest'
import { matrix } from '../../clients/matrix.ts'
import { keyOf, tableRows } from '../../clients/table.ts'

it('docs/clients.md has a row for each client of the matrix', () => {
  expect([...tableRows().keys()]).toEqual(matrix.map(keyOf))
})

it('docs/clients.md shows no client that fails', () => {
  for (const row of tableRows().values()) expect(row).not.toMatch(/\| fails \|/)
})
