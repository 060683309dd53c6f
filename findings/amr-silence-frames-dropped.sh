#!/usr/bin/env bash
# ffmpeg decodes AMR frames that say "nothing was sent" (RFC 4867, frame types 8 and 15) to no samples at all, so the
# speech behind them comes early: it decodes no discontinuous transmission (build of 2018 in @ffmpeg-installer/ffmpeg
# 1.1.0; 5.1 and 7.1 do the same). Seen: of 702 frames of 20 ms, 500 of them silence, 202 are decoded.
# Matters to: src/pipeline/audio/clock/clock.ts and playedSeconds in decode-warnings.ts, which give these frames their time.
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund @ffmpeg-installer/ffmpeg@1.1.0
ffmpeg="$(node -p 'require("@ffmpeg-installer/ffmpeg").path')"

"$ffmpeg" -v error -f lavfi -i sine=frequency=440:d=2:r=8000 -c:a libopencore_amrnb -b:a 12.2k sound.amr
cat > pause.cjs <<'JS'
const { readFileSync, writeFileSync } = require('node:fs')
const magic = '#!AMR\n'
const sound = readFileSync('sound.amr').subarray(magic.length)
// As a phone sends a pause: comfort noise in every eighth frame, nothing in the others.
const comfortNoise = Buffer.from([0x44, 0, 0, 0, 0, 0])
const nothing = Buffer.from([0x7c])
const pause = Array.from({ length: 500 }, (_, i) => (i % 8 === 0 ? comfortNoise : nothing))
writeFileSync('call.amr', Buffer.concat([Buffer.from(magic), sound, ...pause, sound]))
JS
node pause.cjs
frames="$("$ffmpeg" -v quiet -i call.amr -c copy -f framecrc pipe:1 | grep -vc '^#')"
# The exit code is 69, as for ffmpeg the frames are errors.
bytes="$({ "$ffmpeg" -v quiet -i call.amr -f s16le pipe:1 || true; } | wc -c)"
echo "$frames frames, decoded $((bytes / 320))"
[ "$frames" = 702 ] && [ "$((bytes / 320))" = 202 ]
