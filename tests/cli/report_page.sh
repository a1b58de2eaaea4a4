#!/bin/bash
# The pages of data/results and of its version 1.0 begin with Table 1, say what the tables' own files say of them, and are one of a single table on request.
. tests/lib.sh
t=$TMP_TEST old=data/results/version-1.0
darknet() { "$DARKNET_BIN" "$@"; }
mkdir "$t/bin"; printf '#!/bin/sh\nexit 1\n' >"$t/bin/gnuplot"; chmod +x "$t/bin/gnuplot"    # the curves are not looked at
PATH=$t/bin:$PATH
titles() { grep -o '<h2>[^<]*' "$1" | sed 's/<h2>//'; }
check 'meta report writes a page of data/results' darknet meta report data/results -out "$t/new.html"
check 'the page begins with Table 1, the seeds of its trainings behind it' test "$(titles "$t/new.html" | head -n 2 | tr '\n' ';')" = 'Table 1: ISIC 2018;Training seeds of Table 1: ISIC 2018;'
check 'and of version 1.0' darknet meta report $old -out "$t/a.html"
check 'it begins with Table 1' test "$(grep -o '<h2>[^<]*' "$t/a.html" | head -n 1)" = '<h2>Table 1: ISIC 2018'
check 'its tables stand in the order of their places' test "$(grep -o '<h2>[^<:]*' "$t/a.html" | sed 's/<h2>//' | head -n 5 | tr '\n' ';')" = 'Table 1;Table 2;Trained at 5 shots;Training seeds;Levers of DAML;'
dots() { sed -n '/<section id="table-1"/,/<section id="table-2"/p' "$t/a.html" | grep -A400 '<figure class="dots">' | sed '/<\/figure>/q'; }
check 'Table 1 opens with a line for each of its 24 cells' test "$(dots | grep -c '<svg class="strip')" -eq 24
check 'a figure of Table 1 is told to who hears it, too' grep -qF '<title>MAML, 5 shots: 84.42 (83.54 to 85.31)</title><desc>of other lesions 80.86 to 87.99; Li et al. 2020 81.20</desc>' <(dots)
check 'a cell of Table 1 that is not run shows the figure of the paper alone' grep -Eq '<title>DAML, 1 shot: not yet run</title><desc>Li et al. 2020 67.33</desc>.*class="cited".*not yet run</td>.*67.33' <(dots)

# What data/results has of the tables, whose data are not here, is what their files say.
same_words()
{
    local table kept_in key said count=0
    for kept_in in data/results/*.json $old/*.json; do
        table=data/tables/$(basename "$kept_in" .json).table
        [ -f "$table" ] || continue
        count=$((count + 1))
        for key in name place caption authors groups; do
            said=$(sed -n "/^\[row\]/q; s/^$key=//p" "$table")
            kept=$(sed -n "s/^\t\"$key\":\t\"\?\(.*[^\",]\)\"\?,\$/\1/p" "$kept_in" | head -n 1)
            [ "$said" = "$kept" ] || { echo "$kept_in: $key: '$said' in the table, '$kept' there"; return 1; }
        done
    done
    [ $count -ge 7 ] || { echo "$count tables"; return 1; }
}
check 'data/results has the words of data/tables' same_words

for table in table2 'Table 2: ISIC 2018, ablations'; do
    check "-only '$table' makes a page" darknet meta report $old -only "$table" -out "$t/b.html"
    check "a page of '$table' alone has its name and its cells" test "$(grep -c '<h1>Table 2: ISIC 2018, ablations</h1>' "$t/b.html")$(grep -c '<section id="table-' "$t/b.html")" = 11
done
expect_error '-only table3: must be a table of data/results/version-1.0: chosen \(DAML with .*\), .*, table1 \(Table 1: ISIC 2018\), table2 ' darknet meta report $old -only table3 -out "$t/none.html"
check 'without that table there is no page' test ! -e "$t/none.html"
check '-only goes with -markdown' test "$(darknet meta report $old -only seeds -markdown | grep -c '^### ')" -eq 1

# A page is told by what has written it, not by its title.
mkdir "$t/named" && cp "$old"/chosen*.json "$t/named"
sed -i 's/^\(\t"name":\).*/\1 "Evaluation",/' "$t/named/chosen.json"
check 'a page of one table that is called Evaluation is written' darknet meta report "$t/named" -out "$t/named.html"
check 'it has that title' grep -q '<h1>Evaluation</h1>' "$t/named.html"
check 'it is written again' darknet meta report "$t/named" -out "$t/named.html"
sed '/<meta name="generator"/d' "$t/named.html" >"$t/earlier.html"
check 'a page of version 1.0, which did not say that, may be written again' darknet meta report "$t/named" -out "$t/earlier.html"
check 'as what is written today' cmp "$t/named.html" "$t/earlier.html"
