#!/usr/bin/env bash
# ffmpeg's aresample=async=1:first_pts=0, which fills gaps, loses as many seconds of a joined WebM as its first part has
# (build of 2018 in @ffmpeg-installer/ffmpeg 1.1.0; 5.1 and 7.1 do the same). A browser's recorder that was started
# again writes such a file: each part's clock begins at 0. Seen: of 5 s and 7 s 12.0 s plain, 7.0 s with the filter.
# Matters to: src/pipeline/audio/clock/clock.ts, which fills gaps by the packets' times instead.
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund @ffmpeg-installer/ffmpeg@1.1.0
ffmpeg="$(node -p 'require("@ffmpeg-installer/ffmpeg").path')"

for seconds in 5 7; do
  "$ffmpeg" -v error -f lavfi -i "sine=frequency=$((seconds * 100)):d=$seconds:r=48000" \
    -c:a libopus -live 1 -f webm "$seconds.webm"
done
cat 5.webm 7.webm > joined.webm
# Tenths of a second.
length() {
  "$ffmpeg" -v quiet -i joined.webm "$@" -f s16le -ac 1 -ar 16000 pipe:1 | wc -c | awk '{ print int($1 / 3200 + 0.5) }'
}
plain="$(length)"
filled="$(length -af aresample=async=1:first_pts=0)"
echo "joined from 50 and 70 tenths of a second: $plain plain, $filled with the filter"
[ "$plain" = 120 ] && [ "$filled" = 70 ]
