#!/bin/bash
# The study of sites: ISIC 2018's common classes split over three sites by lesion, trained centrally, by the sites together in both modes
# of -federated, and by each site alone; all of them tested on the rare classes, on the same 1000 tasks of 5 shots.
#
#     scripts/federated.sh LISTS OUT      LISTS: the folder that scripts/isic2018.sh has written; OUT: where everything goes
#
# Run it where the paths in LISTS hold. DARKNET_BIN is the program (./darknet), ITERATIONS of each training are 600. The same command goes on
# after a stop: what has a file of results is not made again, a training that was stopped is resumed. OUT/*.json are the results, which
# scripts/results.sh makes the page data/results/federated/README.md of.
#
# In the split "even" the lesions of each class are dealt out to the three sites; in "lacking" the first site has no basal cell carcinoma, the
# second no benign keratosis and the third no melanoma, and the other two share these.
set -eu
export LC_ALL=C
[ "$(id -u)" -ne 0 ] || export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
[ $# -eq 2 ] || { echo "usage: scripts/federated.sh LISTS OUT" >&2; exit 1; }
lists=$1 out=$2
here=$(cd "$(dirname "$0")/.." && pwd)
darknet=$(realpath "${DARKNET_BIN:-$here/darknet}")
iterations=${ITERATIONS:-600}
for file in isic2018.names isic2018.labels groups.csv common.list rare.list; do
    [ -s "$lists/$file" ] || { echo "scripts/federated.sh: $lists/$file: isn't there: scripts/isic2018.sh makes it" >&2; exit 1; }
done
mkdir -p "$out"

# The recipe of cfg/study/maml.cfg by first-order gradients, and a tenth of the rate for the last fifth
sed -e "1s/.*/# MAML at 42x42, order=1, for the study of sites. Written from cfg\/study\/maml.cfg by scripts\/federated.sh./" \
    -e "s/^steps=1200/steps=$((iterations * 4 / 5))/; s/^max_batches=.*/max_batches=$iterations/; /^average=/d" \
    -e 's/^order=2 .*/order=1/; /^second_order_start=/d' "$here/cfg/study/maml.cfg" >"$out/maml.cfg.new"
settings="$lists $(cat "$lists/groups.csv" "$lists/common.list" "$lists/rare.list" | cksum), $(cksum <"$out/maml.cfg.new")"
[ -f "$out/settings" ] || printf '%s\n' "$settings" >"$out/settings"
[ "$settings" = "$(cat "$out/settings")" ] || {
    rm -f "$out/maml.cfg.new"
    echo "scripts/federated.sh: $out: was begun with $(cat "$out/settings"), not $settings: take another folder" >&2
    exit 1
}
mv "$out/maml.cfg.new" "$out/maml.cfg"

# Deals the lesions of each class out, in an order that a number drawn from the lesion's name says: writes SPLIT-1.list to SPLIT-3.list
deal()
{
    awk -F, -v lists="$lists" '
        function hash(text,  i, h) { h = 2026; for (i = 1; i <= length(text); i++) h = (h * 131 + index(letters, substr(text, i, 1))) % 2147483647; return h * 48271 % 2147483647 }
        BEGIN {
            letters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"
            while ((getline <(lists "/groups.csv")) > 0) { n = split($1, part, "/"); sub(/\.jpg$/, "", part[n]); group[part[n]] = $2 }
            while ((getline <(lists "/common.list")) > 0) {
                n = split($0, part, "/"); name = part[n]; sub(/\.jpg$/, "", name)
                if (!(name in group)) { print "scripts/federated.sh: " $0 " is in no group" >"/dev/stderr"; exit 1 }
                printf "%s\t%.0f\t%s\t%s\n", part[n - 1], hash(group[name]), group[name], $0
            }
        }' >"$out/drawn"
    sort -t $'\t' -k1,1 -k2,2n -k3,3 -k4,4 "$out/drawn" >"$out/dealt"
    awk -F '\t' -v split_name="$1" -v out="$out" '
        BEGIN { lacks["BCC"] = 0; lacks["BKL"] = 1; lacks["MEL"] = 2 }
        {
            if ($1 != class) { class = $1; lesion = ""; next_site = 0 }
            if ($3 != lesion) {
                lesion = $3
                do { site = next_site; next_site = (next_site + 1) % 3 } while (split_name == "lacking" && (class in lacks) && lacks[class] == site)
            }
            print $4 >(out "/" split_name "-" (site + 1) ".list")
        }' "$out/dealt"
    rm "$out/dealt" "$out/drawn"
}

# data NAME LIST: the .data file of a training
data()
{
    cat >"$out/$1.data" <<END
classes=7
names=$lists/isic2018.names
labels=$lists/isic2018.labels
groups=$lists/groups.csv
train=$2
test=$lists/rare.list
backup=$out/$1
cache=$out
END
}
data central "$lists/common.list"
for split in even lacking; do
    [ -e "$out/$split.dealt" ] || { deal $split; touch "$out/$split.dealt"; }
    for site in 1 2 3; do
        for how in alone gradients average; do data $split-$how-$site "$out/$split-$site.list"; done
    done
done

resume() { if [ -e "$1/maml.state" ] || [ -e "$1/maml_before.state" ]; then echo -resume; fi; }
train=(meta train) flags=(-name maml -valid_every 0 -backup_every 50)

# rare NAME FOLDER DATA: tests the weights of a folder on the rare classes
rare() { "$darknet" meta test "$3" "$out/maml.cfg" "$2/maml_final.weights" -shots 5 -runs 1000 -out "$out/$1.json"; }

# one NAME: a training by one process, and its test
one()
{
    [ ! -e "$out/$1.json" ] || return 0
    [ -e "$out/$1/maml_final.weights" ] || "$darknet" "${train[@]}" "$out/$1.data" "$out/maml.cfg" "${flags[@]}" $(resume "$out/$1")
    rare "$1" "$out/$1" "$out/$1.data"
}

# together SPLIT MODE FLAG...: the three sites of a split
together()
{
    local name=$1-$2 sites=$out/$1-$2-1.data,$out/$1-$2-2.data,$out/$1-$2-3.data
    [ ! -e "$out/$name.json" ] || return 0
    [ -e "$out/$name-1/maml_final.weights" ] || mpirun --oversubscribe -n 3 "$darknet" "${train[@]}" -site "$sites" "$out/maml.cfg" "${flags[@]}" -threads 1 \
        -federated "$2" -share equal "${@:3}" $(resume "$out/$name-1")
    rare "$name" "$out/$name-1" "$out/$name-1.data"
}

one central
for split in even lacking; do
    together $split gradients
    together $split average -local 10
done
for split in even lacking; do for site in 1 2 3; do one $split-alone-$site; done; done
