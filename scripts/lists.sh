# Functions of the scripts that make lists of images: sourced, not run. Such a script sets `out`,
# the folder that is written to, and `codes`, the labels of its class folders, and has a function
# fail TEXT, which ends it.

# take_folders SRC OUT: sets src and out
take_folders()
{
    src=${1%/} out=${2%/}
    [ -n "$src" ] || src=/
    [ -n "$out" ] || fail "$2: can't write there: name a folder"
    case $1$2 in *$'\n'*) fail "a path with a line break in it can't stand in a list" ;; esac
    [ -d "$src" ] || fail "$src: no such folder"
}

# check_out WHAT TEST...: refuses an `out` that has a label in its path, as a label is looked for in
# the whole path of an image; and class folders that hold anything but what find's TEST is true of,
# called WHAT in the message
check_out()
{
    local what=$1 code
    shift
    for code in $codes; do
        case $out/ in */$code/*) fail "$out: has /$code/ in it, which is the label of a class: choose another folder" ;; esac
        [ -z "$(find "$out/$code" -mindepth 1 ! "$@" -print -quit 2>/dev/null)" ] || fail "$out/$code: holds $what: choose another folder"
    done
}

# open_new FOLDER...: makes these folders, and `new`, which everything is written to until nothing
# can go wrong any more
open_new()
{
    mkdir -p "$@" || exit 1
    new=$out/.new.$$
    trap 'rm -rf "$new"' EXIT
    trap 'exit 1' INT TERM HUP
    mkdir "$new"
}

# write_data NAME: writes NAME.labels and the three .data files. The second has held-out common images
# and no rare ones, the third both.
write_data()
{
    local code lines
    for code in $codes; do echo "/$code/"; done >"$new/$1.labels"
    lines=$(printf 'classes = %d\nnames = %s\nlabels = %s\ngroups = %s' "$(wc -w <<<"$codes")" "$out/$1.names" "$out/$1.labels" "$out/groups.csv")
    printf '%s\n' "$lines" "train = $out/common.list" "test = $out/rare.list" "backup = $out/backup" >"$new/$1.data"
    printf '%s\n' "$lines" "train = $out/common.train.list" "valid = $out/common.valid.list" "backup = $out/backup-tune" >"$new/$1-tune.data"
    printf '%s\n' "$lines" "train = $out/common.train.list" "valid = $out/common.valid.list" "test = $out/rare.list" "backup = $out/backup-tune" >"$new/$1-study.data"
}

# publish NAME: moves everything from `new` to `out`. The .data files come last: where they are,
# everything is.
publish()
{
    local code data
    for data in "$new"/*.data; do rm -f "$out/${data##*/}"; done
    for code in $codes; do
        if [ -e "$out/$code" ]; then mv -T "$out/$code" "$new/$code.old"; fi
        mv -T "$new/$code" "$out/$code"
    done
    mv "$new"/*.list "$new/$1.names" "$new/$1.labels" "$out"
    if [ -e "$new/groups.csv" ]; then mv "$new/groups.csv" "$out"; fi
    for data in tune study; do if [ -e "$new/$1-$data.data" ]; then mv "$new/$1-$data.data" "$out"; fi; done
    mv "$new/$1.data" "$out"
}
