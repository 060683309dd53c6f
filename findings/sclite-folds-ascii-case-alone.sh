#!/usr/bin/env bash
# sclite (Debian's sctk 2.4.10-20151007-1312Z+dfsg2-3.1) ignores case by default, but in ASCII alone: a capital beyond
# it makes a wrong word, also with `-e utf-8` and its localization `generic`. Only those of single languages fold more.
# Seen: "École" for "école" is S (wrong), "Paris" for "paris" C (correct), and both are C with `babel_vietnamese`.
# Matters to: src/formats/scoring.ts, where the words of a CTM are in lower case.
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
chmod 755 .
apt-get download sctk=2.4.10-20151007-1312Z+dfsg2-3.1 >/dev/null 2>&1
dpkg -x sctk_*.deb .

echo 'École Paris (talk_1)' > reference.trn
echo 'école paris (talk_1)' > heard.trn
judge() {
  usr/lib/sctk/bin/sclite "$@" -r reference.trn trn -h heard.trn trn -i rm -o sgml stdout |
    sed -n 's/^\([CSDI]\),.*:\([CSDI]\),.*/\1\2/p'
}
seen="$(judge) $(judge -e utf-8) $(judge -e utf-8 generic) $(judge -e utf-8 babel_vietnamese)"
echo "École and Paris: $seen"
[ "$seen" = 'SC SC SC CC' ]
