#!/usr/bin/env bash
# For ffmpeg an escape within a WebVTT voice tag ends the tag, so the rest of the name stands in front of the text
# (build of 2018 in @ffmpeg-installer/ffmpeg 1.1.0; 5.1 and 7.1 do the same). Seen: "<v Ann &amp; Bob>Hello." becomes
# "& BobHello.", and nothing shows of a name without an escape.
# Matters to: src/formats/subtitles/srt-vtt.ts, where the name of a voice has a full-width `＆`.
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund @ffmpeg-installer/ffmpeg@1.1.0
ffmpeg="$(node -p 'require("@ffmpeg-installer/ffmpeg").path')"

cat > talk.vtt <<'VTT'
WEBVTT

00:01.000 --> 00:03.000
<v Ann &amp; Bob>Hello.

00:04.000 --> 00:06.000
<v Ann and Bob>Hello.
VTT
seen="$("$ffmpeg" -v error -i talk.vtt -f srt pipe:1 | grep Hello | tr -d '\r' | paste -sd'|')"
echo "$seen"
[ "$seen" = '& BobHello.|Hello.' ]
