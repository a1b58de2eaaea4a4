# The man page has no mistakes and leaves out no flag of any verb and no option of the new sections and of [net].
. tests/lib.sh

page=data/darknet-meta.1
if command -v man >/dev/null; then
    LC_ALL=C.UTF-8 MANWIDTH=100 man --warnings -E UTF-8 -l -Tutf8 $page >"$TMP_TEST/page" 2>"$TMP_TEST/warnings"
    check 'man warns of nothing in darknet-meta.1' test ! -s "$TMP_TEST/warnings"
    check 'man prints darknet-meta.1' grep -q 'bootstrap interval' "$TMP_TEST/page"
else
    skip 'man warns of nothing in darknet-meta.1' 'man is not installed'
fi

for verb in lists train pretrain test calibrate adapt predict evaluate features export compare table report grad check bench doctor stock version help; do
    missing=
    # The verb's own part of the page, with \- written as -
    sed -n "/^\.SS $verb\$/,/^\.S[SH]/p" $page | sed 's/\\-/-/g; s/\\~/ /g' >"$TMP_TEST/part"
    for flag in $("$DARKNET_BIN" meta $verb -h | sed -n 's/^    \(-[a-z_]*\).*/\1/p' | grep -v '^-h$'); do
        grep -Eq -- "^\.BI? $flag( |\$)" "$TMP_TEST/part" || missing="$missing $flag"
    done
    check "darknet-meta.1 has the flags of $verb:${missing:- all there}" test -z "$missing" -a -s "$TMP_TEST/part"
done
for section in net episode inner_loop momentum meta_loss; do
    missing= count=0
    sed -n "/^\.SS \"\?\[$section\]/,/^\.S[SH]/p" $page >"$TMP_TEST/part"
    for option in $("$DARKNET_BIN" meta help $section | sed -n 's/^    \([A-Za-z][A-Za-z_0-9]*\) .*\(whole\|number\|choice\|text\).*/\1/p'); do
        count=$((count + 1))
        [ $option != inputs ] || continue                       # of no use but to agree with the others
        grep -qw -- "$option" "$TMP_TEST/part" || missing="$missing $option"
    done
    check "darknet-meta.1 has the $count options of [$section]:${missing:- all there}" test -z "$missing" -a $count -ge 4
done
