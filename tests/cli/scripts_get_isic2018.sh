#!/bin/bash
# scripts/get_isic2018.sh against a local web server: whole, cut, resumed, damaged and missing files.
. tests/lib.sh
set -u
get=scripts/get_isic2018.sh
served=$TMP_TEST/served
images=ISIC2018_Task3_Training_Input truth=ISIC2018_Task3_Training_GroundTruth
groupings=ISIC2018_Task3_Training_LesionGroupings.csv

for tool in curl unzip python3; do
    command -v $tool >/dev/null || { skip "get_isic2018.sh from a local web server" "no $tool here"; exit; }
done
[ "$TEST_VARIANT" = release ] || { skip "get_isic2018.sh from a local web server" "runs nothing that was built"; exit; }
unset http_proxy HTTP_PROXY all_proxy ALL_PROXY
export no_proxy='*' ISIC2018_PAUSE=0 ISIC2018_MD5=$TMP_TEST/sums

# The official files' layout with 10,015 images that are almost empty.
mkdir "$served"
python3 - "$served" <<'END'
import sys, zipfile
folder, names = sys.argv[1], ["ISIC_%07d" % (24306 + i) for i in range(10015)]
images, truth = "ISIC2018_Task3_Training_Input", "ISIC2018_Task3_Training_GroundTruth"
with zipfile.ZipFile(f"{folder}/{images}.zip", "w") as z:
    z.writestr(f"{images}/ATTRIBUTION.txt", "attribution\n")
    for n in names: z.writestr(f"{images}/{n}.jpg", n)
with zipfile.ZipFile(f"{folder}/{truth}.zip", "w", zipfile.ZIP_DEFLATED) as z:
    z.writestr(f"{truth}/{truth}.csv", "image,MEL,NV,BCC,AKIEC,BKL,DF,VASC\r\n" + "".join(n + ",0.0,1.0,0.0,0.0,0.0,0.0,0.0\r\n" for n in names))
with open(f"{folder}/ISIC2018_Task3_Training_LesionGroupings.csv", "w") as f:
    f.write("image,lesion_id,diagnosis_confirm_type\n" + "".join(f"{n},HAM_{n},histo\n" for n in names))
END
(cd "$served" && md5sum -- *) >"$ISIC2018_MD5"

# serve FOLDER [FAULT...]: starts a server and sets ISIC2018_URL; requests are logged in
# $TMP_TEST/requests
server=
stop() { [ -z "$server" ] || { exec 9>&-; wait "$server"; server=; }; }
serve()
{
    stop
    rm -f "$TMP_TEST/port"
    [ -p "$TMP_TEST/stdin" ] || mkfifo "$TMP_TEST/stdin"
    python3 tests/range_server.py "$1" "$TMP_TEST/port" "${@:2}" <"$TMP_TEST/stdin" >"$TMP_TEST/requests" 2>&1 9>&- &
    server=$!
    exec 9>"$TMP_TEST/stdin"
    for ((i = 0; i < 200; i++)); do [ ! -s "$TMP_TEST/port" ] || break; sleep .05; done
    export ISIC2018_URL; ISIC2018_URL=http://127.0.0.1:$(cat "$TMP_TEST/port")/2018
}
same() { cmp -s "$served/$1" "$TMP_TEST/$2/$1"; }
complete()
{
    same $images.zip "$1" && same $truth.zip "$1" && same $groupings "$1" &&
        [ "$(find "$TMP_TEST/$1/$images" -name '*.jpg' | wc -l)" -eq 10015 ] && [ -f "$TMP_TEST/$1/$truth/$truth.csv" ] &&
        (cd "$TMP_TEST/$1" && sha256sum --quiet -c SHA256SUMS) &&
        [ -z "$(find "$TMP_TEST/$1" -maxdepth 1 -name '*.part' -o -maxdepth 1 -name '.unpack*')" ]
}
requests() { grep -c "$1" "$TMP_TEST/requests"; }

serve "$served"
check "get_isic2018.sh fetches and unpacks the files" $get "$TMP_TEST/a dest"
check "everything is there after the first start" complete "a dest"
check "no file of the archive is fetched twice" test "$(requests .)" -eq 3
check "started again, get_isic2018.sh has nothing to do" $get "$TMP_TEST/a dest"
check "started again, get_isic2018.sh asks the server for nothing" test "$(requests .)" -eq 3
rm -r "$TMP_TEST/a dest/$images"
check "get_isic2018.sh unpacks an archive that is there" $get "$TMP_TEST/a dest"
check "everything is there after unpacking again" complete "a dest"
check "unpacking again asks the server for nothing" test "$(requests .)" -eq 3

size=$(stat -c %s "$served/$images.zip")
serve "$served" --cut 300000
check "a transfer that is cut again and again ends whole" $get "$TMP_TEST/cut"
check "everything is there after cuts" complete cut
check "each try after a cut goes on from where the last one stopped" \
    test "$(awk -v images=$images 'index($1, images) { printf "%s ", $2 }' "$TMP_TEST/requests")" = "$(seq -s ' ' 0 300000 "$size") "

serve "$served" --cut 300000
{ timeout -s KILL 1 env ISIC2018_PAUSE=60 $get "$TMP_TEST/killed"; } >/dev/null 2>&1
part=$(stat -c %s "$TMP_TEST/killed/$groupings.part")
serve "$served"
check "started anew after kill -9, get_isic2018.sh ends whole" $get "$TMP_TEST/killed"
check "everything is there after kill -9" complete killed
check "started anew after kill -9, the transfer goes on from byte $part" grep -q "$groupings $part 206" "$TMP_TEST/requests"

mkdir "$TMP_TEST/full"
cp "$served/$groupings" "$TMP_TEST/full/$groupings.part"
serve "$served"
check "get_isic2018.sh takes a whole file that still has its temporary name" $get "$TMP_TEST/full"
check "a whole file with its temporary name is not asked for" test "$(requests $groupings)" -eq 0

sed 's/^[0-9a-f]*/0123456789abcdef0123456789abcdef/' "$ISIC2018_MD5" >"$TMP_TEST/other"
mkdir "$TMP_TEST/any"
cp "$served/$groupings" "$TMP_TEST/any/$groupings.part"
ISIC2018_MD5=$TMP_TEST/other check "--any-sum takes a whole file whose sum is unknown" $get --any-sum "$TMP_TEST/any"
check "the server has no more bytes of a file that is whole" grep -q "$groupings .* 416" "$TMP_TEST/requests"

mkdir "$TMP_TEST/norange"
head -c 1000 "$served/$groupings" >"$TMP_TEST/norange/$groupings.part"
serve "$served" --no-range
check "a server without Range is asked for the file from its start" $get "$TMP_TEST/norange"
check "everything is there without Range" complete norange

serve "$served" --busy 3
check "a server that is busy is asked again" $get "$TMP_TEST/busy"

mkdir "$TMP_TEST/damaged"
cp "$served"/* "$TMP_TEST/damaged"
printf 'x' | dd of="$TMP_TEST/damaged/$truth.zip" bs=1 seek=1000 conv=notrunc 2>/dev/null
serve "$TMP_TEST/damaged"
get_quietly() { "$@" 2>&1 >/dev/null | grep -v '^\(fetching\|unpacking\) ' >&2; return "${PIPESTATUS[0]}"; }
expect_error "$truth.zip: its MD5 sum is [0-9a-f]{32}, not [0-9a-f]{32}: removed" get_quietly $get "$TMP_TEST/bad"
check "a damaged file is not left behind" test -z "$(ls "$TMP_TEST/bad")"
expect_error "$truth.zip: can't be unpacked: ..*" get_quietly $get --any-sum "$TMP_TEST/bad2"
serve "$served"
check "get_isic2018.sh ends whole after a damaged file" $get "$TMP_TEST/bad"

cp "$served/$truth.zip" "$TMP_TEST/damaged"
rm "$TMP_TEST/damaged/$images.zip"
serve "$TMP_TEST/damaged"
expect_error "$images.zip: .*404" get_quietly $get "$TMP_TEST/missing"
check "files that are fetched before a missing one are kept" same $groupings missing
cp "$served/$groupings" "$TMP_TEST/damaged/$groupings"
sed -i 1d "$TMP_TEST/damaged/$groupings"
serve "$TMP_TEST/damaged"
expect_error "$groupings: 10014 rows: must be 10015" get_quietly $get --any-sum "$TMP_TEST/short"
stop
ISIC2018_URL=http://127.0.0.1:9/2018 expect_error "$truth.zip: .*after 10 tries" get_quietly $get "$TMP_TEST/down"
ISIC2018_MD5=$TMP_TEST/none expect_error "none: no such file" $get "$TMP_TEST/x"
expect_error "usage: scripts/get_isic2018.sh" $get
expect_error "usage: scripts/get_isic2018.sh" $get --all
