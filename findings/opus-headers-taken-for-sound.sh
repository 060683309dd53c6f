#!/usr/bin/env bash
# Where Opus in Ogg was joined (a chained stream, RFC 3533), ffmpeg takes the headers of the second part for a packet of
# 0.96 s, so all that follows is as much late by its time stamps, while its samples are complete (build of 2018 in
# @ffmpeg-installer/ffmpeg 1.1.0; 5.1 does not). Seen: the header of 19 bytes lasts 46080 samples at 48 kHz.
# Matters to: src/pipeline/audio/clock/clock.ts, which fills no such gap.
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund @ffmpeg-installer/ffmpeg@1.1.0
ffmpeg="$(node -p 'require("@ffmpeg-installer/ffmpeg").path')"

for seconds in 5 7; do
  "$ffmpeg" -v error -f lavfi -i "sine=frequency=440:d=$seconds:r=48000" -c:a libopus "$seconds.ogg"
done
cat 5.ogg 7.ogg > joined.ogg
# A line has stream, decoding time, presentation time, duration, bytes and checksum of a packet.
"$ffmpeg" -v quiet -i joined.ogg -c copy -f framecrc packets.txt
header="$(tr -d ' ' < packets.txt | awk -F, '$5 == 19 { print $2, $4 }')"
bytes="$("$ffmpeg" -v quiet -i joined.ogg -f s16le -ac 1 -ar 16000 pipe:1 | wc -c)"
tenths="$(((bytes + 1600) / 3200))"
echo "header at sample and its length: $header; tenths of a second decoded: $tenths"
[ "$header" = '240000 46080' ] && [ "$tenths" = 120 ]
