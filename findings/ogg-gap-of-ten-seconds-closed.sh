#!/usr/bin/env bash
# Whether ffmpeg keeps a gap between packets depends on the container: in Ogg and MPEG-TS it takes one of over ten
# seconds for a fault of the clock and closes it, in Matroska it keeps it, with the same packets (build of 2018 in
# @ffmpeg-installer/ffmpeg 1.1.0; 5.1 and 7.1 do the same). Seen of 30 s with a gap of 12 s: mkv 30, ogg 18, ts 18 s.
# Matters to: src/pipeline/audio/decode-arguments.ts, which sets -dts_delta_threshold.
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund @ffmpeg-installer/ffmpeg@1.1.0
ffmpeg="$(node -p 'require("@ffmpeg-installer/ffmpeg").path')"

# A call that was muted for 8 s and for 12 s.
for muted in 8 12; do
  "$ffmpeg" -v error -f lavfi -i sine=frequency=440:d=30:r=48000 -af "aselect='not(between(t,5,5+$muted))'" \
    -c:a libopus "$muted.mkv"
  for kind in ogg ts; do "$ffmpeg" -v error -i "$muted.mkv" -c copy "$muted.$kind"; done
done
seen=''
for muted in 8 12; do
  for kind in mkv ogg ts; do
    bytes="$("$ffmpeg" -v quiet -i "$muted.$kind" -af aresample=async=1 -f s16le -ac 1 -ar 16000 pipe:1 | wc -c)"
    seen+="$kind $(((bytes + 16000) / 32000)) "
  done
  seen+='/ '
done
echo "seconds with a gap of 8 s / 12 s: $seen"
[ "$seen" = 'mkv 30 ogg 30 ts 30 / mkv 30 ogg 18 ts 18 / ' ]
