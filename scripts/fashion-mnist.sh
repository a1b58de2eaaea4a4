#!/bin/bash
# Turns Debian's Fashion-MNIST (package dataset-fashion-mnist) into lists as scripts/isic2018.sh makes them of ISIC 2018.
#
#     scripts/fashion-mnist.sh OUT [COUNT]
#
# Common, in the data set's own order: t-shirt trouser pullover dress coat sandal shirt; rare, the last three: sneaker bag boot.
# COUNT images a class (default 600, 20 to 6000), the first of the training file, as PGM files in folders named after the class.
#
#     fashion.data                                    train: common.train.list; valid: common.valid.list; test: rare.list
#     common.train.list common.valid.list rare.list   valid: the last 15% of each common class
#     fashion.names fashion.labels backup/
#
#     FASHION_MNIST    another folder with the four idx files       IDX_IMAGES    another decoder than make's
set -eu
export LC_ALL=C

common="t-shirt trouser pullover dress coat sandal shirt"
rare="sneaker bag boot"
codes="$common $rare"

fail() { echo "scripts/fashion-mnist.sh: $1" >&2; exit 1; }
. "$(dirname "$0")/lists.sh"

[ $# -eq 1 ] || [ $# -eq 2 ] || { echo "usage: scripts/fashion-mnist.sh OUT [COUNT]" >&2; exit 1; }
out=${1%/} count=${2:-600}
[ -n "$out" ] || fail "$1: can't write there: name a folder"
case $out in *$'\n'*) fail "a path with a line break in it can't stand in a list" ;; esac
if ! [[ $count =~ ^[0-9]{1,4}$ ]] || ((10#$count < 20 || 10#$count > 6000)); then fail "COUNT $count: must be 20 to 6000"; fi
count=$((10#$count))
root=$(realpath "$(dirname "$0")/..")
data=${FASHION_MNIST:-/usr/share/datasets/fashion-mnist}
for file in train-images-idx3-ubyte.gz train-labels-idx1-ubyte.gz; do
    [ -f "$data/$file" ] || fail "$data/$file: no such file: scripts/install-deps.sh installs dataset-fashion-mnist"
done
decoder=${IDX_IMAGES:-$root/build/release/idx_images}
if [ -z "${IDX_IMAGES:-}" ]; then
    make -s -C "$root" BUILD=build/release build/release/idx_images >&2 || fail "can't build build/release/idx_images"
fi

check_out "other files than this script's" -name '[0-9][0-9][0-9][0-9][0-9].pgm'
open_new "$out/backup"
for name in $codes; do mkdir "$new/$name"; done
# shellcheck disable=SC2086
"$decoder" "$data/train-images-idx3-ubyte.gz" "$data/train-labels-idx1-ubyte.gz" "$new" "$count" $codes >"$new/files"

export out count common
new=$new awk '
    BEGIN { n = split(ENVIRON["common"], c, " "); for (k = 1; k <= n; k++) is_common[c[k]] = 1; new = ENVIRON["new"]; skip = length(new) + 2 }
    {
        path = substr($0, skip); name = path; sub(/\/.*/, "", name)
        list = !(name in is_common) ? "rare" : seen[name]++ < int(ENVIRON["count"] * .85) ? "common.train" : "common.valid"
        print ENVIRON["out"] "/" path > (new "/" list ".list")
    }' "$new/files"
for name in $codes; do echo "/$name/"; done >"$new/fashion.labels"
for name in $codes; do echo "$name"; done >"$new/fashion.names"
cat >"$new/fashion.data" <<END
classes = 10
names = $out/fashion.names
labels = $out/fashion.labels
train = $out/common.train.list
valid = $out/common.valid.list
test = $out/rare.list
backup = $out/backup
END

publish fashion
echo "$out: 7 common classes, 3 rare, $count images each"
