#!/usr/bin/env bash
# ffmpeg, whose reader mpv uses too, takes `< b and c >` in the text of an SRT for the tag <b>: the words are lost, and
# the rest is bold (build of 2018 in @ffmpeg-installer/ffmpeg 1.1.0; 5.1 and 7.1 do the same). A word joiner (U+2060)
# behind `<` is enough. Seen: "If a < b and c > d then stop." becomes "If a {\b1} d then stop."
# Matters to: src/formats/subtitles/srt-vtt.ts, which writes a word joiner behind each `<` of an SRT.
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund @ffmpeg-installer/ffmpeg@1.1.0
ffmpeg="$(node -p 'require("@ffmpeg-installer/ffmpeg").path')"

joiner=$'\xe2\x81\xa0'
cat > talk.srt <<SRT
1
00:00:01,000 --> 00:00:03,000
If a < b and c > d then stop.

2
00:00:04,000 --> 00:00:06,000
If a <$joiner b and c > d then stop.
SRT
seen="$("$ffmpeg" -v error -i talk.srt -f ass pipe:1 | sed -n 's/^Dialogue: .*,,//p' | tr -d '\r')"
echo "$seen"
[ "$seen" = "If a {\\b1} d then stop.
If a <$joiner b and c > d then stop." ]
