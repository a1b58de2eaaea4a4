#!/bin/bash
# meta evaluate: what it says of a folder, a CSV and a .data file, thresholds of other images, images that were learned from, and its files.
. tests/lib.sh
. tests/toy.sh
a=$TMP_TEST/a
toy "$a"
cd "$a" || exit 1
train . -max_batches 150 -valid_every 0 -seed 3 || test_failed 'meta train makes the network to adapt' err
evaluate() { "$DARKNET_BIN" meta evaluate "$@"; }
quiet() { "$@" >out 2>err; }
mkdir -p few/six few/seven new/six new/seven other/six other/seven
cp images/c6_[012].pgm few/six; cp images/c7_[012].pgm few/seven
cp images/c6_[3-9].pgm new/six; cp images/c7_[3-9].pgm new/seven
cp images/c6_1?.pgm other/six; cp images/c7_1?.pgm other/seven
check 'meta adapt makes a classifier of a folder' quiet "$DARKNET_BIN" meta adapt few toy.cfg backup/toy_final.weights -out k || cat err

sed 's/^ways=2/ways=3/; s/^output=2/output=3/' toy.cfg >three.cfg
check 'meta train makes a network of three outputs' quiet "$DARKNET_BIN" meta train toy.data three.cfg -max_batches 4 -valid_every 0 || cat err
mkdir five && cp -r few/six few/seven five && mkdir five/five && cp images/c5_[012].pgm five/five
check 'it is adapted to three classes' quiet "$DARKNET_BIN" meta adapt five three.cfg backup/three_final.weights -out t3 || cat err

check 'meta evaluate takes a folder of classes' quiet evaluate k.cfg k.weights new -csv new.csv -json new.json -html new.html || cat err
check 'it prints figures with intervals' test "$(grep -cE '^(accuracy|balanced accuracy|AUC, mean of classes|NLL|Brier score|ECE) +[0-9.]+ \([0-9.-]+ to [0-9.]+\)$|^AUC, mean.* no interval\)$' out)" -eq 6
check 'it warns of nothing' test ! -s err
"$DARKNET_BIN" meta predict k.cfg k.weights k.data new/seven new/six -csv -log_odds >predicted.csv
python3 - <<'END'
import csv
ours = {r[0]: r for r in list(csv.reader(open("new.csv")))[1:]}
theirs = list(csv.reader(open("predicted.csv")))[1:]
assert len(ours) == len(theirs) == 14
for r in theirs:
    o = ours[r[0]]
    assert o[2] == r[1] and o[5:] == r[2:], (o, r)
    assert o[1] == r[0].split("/")[1] and o[4] == "0"
END
check 'the answers of -csv are those of meta predict' test $? -eq 0
python3 - <<'END'
import csv, json
j = json.load(open("new.json"))
rows = list(csv.reader(open("new.csv")))
names, rows = rows[0][5:7], rows[1:]
right = [r[1] == r[2] for r in rows]
assert abs(j["accuracy"]["value"] - sum(right) / len(rows)) < 1e-15
for k, c in enumerate(j["classes"]):
    assert c["class"] == names[k] and c["images"] == 7
    own = [float(r[7 + k]) for r in rows if r[1] == c["class"]]
    rest = [float(r[7 + k]) for r in rows if r[1] != c["class"]]
    auc = sum((a > b) + .5 * (a == b) for a in own for b in rest) / 49
    assert abs(auc - c["auc"]["value"]) < 1e-15, (auc, c)
    assert sum(c["answers"].values()) == 7
assert sum(b["count"] for b in j["bins"]) == 14
END
check 'the figures of -json are those of the answers' test $? -eq 0
check 'the page stands by itself' bash -c 'grep -q "</html>" new.html && ! grep -qE "(src|href)=\"?(http|//|[a-z]+\.(js|css))|<script" new.html'
check 'the page says how many images of each class are answered right' grep -qE '^<p>Answered right: <b>[0-9]+ of 7</b> .*seven, <b>[0-9]+ of 7</b> .*six' new.html
check 'the page has two charts and a style for dark and light' test "$(grep -c '<figure>' new.html)" -eq 2 -a "$(grep -c 'prefers-color-scheme:dark' new.html)" -ge 1
check 'the figures do not depend on the number of threads' bash -c '"$1" meta evaluate k.cfg k.weights new -threads 1 -json one.json >/dev/null && cmp new.json one.json' - "$DARKNET_BIN"

# Thresholds
expect_error 'sensitivity: needs -chosen_on' evaluate k.cfg k.weights new -sensitivity 0.95
expect_error 'new: 14 images of new are there, too, such as .*: thresholds must be chosen on other images' evaluate k.cfg k.weights new -sensitivity 0.95 -chosen_on new
expect_error 'few: the classifier has learned from [0-9]+ of its images, such as few/.*: thresholds must be chosen on images that it has not learned from$' evaluate k.cfg k.weights new -sensitivity 0.95 -chosen_on few
expect_error 'chosen_on: is for -sensitivity' evaluate k.cfg k.weights new -chosen_on other
check 'thresholds are chosen on another folder' quiet evaluate k.cfg k.weights new -sensitivity 0.8 -chosen_on other -json t.json -html t.html
check 'sensitivity and specificity are printed for each class' test "$(grep -cE '^    (six|seven): probability [0-9.e-]+: sensitivity [01].*, specificity [01]' out)" -eq 2
check 'the page says where thresholds were chosen' grep -q 'finds 0.8 of the class&rsquo;s images in other' t.html
printf 'image,group\nc6_3.pgm,a\nc6_10.pgm,a\nc7_3.pgm,b\nc7_4.pgm,b\n' >both.csv
check 'groups may be in both lists' quiet evaluate k.cfg k.weights new -sensitivity 0.8 -chosen_on other -groups both.csv -json both.json -html both.html
check 'a group of both lists is told' grep -qx 'darknet: warning: 1 group of new is in other, too: thresholds look better than they are' err
check 'the page tells it, too' grep -q '<p class="worse"><b>1 group of new is in other, too: thresholds look better than they are.</b></p>' both.html
check 'so does JSON' python3 -c 'import json; j = json.load(open("both.json")); assert j["chosen_on_warnings"] == ["1 group of new is in other, too: thresholds look better than they are"] and json.load(open("t.json"))["chosen_on_warnings"] == []'
few='so few that others may give quite another threshold'
check 'a threshold says on how many images it was chosen, and that they are few' test "$(grep -cE ", chosen on 6 images in 6 groups: $few\$" out)$(grep -cE "Chosen on\">6 images in 6 groups <span class=\"worse\">$few<" both.html)" = 22
check 'JSON has the numbers' python3 -c 'import json; assert all(c["threshold_images"] == c["threshold_groups"] == 6 for c in json.load(open("both.json"))["classes"])'
mkdir -p many/six many/seven && cp images/c6_[3-9].pgm images/c6_1?.pgm many/six && cp images/c7_[3-9].pgm images/c7_1?.pgm many/seven
mkdir -p rest/six rest/seven && cp images/c5_*.pgm rest/six && cp images/c4_*.pgm rest/seven
check 'thresholds are chosen on 13 images of a class' quiet evaluate k.cfg k.weights rest -sensitivity 0.8 -chosen_on many
check 'which are not few' test "$(grep -cE ', chosen on 13 images$' out)" -eq 2
i=0; { echo image,group; for f in many/six/*; do echo "$f,$((i++ % 2))"; done; for f in many/seven/* rest/*/*; do echo "$f,$f"; done; } >many.csv
check 'thresholds are chosen on 13 images of few groups' quiet evaluate k.cfg k.weights rest -sensitivity 0.8 -chosen_on many -groups many.csv -html many.html
check 'of which the groups are counted' test "$(grep -cE "^    six: .*, chosen on 13 images in 2 groups: $few\$|^    seven: .*, chosen on 13 images in 13 groups\$" out)" -eq 2
check 'in the page, too' test "$(grep -cE "Chosen on\">13 images in (2 groups <span class=\"worse\">$few<|13 groups</td>)" many.html)" -eq 2
evaluate k.cfg k.weights other -csv other.csv >/dev/null
python3 - <<'END'
import csv, json, math
j = json.load(open("t.json"))
new, other = (list(csv.reader(open(f)))[1:] for f in ("new.csv", "other.csv"))
for k, c in enumerate(j["classes"]):
    own = sorted((float(r[7 + k]) for r in other if r[1] == c["class"]), reverse=True)
    assert c["threshold_log_odds"] == own[math.ceil(.8 * len(own) - 1e-9) - 1]
    found = [float(r[7 + k]) >= c["threshold_log_odds"] for r in new if r[1] == c["class"]]
    left = [float(r[7 + k]) < c["threshold_log_odds"] for r in new if r[1] != c["class"]]
    assert abs(c["sensitivity"]["value"] - sum(found) / 7) < 1e-15 and abs(c["specificity"]["value"] - sum(left) / 7) < 1e-15
END
check 'thresholds, sensitivity and specificity are those of the answers' test $? -eq 0

# Images that it has learned from, groups, and the other ways to name images
cp few/six/c6_0.pgm new/six/another_name.pgm
printf 'image,group\nanother_name.pgm,g\nc6_3.pgm,g\nc6_4.pgm,g\n' >g.csv
check 'meta evaluate takes groups' quiet evaluate k.cfg k.weights new -groups g.csv -json g.json -html g.html
check 'an image that was learned from is told, whatever it is called' grep -q 'warning: 1 of the 15 images is among those that the classifier has learned from, and others are of their groups: the figures are too good' err
check 'the page tells it, too' grep -q '1 of the images is among those that the classifier has learned from, and 2 more are of their groups' g.html
check 'JSON names it' python3 -c 'import json; j = json.load(open("g.json")); assert j["learned"] == ["new/six/another_name.pgm"] and j["beside_learned"] == 2 and j["groups"] == 13'
rm new/six/another_name.pgm
{ echo image,class; for f in new/*/*.pgm; do c=${f#new/}; echo "$f,${c%/*}"; done; } >new.list.csv
check 'meta evaluate takes a CSV' quiet evaluate k.cfg k.weights new.list.csv -json csv.json
same_figures() { python3 -c 'import json, sys; a, b = (json.load(open(f)) for f in sys.argv[1:]); 
[r.pop(k, None) for r in (a, b) for k in ("list", "chosen_on")]
assert a == b' "$@"; }
check 'a CSV gives the figures of the folder' same_figures new.json csv.json
printf '/six/\n/seven/\n' >labels.wrong; printf '/seven/\n/six/\n' >labels
find new -name '*.pgm' | sort >test.list; find other -name '*.pgm' | sort >valid.list
printf 'classes=2\nlabels=labels\nnames=k.names\ntest=test.list\nvalid=valid.list\n' >d.data
check 'meta evaluate takes a .data file' quiet evaluate k.cfg k.weights d.data -json d.json -sensitivity 0.8
check 'its thresholds are chosen on the valid list' same_figures d.json t.json
echo gone.pgm >gone.list; printf 'classes=2\nlabels=labels\nnames=k.names\ntest=gone.list\n' >gone.data
expect_error '^darknet: -sensitivity 2: ' evaluate k.cfg k.weights gone.data -sensitivity 2
expect_error '^darknet: gone.data: has no valid=' evaluate k.cfg k.weights gone.data -sensitivity 0.8
expect_error '^darknet: -chosen_on: is for -sensitivity' evaluate k.cfg k.weights gone.data -chosen_on other
expect_error '^darknet: .*gone.pgm' evaluate k.cfg k.weights gone.data
printf 'classes=2\nlabels=labels.wrong\ntest=test.list\n' >wrong.data
expect_error 'wrong.data: class 0 is /six/, but in k.data it is seven: must be in one order' evaluate k.cfg k.weights wrong.data
mkdir third && cp -r new/six third/ && cp -r new/seven third/eight
expect_error 'third: has a class eight, which is none of the 2 of k.data' evaluate k.cfg k.weights third
mv k.data k.data.away
grep -v '^# class ' k.cfg >nameless.cfg
expect_error 'new: its classes must be told from each other by their names: nameless.cfg has no names, and no .data file lies beside it: name' evaluate nameless.cfg k.weights new
check 'without a NAME.data the classes are told by NAME.cfg' quiet evaluate k.cfg k.weights new
check 'meta evaluate takes -names' quiet evaluate k.cfg k.weights new -names k.names
printf 'classes=2\nnames=elsewhere/k.names\n' >k.data
expect_error 'k.data:2: names: elsewhere/k.names: No such file' evaluate k.cfg k.weights new
check '-names stands in place of a NAME.data that is no good, as of a classifier that was moved' quiet evaluate k.cfg k.weights new -names k.names
rm k.data
mv k.data.away k.data
expect_error 'toy.cfg.*meta adapt' evaluate toy.cfg backup/toy_final.weights new
expect_error '^darknet: -csv k.weights: would be written over k.weights, which is read' evaluate k.cfg k.weights new -csv k.weights
expect_error '^darknet: -json k.weights: would be written over k.weights, which is read' evaluate k.cfg new -weights k.weights,k.weights -json k.weights
expect_error '^darknet: -csv both.csv: would be written over both.csv, which is read' evaluate k.cfg k.weights new -groups both.csv -csv both.csv
expect_error '^darknet: -html k.names: would be written over k.names, which is read' evaluate k.cfg k.weights new -names k.names -html k.names
mkdir left && cp k.cfg left && cp new/six/c6_3.pgm left/photo.csv && cp k.names left/k.names && echo '{"name": 1}' >left/x.json && : >left/empty.csv
cp -r left kept
for file in k.cfg photo.csv k.names x.json; do
    for kind in csv json html; do
        expect_error "^darknet: -$kind left/$file: is there and is not of meta evaluate: must be another name\$" evaluate k.cfg k.weights new -$kind left/$file
    done
done
expect_error '^darknet: -csv new/six/c6_3.pgm: is there and is not of meta evaluate: must be another name$' evaluate k.cfg k.weights new -csv new/six/c6_3.pgm
expect_error '^darknet: -html new.json: is there and is not of meta evaluate' evaluate k.cfg k.weights new -html new.json
check 'files of something else are left as they are' diff -r left kept
check 'an empty file may be written' quiet evaluate k.cfg k.weights new -csv left/empty.csv
python3 -c 'import json; json.dump(json.load(open("new.json")), open("plain.json", "w"))'
check 'files of an earlier call may be replaced, also JSON of another printer' quiet evaluate k.cfg k.weights new -csv new.csv -json plain.json -html new.html
check 'and are' cmp new.json plain.json
expect_error "^darknet: -out new.html: is there and is not of meta report: must be another name\$" "$DARKNET_BIN" meta report "$OLDPWD/data/results" -out new.html
expect_error '^darknet: ./one.out: must be one of -csv, -json and -html$' evaluate k.cfg k.weights new -csv one.out -json ./one.out
expect_error 'list: is for a .data file' evaluate k.cfg k.weights new -list test

# Few images
mkdir -p one/six one/seven && cp new/six/c6_3.pgm one/six && cp new/seven/c7_*.pgm one/seven
check 'one image of a class is evaluated' quiet evaluate k.cfg k.weights one -json one.json
check 'it says in words that there is no interval' grep -qE '^    six: [01][0-9.]* \(a class has fewer than two groups: no interval\), 1 image' out
check 'JSON has null and words, no NaN' python3 -c 'import json; c = json.load(open("one.json"), parse_constant=lambda x: 1 / 0)["classes"][1]; assert c["auc"]["low"] is None and "two groups" in c["auc"]["why"]'
rm -r one/six
check 'one class alone is evaluated' quiet evaluate k.cfg k.weights one -html none.html -json none.json
check 'it says in words that there is no AUC' grep -q '^    six: none: no image of the class, 0 images$' out
check 'nor a balanced accuracy, nor a mean AUC, and of which class there is no image' test "$(grep -cE '^(balanced accuracy|AUC, mean of classes) +none: no image of the class six$' out)" -eq 2
check 'the page says so' test "$(grep -c 'none: no image of the class six</span>' none.html)" -eq 2
check 'JSON has null, and the words' python3 -c 'import json; j = json.load(open("none.json")); assert all(j[k]["value"] is None and j[k]["why"] == "no image of the class six" and j[k]["classes"] == 1 for k in ("balanced_accuracy", "auc"))'
check 'nothing says nan' bash -c '! grep -qi "[^a-z]nan[^a-z]" out none.html'

# Two of three classes
check 'two of its classes are evaluated' quiet evaluate t3.cfg t3.weights new -json two.json -html two.html || cat err
check 'both means say of how many classes they are' test "$(grep -cE '^(balanced accuracy|AUC, mean of classes) .*, of 2 of 3 classes$' out)$(grep -c 'of 2 of 3 classes</td>' two.html)" = 22
check 'so does JSON' python3 -c 'import json; j = json.load(open("two.json")); assert j["balanced_accuracy"]["classes"] == j["auc"]["classes"] == 2'

# Images that another member of an ensemble has learned from
mkdir -p some/six some/seven
cp images/c6_3.pgm images/c6_4.pgm some/six; cp images/c7_3.pgm images/c7_4.pgm some/seven
check 'meta adapt makes another classifier' quiet "$DARKNET_BIN" meta adapt some toy.cfg backup/toy_final.weights -out m
check 'the images of every member of -weights are known' quiet evaluate k.cfg new -weights k.weights,m.weights -json m.json
check 'they are told' grep -qx 'darknet: warning: 4 of the 14 images are among those that the classifier has learned from: the figures are too good' err
check 'and nothing else' test "$(wc -l <err)" -eq 1
expect_error 'new: the classifier has learned from 4 of its images, such as new/.*: thresholds must be chosen on images that it has not' evaluate k.cfg other -weights k.weights,m.weights -sensitivity 0.8 -chosen_on new
mkdir lone && cp m.weights lone
check 'a member without a .cfg of its own is evaluated' quiet evaluate k.cfg new -weights k.weights,lone/m.weights -html m.html
untold="lone/m.cfg is not there to say what it was adapted to: images that it has learned from can't be told"
check 'its images are said not to be known' test "$(cat err)" = "darknet: warning: $untold"
check 'the page says so, too' grep -q "lone/m.cfg is not there to say what it was adapted to" m.html
check 'one network may lie elsewhere than its .cfg' quiet evaluate m.cfg lone/m.weights other
check 'of which nothing is said' test ! -s err

# A classifier that does not say what it was adapted to
grep -v '^# support ' k.cfg >silent.cfg
cp k.weights silent.weights
untold="silent.cfg does not say what it was adapted to: images that it has learned from can't be told"
check 'a classifier without the digests of its images is evaluated' quiet evaluate silent.cfg silent.weights few -json silent.json -names k.names
check 'it is said that its images are not known' test "$(cat err)" = "darknet: warning: $untold"
check 'a .cfg by another path is one file' quiet evaluate ./silent.cfg silent.weights new -json twice.json
check 'which is told once' python3 -c 'import json; assert len(json.load(open("twice.json"))["learned_untold"]) == 1'
check 'JSON says so, too' python3 -c 'import json, sys; assert json.load(open("silent.json"))["learned_untold"] == [sys.argv[1]] and json.load(open("m.json"))["learned_untold"] == []' "$untold"

# Groups of both data sets, whichever kind they are of
both='darknet: warning: 1 group of %s is in %s, too: thresholds look better than they are'
printf 'image,group\nnew/six/c6_3.pgm,a\nnew/seven/c7_3.pgm,b\n' >new.groups
printf 'image,group\nother/six/c6_10.pgm,c\nother/six/c6_11.pgm,a\nother/seven/c7_10.pgm,d\n' >other.groups
printf 'classes=2\nlabels=labels\nnames=k.names\ntest=test.list\ngroups=new.groups\n' >one.data
printf 'classes=2\nlabels=labels\nnames=k.names\nvalid=valid.list\ngroups=other.groups\n' >two.data
sed '/^groups/d' two.data >three.data
{ echo image,class,group; for f in other/*/*.pgm; do c=${f#*/}; g=${f##*_}; echo "$f,${c%/*},$([ $f = other/six/c6_11.pgm ] && echo a || echo "$f")"; done; } >other.rows.csv
check 'groups of two .data files are compared' quiet evaluate k.cfg k.weights one.data -sensitivity 0.8 -chosen_on two.data
check 'by their names' grep -qx "$(printf "$both" test.list valid.list)" err
check 'groups of a .data file and a CSV are compared' quiet evaluate k.cfg k.weights one.data -sensitivity 0.8 -chosen_on other.rows.csv
check 'by their names, too' grep -qx "$(printf "$both" test.list other.rows.csv)" err
sed -i 's/^other\/six\/c6_11.pgm,a/other\/six\/c6_11.pgm,e/' other.groups
check 'groups of two .data files may differ' quiet evaluate k.cfg k.weights one.data -sensitivity 0.8 -chosen_on two.data
check 'of which nothing is said' test -z "$(grep -v 'are in no group' err)"
check 'one of them may have no groups' quiet evaluate k.cfg k.weights one.data -sensitivity 0.8 -chosen_on three.data
check 'it is said that they cannot be compared' test "$(grep -v 'are in no group' err)" = "darknet: warning: valid.list names no groups: whether one of test.list is there, too, can't be told"

# Flags hold for the data that can take them
groups_of() { python3 -c 'import json, sys; j = json.load(open(sys.argv[1])); print(j["grouped"], j["groups"], sum(c["threshold_groups"] for c in j["classes"]))' "$1"; }
printf 'image,group\nc6_3.pgm,x\nc6_4.pgm,x\nc6_10.pgm,y\nc6_11.pgm,y\n' >shared.csv
s() { quiet evaluate k.cfg k.weights "$@" -sensitivity 0.8 -json mixed.json; }
check '-groups holds for a folder beside a .data file with groups' s new -groups shared.csv -chosen_on two.data
check 'of which each keeps its own' test "$(groups_of mixed.json)" = 'True 13 12'
check 'it holds for the folder that thresholds are chosen on' s one.data -groups shared.csv -chosen_on other
check 'of which each keeps its own, too' test "$(groups_of mixed.json)" = 'True 14 11'
check 'it holds for a folder beside a CSV with a column group' s new -groups shared.csv -chosen_on other.rows.csv
check 'whose column stands' test "$(groups_of mixed.json)" = 'True 13 12'
check 'it holds for both where both can' s new -groups shared.csv -chosen_on other
check 'and each has them' test "$(groups_of mixed.json)" = 'True 13 11'
mkdir -p nested/six/p nested/seven && cp new/six/c6_[345].pgm nested/six/p && cp new/seven/* nested/seven
check '-groups folders holds for a folder beside a CSV' s nested -groups folders -chosen_on other.rows.csv
check 'whose column stands then, too' test "$(groups_of mixed.json)" = 'True 8 12'
check '-range holds for a folder beside a .data file' s new -range 255 -chosen_on two.data
check 'and the other way about' s one.data -range 255 -chosen_on other
expect_error '^darknet: -groups: is for a folder or a CSV: must be groups= in one.data$' evaluate k.cfg k.weights one.data -groups shared.csv -sensitivity 0.8 -chosen_on two.data
expect_error '^darknet: -groups: is for a folder or a CSV: must be groups= in d.data$' evaluate k.cfg k.weights d.data -groups shared.csv -sensitivity 0.8
expect_error '^darknet: -groups shared.csv: other.rows.csv has a column group of its own: must be one of them$' evaluate k.cfg k.weights other.rows.csv -groups shared.csv -sensitivity 0.8 -chosen_on one.data
expect_error '^darknet: -groups folders: is for a folder of classes' evaluate k.cfg k.weights other.rows.csv -groups folders -sensitivity 0.8 -chosen_on two.data
expect_error '^darknet: -range: is for a folder or a CSV: must be range= in one.data$' evaluate k.cfg k.weights one.data -range 255 -sensitivity 0.8 -chosen_on two.data
