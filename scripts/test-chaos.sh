#!/usr/bin/env bash
# Runs the chaos test with other seeds and the kill test with more kills than the suite has time for. `npm run test:chaos
# -- --seeds 40` takes the seeds 1 to 40, `npm run test:chaos -- 7 8 9` these (default: 1 to 10). SPEECH_CHAOS_JOBS,
# SPEECH_CHAOS_KILLS, SPEECH_CHAOS_CLOCKS (minutes by which clocks are wrong) and SPEECH_KILLS set their size.
set -uo pipefail
cd "$(dirname "$0")/.."
if [ "${1:-}" = --seeds ]; then set -- $(seq 1 "${2:?give the number of seeds}"); fi
[ $# -gt 0 ] || set -- $(seq 1 10)
export SPEECH_CHAOS_JOBS="${SPEECH_CHAOS_JOBS:-100}" SPEECH_CHAOS_KILLS="${SPEECH_CHAOS_KILLS:-40}"
export SPEECH_CHAOS_CLOCKS="${SPEECH_CHAOS_CLOCKS:-5}" SPEECH_KILLS="${SPEECH_KILLS:-5}"
failed=()
npx vitest run test/e2e/kill/kill.test.ts || failed+=("kill")
for seed in "$@"; do
  SPEECH_CHAOS_SEED="$seed" npx vitest run test/e2e/chaos/chaos.test.ts || failed+=("$seed")
done
[ ${#failed[@]} -eq 0 ] || { echo "Failed: ${failed[*]}" >&2; exit 1; }
