#!/bin/bash
# Fetches the official ISIC 2018 Task 3 files (2.8 GB; CC BY-NC 4.0) into DEST and unpacks them for scripts/isic2018.sh.
#
#     scripts/get_isic2018.sh [--any-sum] DEST
#
# A transfer that was cut goes on where it stopped, now or when started again; what is there already is left alone. Each file's
# MD5 sum must be the one in data/isic2018.md5, which says where those come from. With --any-sum another one is accepted, should
# the archive have packed its files anew; the checks of every archive entry, of the number of images and of the tables' lengths
# remain. Sums of what was fetched go to DEST/SHA256SUMS.
#
#     ISIC2018_URL     another place to fetch from       ISIC2018_MD5     another list of sums
set -eu
export LC_ALL=C

url=${ISIC2018_URL:-https://isic-archive.s3.amazonaws.com/challenges/2018}
sums=${ISIC2018_MD5:-$(dirname "$0")/../data/isic2018.md5}
images=ISIC2018_Task3_Training_Input
truth=ISIC2018_Task3_Training_GroundTruth
groupings=ISIC2018_Task3_Training_LesionGroupings.csv
expected=10015
attempts=10

fail() { echo "scripts/get_isic2018.sh: $1" >&2; exit 1; }
usage() { echo "usage: scripts/get_isic2018.sh [--any-sum] DEST" >&2; exit 1; }

any=
if [ "${1:-}" = --any-sum ]; then any=1; shift; fi
[ $# -eq 1 ] || usage
case $1 in -* | "") usage ;; esac
dest=${1%/}
[ -n "$dest" ] || dest=/
for tool in curl unzip; do
    command -v $tool >/dev/null || fail "needs $tool: scripts/install-deps.sh --download installs it"
done
[ -f "$sums" ] || fail "$sums: no such file"
mkdir -p "$dest" || exit 1

work=$dest/.unpack
trap 'rm -rf "$work"' EXIT
trap 'exit 1' INT TERM HUP

sum_of() { md5sum <"$1" | cut -d' ' -f1; }
known() { awk -v name="$1" '$1 !~ /^#/ && $2 == name { print $1 }' "$sums"; }
count() { find "$1" -maxdepth 1 -name '*.jpg' | wc -l; }
# A table's rows without its header and blank lines
rows() { awk 'NR > 1 && /[^ \r]/ { n++ } END { print n + 0 }' "$1"; }

# transfer NAME: fetches all of DEST/NAME.part
transfer()
{
    local name=$1 part=$dest/$1.part try status before after code why meter=-s
    [ ! -t 2 ] || meter=--progress-bar
    for ((try = 1; try <= attempts; try++)); do
        before=$(stat -c %s "$part" 2>/dev/null || echo 0)
        status=0
        # The connection was lost, the server is in trouble, or it sent under 1 kB/s for a minute:
        # the next try goes on from where this one stopped.
        why=$(curl -fL $meter --connect-timeout 30 --speed-limit 1024 --speed-time 60 -C - -o "$part" \
            -w '%{http_code} %{errormsg}' "$url/$name") || status=$?
        code=${why%% *} why=${why#* }
        case $status:$code in
        0:*) return 0 ;;
        22:416) return 0 ;; # there is nothing after what is here: the sum tells whether that is all of it
        22:5*) ;;
        33:*)
            echo "scripts/get_isic2018.sh: $url can't resume a transfer: starting again" >&2
            rm -f "$part" ;;
        5:* | 7:* | 18:* | 28:* | 35:* | 52:* | 55:* | 56:* | 92:*) ;;
        *) fail "$url/$name: ${why:-curl failed with status $status}" ;;
        esac
        after=$(stat -c %s "$part" 2>/dev/null || echo 0)
        # As long as bytes arrive there is no end to the tries.
        [ "$after" -le "$before" ] || try=0
        sleep "${ISIC2018_PAUSE:-$((try < 5 ? try : 5))}"
    done
    fail "$url/$name: $why (after $attempts tries that brought nothing; started again, it goes on from byte $after)"
}

# fetch NAME: fetches DEST/NAME and checks its sum
fetch()
{
    local name=$1 file=$dest/$1 want got
    want=$(known "$name")
    [ -n "$want" ] || [ -n "$any" ] || fail "$sums: has no sum of $name"
    if [ -f "$file" ]; then mv "$file" "$file.part"; fi
    if [ ! -f "$file.part" ] || [ "$(sum_of "$file.part")" != "$want" ]; then
        echo "fetching $name" >&2
        transfer "$name"
        got=$(sum_of "$file.part")
        if [ "$got" != "$want" ] && [ -z "$any" ]; then
            rm -f "$file.part"
            fail "$name: its MD5 sum is $got, not $want: removed; try again, or take it with --any-sum"
        fi
    fi
    mv "$file.part" "$file"
}

# unpack NAME: makes the folder DEST/NAME from NAME.zip
unpack()
{
    local name=$1
    echo "unpacking $name.zip" >&2
    rm -rf "$work"
    mkdir "$work"
    local why
    # The first line that unzip prints of what is wrong
    why=$(unzip -q -o "$dest/$name.zip" -d "$work" 2>&1) ||
        fail "$dest/$name.zip: can't be unpacked: $(sed -n 's/^ *//; /./{p;q}' <<<"$why")"
    [ -d "$work/$name" ] || fail "$dest/$name.zip: holds no folder $name"
}

if [ ! -d "$dest/$truth" ]; then
    fetch $truth.zip
    unpack $truth
    [ -f "$work/$truth/$truth.csv" ] || fail "$dest/$truth.zip: holds no $truth.csv"
    [ "$(rows "$work/$truth/$truth.csv")" -eq $expected ] || fail "$truth.csv: $(rows "$work/$truth/$truth.csv") rows: must be $expected"
    mv -T "$work/$truth" "$dest/$truth"
fi
if [ ! -f "$dest/$groupings" ] || [ "$(rows "$dest/$groupings")" -ne $expected ]; then
    fetch $groupings
    [ "$(rows "$dest/$groupings")" -eq $expected ] || fail "$groupings: $(rows "$dest/$groupings") rows: must be $expected"
fi
if [ ! -d "$dest/$images" ]; then
    fetch $images.zip
    unpack $images
    [ "$(count "$work/$images")" -eq $expected ] || fail "$images.zip: $(count "$work/$images") images: must be $expected"
    mv -T "$work/$images" "$dest/$images"
fi
rm -rf "$work"
[ "$(count "$dest/$images")" -eq $expected ] ||
    fail "$dest/$images: $(count "$dest/$images") images: must be $expected: remove the folder and start again"

(
    cd "$dest"
    for name in $truth.zip $groupings $images.zip; do [ ! -f $name ] || sha256sum $name; done >SHA256SUMS.tmp
    mv SHA256SUMS.tmp SHA256SUMS
)
echo "$dest: $expected images, unpacked; the .zip files can go now"
