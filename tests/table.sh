# What tests of a table on a toy share: the table is $t/x.table, its folder $t/out. Sourced after toy.sh.

# eta_cfg: makes $t/eta.cfg, which is $t/toy.cfg with tasks that are weighed from iteration 2 on
eta_cfg() { { sed '/^\[meta_loss\]/,$d' "$t/toy.cfg"; printf '[meta_loss]\ntype=difficulty\neta=1\nstart=2\n'; } >"$t/eta.cfg"; }
darknet() { "$DARKNET_BIN" "$@"; }
quiet() { "$@" >"$t/said" 2>"$t/err" || { cat "$t/said" "$t/err"; return 1; }; }
table() { darknet meta table "$t/x.table" -out "$t/out" "$@"; }
# change SED, wrong REGEX: changes the table, and sees that it is refused before it is as it was
change() { cp "$t/x.table" "$t/kept"; sed -i "$1" "$t/x.table"; }
wrong() { expect_error "$1" table -dry; cp "$t/kept" "$t/x.table"; }
