#!/usr/bin/env bash
# Makes a release: `bash scripts/release.sh 0.1.0` tests, writes the version and the date, commits and tags. Nothing is pushed.
set -euo pipefail
cd "$(dirname "$0")/.."
fail() { echo "$1" >&2; exit 1; }
version="${1:-}"
[[ "$version" =~ ^[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?$ ]] || fail 'Give the version, such as 0.1.0.'
[ -z "$(git status --porcelain)" ] || fail 'Commit or stash your changes first.'
! git rev-parse --quiet --verify "refs/tags/v$version" >/dev/null || fail "The tag v$version exists."
grep -q "^## $version (unreleased)$" CHANGELOG.md || fail "CHANGELOG.md needs a section \"## $version (unreleased)\"."

npm ci
npm test
npm run check
npm run docs -- --check
npm run test:package

sed "s/^## $version (unreleased)$/## $version ($(date -u +%F))/" CHANGELOG.md > CHANGELOG.next
mv CHANGELOG.next CHANGELOG.md
npm version "$version" --no-git-tag-version --allow-same-version >/dev/null
# The registry of MCP servers wants the same version, for the server and for each of its packages.
sed "s/\"version\": \"[^\"]*\"/\"version\": \"$version\"/" server.json > server.next
mv server.next server.json
git commit --quiet --all --message "Release $version"
git tag --annotate "v$version" --message "Release $version"
echo "Tagged v$version. Publish it with: git push --follow-tags && npm publish && mcp-publisher publish"
