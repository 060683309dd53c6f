#!/usr/bin/env bash
# libsql 0.5.29 for Node leaves a prepared statement open when it finds the file locked (SQLITE_BUSY), until it is
# garbage. While it is open, no later COMMIT of the connection succeeds, and a write outside a transaction succeeds
# without being committed. Seen: "alone: 0 rows, SQLITE_BUSY; in a transaction: 1 rows, ok".
# Matters to: src/drivers/store/sqlite/rows.ts, where every write begins with BEGIN IMMEDIATE by exec, which resets.
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund libsql@0.5.29
cat > write.cjs <<'JS'
const Database = require('libsql')
function attempt(name, write) {
  const [one, other] = [new Database(`${name}.db`), new Database(`${name}.db`)]
  one.exec('PRAGMA journal_mode = WAL; CREATE TABLE rows (value)')
  other.exec('BEGIN IMMEDIATE')
  try {
    write(one)
  } catch (error) {
    if (error.code !== 'SQLITE_BUSY') throw error
  }
  other.exec('COMMIT')
  write(one)
  const seen = other.prepare('SELECT count(*) AS n FROM rows').get().n
  let next = 'ok'
  try {
    one.exec('BEGIN IMMEDIATE; INSERT INTO rows VALUES (2); COMMIT')
  } catch ({ code }) {
    next = code
  }
  return `${seen} rows, ${next}`
}
const insert = database => database.prepare('INSERT INTO rows VALUES (?)').run(1)
const alone = attempt('alone', insert)
const inTransaction = attempt('transaction', database => {
  database.exec('BEGIN IMMEDIATE')
  insert(database)
  database.exec('COMMIT')
})
console.log(`alone: ${alone}; in a transaction: ${inTransaction}`)
JS
seen="$(node write.cjs)"
echo "$seen"
[ "$seen" = 'alone: 0 rows, SQLITE_BUSY; in a transaction: 1 rows, ok' ]
