#!/bin/bash
# Makes what each target begins from, and the dictionaries, of what the project and its tests have.
#
#     tests/fuzz/seeds.sh FOLDER      BUILD, DARKNET_BIN: as in tests/lib.sh
#
# FOLDER/NAME/* are the inputs of tests/fuzz/fuzz_NAME.c, small ones; FOLDER/NAME.dict its words.
set -eu
cd "$(dirname "$0")/../.."
. tests/toy.sh
to=$(realpath -m "$1")
darknet=$DARKNET_BIN
mark=$'\n%%%\n'
rm -rf "$to"
for target in tests/fuzz/fuzz_*.c; do
    target=${target#tests/fuzz/fuzz_}
    mkdir -p "$to/${target%.c}"
done
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# add TARGET FILE...: one input, of the files' bytes with the mark between them
add()
{
    local target=$1 number file first=1
    shift
    number=$(find "$to/$target" -type f | wc -l)
    for file; do
        [ $first = 1 ] || printf '%s' "$mark"
        first=0
        cat "$file"
    done >"$to/$target/seed-$number"
}

# .cfg, .data, .table and task files that are there
for file in cfg/*.cfg cfg/*/*.cfg tests/oracle/*/*.cfg; do add cfg "$file"; done
for file in data/tables/*.table; do add table "$file"; done
for file in tests/oracle/*/episode.txt; do [ "$(wc -c <"$file")" -gt 4000 ] || add task "$file"; done
printf 'support 0 a.pgm\nsupport 1 b.pgm\n# one\n\nquery 2 a.pgm\nquery 0 b.pgm\n' >"$work/task"
add task "$work/task"

# A toy: trained, tested, and a table of it
toy "$work/t"
cd "$work"
toy t
sed -i 's/^range=.*//' t/toy.data
run() { "$darknet" meta "$@" >>log 2>&1 || { tail -n 5 log >&2; echo "tests/fuzz/seeds.sh: meta $* failed" >&2; exit 1; }; }
run train t/toy.data t/toy.cfg -threads 1 -max_batches 3
sed 's/^shots=.*/shots=1/; s/^queries=.*/queries=1/' t/toy.cfg >t/few.cfg
run test t/toy.data t/few.cfg t/backup/toy_final.weights -runs 3 -threads 1 -out r.json
printf '[table]\nname=A table\ndata=t/toy.data\nruns=2\nfirst=2\nreference=M\n\n[row]\nlabel=M\ncfg=t/few.cfg\nshots=1\nseed=1,2\n\n[row]\nlabel=K\ncfg=t/few.cfg\nmethod=knn\ntrain=none\nweights=t/backup/toy_final.weights\nshots=1\n' >x.table
sed -i 's/^max_batches=.*/max_batches=2/; s/^steps=6,9/steps=1,2/; s/^start=.*/start=1/; s/^burn_in=.*/burn_in=0/' t/few.cfg
run table x.table -out out -threads 1

cat t/labels >labels
sed 's#^labels=.*#labels=labels\nnames=names#' t/toy.data >x.data
cp labels names
printf 'one_1.pgm\ntwo_1.pgm\n\r\none_2.pgm\nthree_1.pgm\n' >x.list
printf 'image,group\none_1,a\n"two_1.pgm";b\n./one_2.pgm,"a ""b"""\n' >groups.csv
printf 'image;group;more\r\na/one_1.pgm;1;x\r\nb/one_1;2;y\r\nthree;3;\r\n' >groups2.csv
printf '[table]\nname=T\ndata=x.data\nreference=M\nruns=4\nfirst=2\n\n[row]\nlabel=M\ncfg=m.cfg\nshots=5,1\npaper=62.5,50\n\n[row]\nlabel=D\ncfg=d.cfg\nshots=5\nseed=1,2\nensemble=1\nwith=M\n' >small.table
task=f69bc65b232c4b2f84d8eaebc4e0a23f none=00000000000000000000000000000000
cat >answers.csv <<END
task,images,image,xxh3_128,class,asked,log_odds
0,$task,two_2.pgm,$none,two_,two_,1
0,$task,two_2.pgm,$none,two_,one_,-1
0,$task,"one,3.pgm",$none,one_,two_,0.5
0,$task,one_3.pgm,$none,one_,one_,-0.5
1,$task,one_1.pgm,$none,one_,one_,nan
1,$task,one_1.pgm,$none,one_,two_,nan
1,$task,two_4.pgm,$none,two_,one_,2e1
1,$task,two_4.pgm,$none,two_,two_,-20
END
printf 'image,class,group\none_1.pgm,a,1\n"two_1.pgm",b,\n/abs/x.png,"c, ""odd""",2\n' >images.csv
printf '\357\273\277age;Class;Image\r\n3;a;sub/one.pgm\r\n' >images2.csv
cd - >/dev/null
add data "$work/x.data" "$work/labels" "$work/names"
add data "$work/x.data" "$work/labels"
add list "$work/x.list"
add list "$work/x.list" "$work/groups.csv"
add groups "$work/groups.csv"
add groups "$work/groups2.csv"
add answers "$work/answers.csv"
add labelled "$work/images.csv"
add labelled "$work/images2.csv"
for file in "$work"/t/backup/*.csv "$work"/out/trainings/*/*.csv; do add log "$file"; done
for file in "$work"/t/backup/*.state "$work"/out/trainings/*/*.state; do [ ! -e "$file" ] || add state "$file"; done
for file in "$work"/t/*.cache; do add cache "$file"; done
add result "$work/r.json"
printf 'weights=00112233445566778899aabbccddeeff\nbytes=1388\nways=2\nsteps=3\nlearning_rate=0.1\nseed=1\ntasks=60\nbatch 1 1.5 1.25 2 0.75 0.5\nsupport 5 0.5 0.25 1 0.625 0.5\n' >"$work/temperature"
add temperature "$work/temperature"
for file in "$work"/out/x-*.json; do
    add result "$file"
    sed 's/"result":.*,/"result": "r.json",/; s/"log":.*,/"log": "log.csv",/' "$work/out/x.json" >"$work/plan.json"
    add report "$work/plan.json" "$file" "$work"/t/backup/*.csv
done
add table "$work/small.table"
add table "$work/small.table" "$work/out/images.json"
"$BUILD/fuzz/seed_images" "$to/image"
mkdir "$work/images"
/usr/bin/python3 tests/image_formats.py "$work/images" files
for file in "$work"/images/*.{tif,webp,jp2,j2k}; do [ "$(stat -c %s "$file")" -gt 2500 ] || add codec "$file"; done

# Weights that fit fuzz_weights's network: a head, then 84 numbers; and the first layer alone
python3 - "$to/weights" <<'END'
import struct, sys
head = struct.pack('<iiiQ', 0, 2, 0, 64)
old = struct.pack('<iiii', 0, 1, 0, 64)
before = struct.pack('<fffi', .001, .9, .0005, 64)
sizes = {'conv': 2 + 6 + 18, 'two': 2 + 6 + 18 + 2 + 4, 'all': 2 + 6 + 18 + 2 + 4 + 3 + 24 + 9 + 2 + 6}
for name, n in sizes.items():
    numbers = struct.pack('<%df' % n, *[i / 8 for i in range(n)])
    for kind, start in ('head', head), ('old', old), ('before', before):
        open('%s/%s-%s' % (sys.argv[1], name, kind), 'wb').write(start + numbers)
END

# Rates that fit fuzz_rates's network, of every kind
for kind in 'layer steps=3' parameter; do
    { printf 'darknet meta rates 1\nrates=%s layers=0:22,3:6\n' "$kind"; seq -f '%g' 0.125 0.125 $([ "$kind" = parameter ] && echo 3.5 || echo .75); echo end; } >"$to/rates/${kind%% *}"
done

# Words: sections, options and values; members of JSON; numbers at the edges of what types hold
words() { sort -u | awk 'length($0) < 40' | sed 's/[\\"]/\\&/g; s/.*/"&"/'; }
edges() { printf '%s\n' 0 1 -1 2147483647 2147483648 4294967296 9223372036854775807 9223372036854775808 18446744073709551615 18446744073709551616 1e308 1e-400 nan inf .5 1e20; }
{ cat cfg/*.cfg cfg/*/*.cfg tests/oracle/*/*.cfg data/tables/*.table "$work/x.data" | sed 's/[#;].*//; s/=/=\n/' | tr ', ' '\n\n' | grep .; edges; } | words >"$to/cfg.dict"
for name in data table; do { cat "$to/cfg.dict"; echo '"\x0a%%%\x0a"'; } >"$to/$name.dict"; done
{ cat "$work/r.json" "$work"/out/*.json | grep -o '"[a-z_0-9]*":' | tr -d :; edges; printf '%s\n' '{}' '[]' null true '""'; } | sort -u |
    awk 'length($0) < 40' | sed 's/[\\"]/\\&/g; s/.*/"&"/' >"$to/result.dict"
{ cat "$to/result.dict"; echo '"\x0a%%%\x0a"'; } >"$to/report.dict"
