#!/usr/bin/env bash
# Packs the project, installs the package in an empty folder, and starts it there: the version, then a stdio session.
set -euo pipefail
cd "$(dirname "$0")/.."
version="$(node -p 'require("./package.json").version')"
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
tarball="$(npm pack --silent --pack-destination "$folder" | tail -n 1)"
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund "./$tarball"
printed="$(npx --no-install speech-mcp --version)"
[ "$printed" = "$version" ] || { echo "The package prints version $printed instead of $version." >&2; exit 1; }
request='{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"package-test","version":"0"}}}'
answer="$(printf '%s\n' "$request" | SPEECH_DATA_DIR="$folder/data" npx --no-install speech-mcp)"
case "$answer" in
  *'"serverInfo"'*) echo "speech-mcp $version starts from its package." ;;
  *) echo "The packaged server did not answer initialize: $answer" >&2; exit 1 ;;
esac
