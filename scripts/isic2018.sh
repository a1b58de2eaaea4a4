#!/bin/bash
# Turns the official ISIC 2018 Task 3 download into what darknet and darknet meta read.
#
#     scripts/isic2018.sh SRC OUT
#
# SRC holds, under their official names, the folder of images ISIC2018_Task3_Training_Input, the folder of labels
# ISIC2018_Task3_Training_GroundTruth and ISIC2018_Task3_Training_LesionGroupings.csv (scripts/get_isic2018.sh fetches them).
# Written to OUT, where nothing changes unless all of it can be written:
#
#     isic2018.data          train: common.list; test: rare.list
#     isic2018-tune.data     train: common.train.list; valid: common.valid.list; no test: for choosing settings
#     isic2018-study.data    the same with test: rare.list: for asking the rare classes once, when everything is chosen
#     isic2018.names, isic2018.labels, groups.csv
#     common.list rare.list  MEL NV BCC BKL; AKIEC DF VASC
#     common.valid.list      the images of about 15% of the common lesions, chosen by a hash of the lesion's name
#     common.train.list      the other common ones
#     MEL/ NV/ ...           links to the images: their folder is their label
#     backup/ backup-tune/   where weights go
#
# The lists hold paths that begin with OUT as given here: a relative one is meant from the folder darknet is started in. Stock
# darknet takes every blank out of a .data file's values, so for it OUT must not contain any.
set -eu
export LC_ALL=C
shopt -s nullglob

codes="MEL NV BCC AKIEC BKL DF VASC"
rare=" AKIEC DF VASC "
names="melanoma
melanocytic nevus
basal cell carcinoma
actinic keratosis
benign keratosis
dermatofibroma
vascular lesion"
held_out=0.15

fail() { echo "scripts/isic2018.sh: $1" >&2; exit 1; }
. "$(dirname "$0")/lists.sh"

[ $# -eq 2 ] || { echo "usage: scripts/isic2018.sh SRC OUT" >&2; exit 1; }
take_folders "$1" "$2"
images=$src/ISIC2018_Task3_Training_Input
truth=$src/ISIC2018_Task3_Training_GroundTruth/ISIC2018_Task3_Training_GroundTruth.csv
groupings=$src/ISIC2018_Task3_Training_LesionGroupings.csv
[ -d "$images" ] || fail "$images: no such folder: SRC must be the official download, unpacked"
for file in "$truth" "$groupings"; do
    [ -f "$file" ] || fail "$file: no such file: SRC must be the official download, unpacked"
    [ -s "$file" ] || fail "$file: is empty"
done

check_out "files that aren't links" -type l
open_new "$out/backup" "$out/backup-tune"

# Lists, groups and, a class, the links' targets. A comma-separated file may end its lines with CR LF; names hold no quotes.
# Through the environment, as awk takes backslashes in its own variables for escapes and a = in a file's name for one.
export out new images codes rare held_out truth groupings
target=$(realpath "$images")
export target
held_out_awk=$(cat "$(dirname "$0")/held_out.awk")
(cd "$images" && printf '%s\n' *.jpg) |
awk "$held_out_awk"'
    function fail(text) { print "scripts/isic2018.sh: " text | "cat >&2"; failed = 1; exit 1 }
    function at(text) { fail(name_of[file] ":" FNR ": " text) }

    BEGIN {
        FS = ","
        out = ENVIRON["out"]; new = ENVIRON["new"]; images = ENVIRON["images"]; target = ENVIRON["target"]
        rare = ENVIRON["rare"]; held_out = ENVIRON["held_out"]
        name_of[2] = ENVIRON["groupings"]; name_of[3] = ENVIRON["truth"]
        classes = split(ENVIRON["codes"], code, " ")
        header = "image"
        for (k = 1; k <= classes; k++) header = header "," code[k]
    }
    FNR == 1 { file++ }
    { sub(/\r$/, "") }
    file == 1 { if (sub(/\.jpg$/, "")) { there[$0] = 1; count++ } next }

    file == 2 && FNR == 1 {
        if ($1 != "image" || $2 != "lesion_id") at("the header is \"" $0 "\": must begin with image,lesion_id")
        next
    }
    file == 2 {
        if ($0 == "") next
        if (NF < 2 || $1 == "" || $2 == "") at("\"" $0 "\": must be an image and its lesion")
        if ($1 in lesion) at($1 ": is there a second time")
        lesion[$1] = $2
        next
    }

    FNR == 1 {
        if ($0 != header) at("the header is \"" $0 "\": must be " header)
        next
    }
    $0 == "" { next }
    {
        if (NF != classes + 1) at(NF " columns: must be " classes + 1)
        class = 0
        for (k = 1; k <= classes; k++) {
            if ($(k + 1) !~ /^[01](\.0*)?$/) at(code[k] "=" $(k + 1) ": must be 0 or 1")
            if ($(k + 1) == 1) { if (class) at($1 ": has two classes, " code[class] " and " code[k]); class = k }
        }
        if (!class) at($1 ": has no class")
        if ($1 in seen) at($1 ": is there a second time")
        if (!($1 in there)) at(images "/" $1 ".jpg: no such image")
        if (!($1 in lesion)) at($1 ": has no lesion in " name_of[2])
        seen[$1] = 1
        rows++
        path = out "/" code[class] "/" $1 ".jpg"
        name = code[class]
        print target "/" $1 ".jpg" > (new "/" name ".targets")
        print $1 "," lesion[$1] > (new "/groups.csv.body")
        number[name]++
        if (!((name, lesion[$1]) in met)) { met[name, lesion[$1]] = 1; lesions[name]++ }
        if (!(lesion[$1] in any)) { any[lesion[$1]] = 1; total++ }
        if (index(rare, " " name " ")) print path > (new "/rare.list")
        else {
            print path > (new "/common.list")
            held = fraction(lesion[$1]) < held_out
            print path > (new (held ? "/common.valid.list" : "/common.train.list"))
            if (held) { out_number[name]++; if (!((name, lesion[$1]) in out_met)) { out_met[name, lesion[$1]] = 1; out_lesions[name]++ } }
        }
    }
    END {
        if (failed) exit 1
        if (count > rows) for (name in there) if (!(name in seen)) fail(images "/" name ".jpg: isn\47t in " name_of[3])
        for (k = 1; k <= classes; k++) if (!number[code[k]]) fail(name_of[3] ": no image of " code[k])
        printf "%-6s %6s %8s %9s %s\n", "class", "images", "lesions", "held out", "(lesions)"
        for (k = 1; k <= classes; k++) {
            name = code[k]
            printf "%-6s %6d %8d", name, number[name], lesions[name]
            if (index(rare, " " name " ")) print "      rare"
            else printf " %9d (%d)\n", out_number[name], out_lesions[name]
        }
        printf "%-6s %6d %8d\n", "all", rows, total
    }' - "$(realpath "$groupings")" "$(realpath "$truth")" >"$new/summary"

for list in common.train.list common.valid.list; do
    [ -s "$new/$list" ] || fail "$truth: too few common lesions to hold some out for $list"
done
{ echo image,group; cat "$new/groups.csv.body"; } >"$new/groups.csv"
printf '%s\n' "$names" >"$new/isic2018.names"
for code in $codes; do
    mkdir "$new/$code"
    xargs -d '\n' ln -s -t "$new/$code" -- <"$new/$code.targets"
done

write_data isic2018
publish isic2018
cat "$new/summary"
