#!/usr/bin/env bash
# ffmpeg (build of 2018 in @ffmpeg-installer/ffmpeg 1.1.0) decodes an MP3 without LAME tag 1,105 samples late: the tag
# holds the encoder's delay. Seen at 16 kHz: the click at sample 8000 is at 8000 with the tag and at 9105 without it.
# Matters to: src/pipeline/audio/encode.ts, whose streamed MP3 has no tag (-write_xing 0).
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund @ffmpeg-installer/ffmpeg@1.1.0
ffmpeg="$(node -p 'require("@ffmpeg-installer/ffmpeg").path')"

# Two seconds of silence with one click at sample 8000, encoded with and without the tag.
for tag in 1 0; do
  "$ffmpeg" -v error -f lavfi -i "aevalsrc='if(gte(t,0.5)*lt(t,0.5001),1,0)':s=16000:d=2" \
    -c:a libmp3lame -b:a 32k -write_xing "$tag" "$tag.mp3"
  "$ffmpeg" -v error -i "$tag.mp3" -f f32le -ac 1 -ar 16000 "$tag.raw"
done
cat > loudest.cjs <<'JS'
const bytes = require('node:fs').readFileSync(process.argv[2])
let at = 0
const sample = index => Math.abs(bytes.readFloatLE(4 * index))
for (let index = 1; index < bytes.length / 4; index++) if (sample(index) > sample(at)) at = index
console.log(at)
JS
with="$(node loudest.cjs 1.raw)"
without="$(node loudest.cjs 0.raw)"
echo "click at sample $with with the tag, $without without it"
[ "$with" = 8000 ] && [ "$without" = 9105 ]
