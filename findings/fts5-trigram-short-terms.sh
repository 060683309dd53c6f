#!/usr/bin/env bash
# SQLite's FTS5 (libsql 0.5.29) finds no term of fewer than three characters with its trigram tokenizer. Seen: 明天开
# matches, but 明天 (tomorrow) has 0 rows, as most Chinese words would; LIKE finds it.
# Matters to: docs/decisions/0021-search-terms-of-our-own.md.
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund libsql@0.5.29
cat > search.cjs <<'JS'
const Database = require('libsql')
const database = new Database(':memory:')
database.exec("CREATE VIRTUAL TABLE said USING fts5(words, tokenize = 'trigram')")
database.prepare('INSERT INTO said VALUES (?)').run('我们明天开会讨论预算')
const rows = (where, term) => database.prepare(`SELECT count(*) AS n FROM said WHERE words ${where}`).get(term).n
console.log([rows('MATCH ?', '"明天开"'), rows('MATCH ?', '"明天"'), rows('LIKE ?', '%明天%')].join(' '))
JS
seen="$(node search.cjs)"
echo "rows for three characters, two characters, two characters by LIKE: $seen"
[ "$seen" = '1 0 1' ]
