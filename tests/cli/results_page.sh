#!/bin/bash
# data/results/README.md is what `make results` writes from notes.md and the JSON files, and README
# has figures of that page.
. tests/lib.sh
case $TEST_VARIANT in release) ;; *) skip 'the page of results' 'its figures are those of the release'; exit ;; esac
page=data/results/README.md old=data/results/version-1.0 copy=$TMP_TEST/results
check 'scripts/results.sh writes the page of results' scripts/results.sh data/results "$TMP_TEST/page.md"
check 'the page of results is the committed one, byte for byte (else: make results)' diff "$page" "$TMP_TEST/page.md"

for name in federated study version-1.0; do
    check "scripts/results.sh writes the page of $name" scripts/results.sh data/results/$name "$TMP_TEST/$name.md"
    check "the page of $name is the committed one, byte for byte (else: make results)" diff data/results/$name/README.md "$TMP_TEST/$name.md"
done

# An altered result shows in the page; a missing file, figure or table is an error.
cp -r $old "$copy"
sed -i '/^\t"auc_after":/,/}/ s/"mean":.*/"mean":\t0.9,/' "$copy/table1-maml-5.json"
sed -i '/^\t"tasks":/,/"run":\t1,/ s/"auc_after":\t[^,]*/"auc_after":\t0.1/' "$copy/table2-eta-3-5.json"
check 'scripts/results.sh writes a page of altered results' scripts/results.sh "$copy" "$TMP_TEST/other.md"
check 'the page of altered results has the altered AUC' grep -q '^| MAML | 5 | 90.00 ' "$TMP_TEST/other.md"
difference() { grep -o 'eta=3 is better by [^)]*)' <(tr -s '\n ' ' ' <"$1"); }
check 'the page of altered results has another difference in its text' test "$(difference $old/README.md)" != "$(difference "$TMP_TEST/other.md")"
# Over as many trainings as there are: five, whose differences are 0.01, 0.02, 0.03, 0.02 and 0.04
for seed in 1 2 3 4 5; do
    printf '{\n\t"auc_after":\t{\n\t\t"mean":\t0.8%s\n\t}\n}\n' "$(cut -d' ' -f$seed <<<'1 2 3 2 4')" >"$copy/x-seed-$seed-5.json"
    printf '{\n\t"auc_after":\t{\n\t\t"mean":\t0.8\n\t}\n}\n' >"$copy/y-seed-$seed-5.json"
done
echo 'Five: {trainings x y}' >"$copy/notes.md"
check 'scripts/results.sh writes a difference over five trainings' scripts/results.sh "$copy" "$TMP_TEST/other.md"
check "it has Student's t of four degrees of freedom" grep -qx 'Five: 2.40 (0.98 to 3.82)' "$TMP_TEST/other.md"
for name in x y; do for seed in 1 2; do cp "$copy/$name-seed-$seed-5.json" "$copy/$name-seed-$seed-1.json"; done; done
echo 'Two: {trainings x y 1}' >"$copy/notes.md"
check 'and over two of another number of shots' scripts/results.sh "$copy" "$TMP_TEST/other.md"
check "it has Student's t of one degree of freedom" grep -qx 'Two: 1.50 (-4.85 to 7.85)' "$TMP_TEST/other.md"
for seed in 6 7 8 9 10 11; do for name in x y; do cp "$copy/$name-seed-1-5.json" "$copy/$name-seed-$seed-5.json"; done; done
echo 'Eleven: {trainings x y}' >"$copy/notes.md"
expect_error 'scripts/results.sh: 11 trainings: must be 2 to 10' scripts/results.sh "$copy" "$TMP_TEST/other.md"
rm "$copy"/[xy]-seed-[6-9]-5.json "$copy"/[xy]-seed-1[01]-5.json
echo 'Five: {trainings x y}' >"$copy/notes.md"
rm "$copy/y-seed-5-5.json"
expect_error 'scripts/results.sh: .*y-seed-5-5.json: no such file' scripts/results.sh "$copy" "$TMP_TEST/other.md"

for name in '{less table1-maml-5 none}' '{auc}' '{less table1-maml-5 table1-daml-5 more}' '@ Table 9'; do
    { cat $old/notes.md; printf '%s\n' "$name"; } >"$copy/notes.md"
    expect_error 'scripts/results.sh: .*: no such (file|figure|table)' scripts/results.sh "$copy" "$TMP_TEST/other.md"
done
# A figure that can't be made is an error, not a nought
sed '/^\t"settings":/,/}/ s/"seed":\t"1"/"seed":\t"2"/' "$copy/table1-maml-5.json" >"$copy/seeded.json"
sed 's/"curve":.*/"curve":\t[[10, 1, 0.5, 0.75, null], [20, 1, 0.25, 0.75, null]],/' "$copy/table1-maml-5.json" >"$copy/short.json"
echo 'Apart: {less table1-daml-5 seeded}' >"$copy/notes.md"
expect_error "scripts/results.sh: .*can't be compared" sh -c "scripts/results.sh '$copy' '$TMP_TEST/other.md' 2>&1 >'$TMP_TEST/said' | grep -v ^darknet: >&2; exit 1"
echo 'No curve: {loss x-seed-1-5}' >"$copy/notes.md"
expect_error 'scripts/results.sh: .*x-seed-1-5.json: has no training curve' scripts/results.sh "$copy" "$TMP_TEST/other.md"
echo 'Few: {less30 x-seed-1-5 y-seed-1-5}' >"$copy/notes.md"
expect_error 'scripts/results.sh: .*x-seed-1-5.json: has 0 tasks: must have 30' scripts/results.sh "$copy" "$TMP_TEST/other.md"
echo 'Short: {loss short}, {loss short 10}' >"$copy/notes.md"
check 'scripts/results.sh takes a training of few iterations' scripts/results.sh "$copy" "$TMP_TEST/other.md"
check 'whose loss is the mean of what is there' grep -qx 'Short: 0.375, 0.500' "$TMP_TEST/other.md"
rm "$copy/notes.md"
expect_error 'scripts/results.sh: .*notes.md: no such file' scripts/results.sh "$copy" -

expect_error 'table1-convfeature-knn-densenet-5.json: has no ece' bash -c "rm -rf '$TMP_TEST/lacks'; mkdir '$TMP_TEST/lacks'; cp data/results/table1*.json '$TMP_TEST/lacks'; echo '{ece table1-convfeature-knn-densenet-5}' >'$TMP_TEST/lacks/notes.md'; scripts/results.sh '$TMP_TEST/lacks'"
# Each row of README's results has the figures of the page's row of that label, in the table and for the number of shots that README names
readme_rows() { sed -n '/^## Results/,/^## /p' README.md | grep '^| ' | tail -n +2; }
in_page()
{
    readme_rows | awk -F' *[|] *' -v page="$page" '
        BEGIN { while ((getline line <page) > 0) { if (line ~ /^##? /) here = line == "## Table 1"; if (here) { split(line, a, / *[|] */); if (a[3] == 5) row[a[2]] = line } } }
        { rows++; for (i = 3; i < NF; i++) if ($i != "" && !index(row[$2], "| " $i " |")) { print $2 ": " $i " is not in: " row[$2]; bad = 1 } }
        END { print rows " rows"; exit bad || rows < 5 }'
}
check "the table of README has the figures of the page of Table 1" in_page
estimates() { sed -n '/^## Results/,/^## /p' README.md | tr -s '\n ' ' ' | grep -oE -e '-?[0-9]+\.[0-9]+ \(-?[0-9.]+ to -?[0-9.]+' | tr -d +; }
in_text()
{
    cat "$page" data/results/study/README.md | tr -s '\n ' ' ' | tr -d + >"$TMP_TEST/text"
    estimates | while read -r e; do grep -qF -e "$e" "$TMP_TEST/text" || echo "not in the page: $e"; done >"$TMP_TEST/missing"
    cat "$TMP_TEST/missing"
    [ ! -s "$TMP_TEST/missing" ] && [ "$(estimates | wc -l)" -ge 7 ]
}
check 'the text of README has the figures of the pages of results and of the study' in_text
here=$PWD
check "paths are those of the caller's folder" sh -c "cd '$TMP_TEST' && '$here/scripts/results.sh' lacks-none 2>&1 | grep -q '^scripts/results.sh: .*/lacks-none/notes.md: no such file$' && cp -r '$here/$old' old && '$here/scripts/results.sh' old old.md && cmp old.md '$here/$old/README.md'"
