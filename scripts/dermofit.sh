#!/bin/bash
# Turns the Dermofit Image Library (University of Edinburgh, under its own licence) into what darknet and darknet meta read.
#
#     scripts/dermofit.sh SRC OUT
#
# SRC holds a folder a class, named by its code or its name, in it a folder a lesion, and in that its image and its mask, both PNG: a file
# whose name ends in "mask" is a mask, and is not used. Written to OUT, where nothing changes unless all of it can be written:
#
#     dermofit.data          train: common.list; test: rare.list
#     dermofit-tune.data     train: common.train.list; valid: common.valid.list; no test: for choosing settings
#     dermofit-study.data    the same with test: rare.list: for asking the rare classes once, when everything is chosen
#     dermofit.names, dermofit.labels, groups.csv (images of a lesion are a group)
#     common.list rare.list  AK BCC ML SK IEC DF MEL; SCC VASC PYO
#     common.valid.list      the images of about 15% of the common lesions, chosen by a hash of the lesion's name
#     common.train.list      the other common ones
#     AK/ BCC/ ...           links to the images: their folder is their label
#     backup/ backup-tune/   where weights go
#
# The lists hold paths that begin with OUT as given here: a relative one is meant from the folder darknet is started in.
set -eu
export LC_ALL=C
shopt -s nullglob nocaseglob

# The library's ten classes, in its order: code, name. Rare are those of the paper's Table 3: squamous cell carcinoma, haemangioma (VASC
# in the library) and pyogenic granuloma.
classes="AK:actinic keratosis
BCC:basal cell carcinoma
ML:melanocytic nevus
SK:seborrhoeic keratosis
SCC:squamous cell carcinoma
IEC:intraepithelial carcinoma
PYO:pyogenic granuloma
VASC:haemangioma
DF:dermatofibroma
MEL:malignant melanoma"
codes=$(cut -d: -f1 <<<"$classes" | tr '\n' ' ')
rare=" SCC PYO VASC "
held_out=0.15

fail() { echo "scripts/dermofit.sh: $1" >&2; exit 1; }
. "$(dirname "$0")/lists.sh"

[ $# -eq 2 ] || { echo "usage: scripts/dermofit.sh SRC OUT" >&2; exit 1; }
take_folders "$1" "$2"
check_out "files that aren't links" -type l

# code_of NAME: the code of a folder that is named by a code, a name, or both: "AK", "actinic
# keratosis", "Actinic Keratosis (AK)"
letters() { tr -cd 'A-Za-z' <<<"$1" | tr 'A-Z' 'a-z'; }
code_of()
{
    local own code name
    own=$(letters "$1")
    while IFS=: read -r code name; do
        case $own in "$(letters "$code")" | "$(letters "$name")" | "$(letters "$name$code")" | "$(letters "$code$name")") echo "$code"; return ;; esac
    done <<<"$classes"
}

open_new "$out/backup" "$out/backup-tune"

# One line an image: code, lesion, the name of its link, what the link leads to
target=$(realpath "$src")
for folder in "$target"/*/; do
    folder=${folder%/}
    code=$(code_of "${folder##*/}")
    [ -n "$code" ] || fail "$folder: is not a class of the library: must be named one of $codes, or by its name"
    [ ! -d "$new/$code" ] || fail "$folder: is a second folder of $code"
    mkdir "$new/$code"
    for lesion in "$folder"/*/; do
        lesion=${lesion%/} any=
        case ${lesion##*/} in *[,$'\t\n']*) fail "$lesion: a comma, a tab or a line break in the name of a lesion can't stand in groups.csv" ;; esac
        for image in "$lesion"/*.png; do
            base=${image##*/}
            base=${base%.*}
            case $base in *[mM][aA][sS][kK]) continue ;; esac
            case $base in *[,$'\t\n']*) fail "$image: a comma, a tab or a line break in the name of an image can't stand in groups.csv" ;; esac
            any=1
            printf '%s\t%s\t%s\t%s\n' "$code" "${lesion##*/}" "${code}_${lesion##*/}_$base" "$image"
        done
        [ -n "$any" ] || fail "$lesion: has no image, only a mask or nothing: must have a .png whose name doesn't end in mask"
    done
done >"$new/images"
for code in $codes; do
    [ -d "$new/$code" ] || fail "$src: has no folder of $code: must have all ten classes"
    grep -q "^$code	" "$new/images" || fail "$src: no image of $code"
done

export out new rare held_out
held_out_awk=$(cat "$(dirname "$0")/held_out.awk")
awk -F '\t' "$held_out_awk"'
    BEGIN { out = ENVIRON["out"]; new = ENVIRON["new"]; rare = ENVIRON["rare"]; held_out = ENVIRON["held_out"]; print "image,group" > (new "/groups.csv") }
    {
        group = $1 "_" $2; path = out "/" $1 "/" $3 ".png"
        print $3 "," group > (new "/groups.csv")
        number[$1]++
        if (!(group in met)) { met[group] = 1; lesions[$1]++ }
        if (index(rare, " " $1 " ")) { print path > (new "/rare.list"); next }
        print path > (new "/common.list")
        held = fraction(group) < held_out
        print path > (new (held ? "/common.valid.list" : "/common.train.list"))
        held_number[$1] += held
    }
    END {
        printf "%-6s %6s %8s %9s\n", "class", "images", "lesions", "held out"
        for (code in number)
            printf "%-6s %6d %8d %9s\n", code, number[code], lesions[code], index(rare, " " code " ") ? "rare" : held_number[code] + 0 | "sort -k1,1r"
    }' "$new/images" >"$new/summary"
for list in common.train.list common.valid.list; do
    [ -s "$new/$list" ] || fail "$src: too few common lesions to hold some out for $list"
done
while IFS=$'\t' read -r code _ name image; do ln -s "$image" "$new/$code/$name.png"; done <"$new/images"
cut -d: -f2 <<<"$classes" >"$new/dermofit.names"
write_data dermofit
publish dermofit
cat "$new/summary"
