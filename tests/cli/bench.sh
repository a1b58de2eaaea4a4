#!/bin/bash
# meta bench: every figure that it promises is there and agrees with the others, and what it
# refuses. No test can say how fast anything is.
. tests/lib.sh
. tests/toy.sh
a=$TMP_TEST/a
mkdir -p "$a"
toy "$a"
bench() { "$DARKNET_BIN" meta bench "$@" >"$a/out" 2>"$a/err"; }
# json EXPRESSION [FILE]: whether EXPRESSION is true of the document d; row(name, order, threads,
# batch) is one of its rows
json()
{
    python3 - "$1" "${2:-$a/b.json}" <<'PY'
import json, sys
d = json.load(open(sys.argv[2]))
rows = d["rows"]
def row(name, order=None, threads=1, batch=10, keep=0):
    keep = keep if order == 2 else None
    found = [r for r in rows if (r["name"], r["order"], r["threads"], r["batch"], r["keep"]) == (name, order, threads, batch, keep)]
    assert len(found) == 1, (name, order, threads, batch, len(found))
    return found[0]
def near(x, y):
    return abs(x - y) <= 1e-6 * abs(y)
sys.exit(0 if eval("(" + sys.argv[1] + ")") else 1)
PY
}

check 'meta bench measures on one thread and on two' bench "$a/toy.cfg" -threads 2 -seconds .002 -out "$a/b.json"
check 'meta bench writes nothing to standard error' test ! -s "$a/err"
check 'meta bench writes no file but that of -out' test "$(ls "$a" | tr '\n' ' ')" = 'b.json backup err images labels out test.list toy.cfg toy.data train.list valid.list '

# 12x12x1: 34 taps a side of 12; 6x6 after the pool, 144 inputs of the connected layer. In multiply-adds: 34*34*4 and 288.
check 'meta bench counts the arithmetic of an image' json 'd["flop_of_an_image"] == {"forward": 2*(4624+288), "backward": 2*(4624+2*288),
    "forward_tangent": 2*(4624+2*288), "backward_tangent": 2*(4624+4*288)}'
check 'meta bench writes its settings' json 'all(d["settings"][k] == v for k, v in dict(width=12, height=12, channels=1, ways=2, shots=2, queries=3, tasks=3, steps=2,
    threads=2, batch=10, backend="onednn", parameters=4+4+36+2+288).items()) and d["settings"]["isa"] in ("base", "avx2", "avx512")'
check 'meta bench agrees with the reference backend' json 'len(d["check"]) == 5 and all(c["error"] <= c["limit"] for c in d["check"])'
check 'meta bench has rows of one thread and of two' json 'all(row(*r[:2], threads=t, batch=r[2])["rounds"] >= 5 for t in (1, 2) for r in
    [("forward", None, 10), ("gradient", None, 10), ("gradient", None, 4), ("Hessian product", None, 4), ("task", 1, 10), ("task", 2, 10),
     ("meta-iteration", 1, 10), ("meta-iteration", 2, 10)]) and row("task, keep=1", 2, keep=1) and row("stock libdarknet'"'"'s gradient")'
check 'each row of meta bench has the arithmetic of its work' json 'row("forward", threads=2)["flop"] == 2*10*9824 and row("gradient")["flop"] == 10*(9824+10400)
    and row("Hessian product", batch=4)["flop"] == 4*(10400+11552) and row("task", 1)["flop"] == 14*(9824+10400) == row("task", 1, 2)["flop"] / 2
    and row("task", 2)["flop"] == 14*(9824+10400) + 8*(10400+11552) == row("meta-iteration", 2, 2)["flop"] / 3'
check 'each rate of meta bench follows from its time' json 'all(near(r["images_per_second"], r["images"] / r["seconds"]["median"])
    and near(r["gflops"], r["flop"] / r["seconds"]["median"] / 1e9) for r in rows)'
check 'medians of meta bench lie between least and most, all more than 0' json 'all(0 < s["least"] <= s["median"] <= s["most"] for r in rows for s in
    (r["seconds"], r["processor_seconds"], r["peak_flops"], r["share"], r["processor_share"]))
    and all(0 < s["least"] <= s["median"] <= s["most"] for r in d["ratios"] for s in (r["clock"], r["processor"]))'
check 'meta bench has ratios between threads and to stock libdarknet' json 'sum("2 threads against 1" in r["name"] for r in d["ratios"]) == 9 and sum("stock" in r["name"] for r in d["ratios"]) == 1'
check 'meta bench has the time and the arithmetic of each layer' json 'sorted(set(o["layer"] for o in d["layers"]["operations"])) == [0, 2, 3, 4] and d["layers"]["batch"] == 4
    and all(x > 0 for o in d["layers"]["operations"] for x in o["seconds"].values())
    and sum(o["flop"]["backward_tangent"] for o in d["layers"]["operations"]) == 4 * d["flop_of_an_image"]["backward_tangent"]'
# 3x3 tiles of 4 and 2x2 of 6 cover 12x12, of four images and from 1 channel to 4: 36 and 64 multiply-adds a tile and pair of channels
check 'meta bench has the bounds of each convolution' json '[c["layer"] for c in d["convolutions"]] == [0]
    and d["convolutions"][0]["winograd_4x4"]["product_flop"] == {"forward": 2*36*36*4, "weights_gradient": 2*36*36*4, "data_gradient": 0, "forward_tangent": 2*36*36*4, "backward_tangent": 2*36*36*4}
    and d["convolutions"][0]["winograd_6x6"]["product_flop"]["forward"] == 2*64*16*4 and d["convolutions"][0]["winograd_6x6"]["transform_flop"]["forward"] == 16*(16*37+4*14*30)+4*11*17
    and d["convolutions"][0]["flop"]["forward"] == 4*2*4624 and d["convolutions"][0]["bytes"]["forward"] == 4*(4*144*5+36)
    and all((s > 0) == (part != "data_gradient") for part, s in d["convolutions"][0]["seconds"].items())'
check 'meta bench has the memory of each order, keep and number of threads' json '[(m["order"], m["keep"], m["threads"]) for m in d["memory"]] == [(1, None, 1), (1, None, 2), (2, 0, 1), (2, 1, 1), (2, 0, 2), (2, 1, 2)]
    and all(m["process_bytes"] > m["worker_bytes"] > 0 for m in d["memory"]) and d["stock_bytes"] > 1e6
    and d["memory"][1]["worker_bytes"] == 2 * d["memory"][0]["worker_bytes"] and d["memory"][2]["worker_bytes"] > d["memory"][3]["worker_bytes"]'
check 'meta bench prints the formula of FLOP' grep -q '^FLOP = 2 x multiply-adds' "$a/out"
check 'meta bench prints the table of layers' grep -Eq '^ +0  convolution 3x3/1, 1 to 4, 12x12 normalise bias leaky maxpool 2/2 +[0-9.]+ +[0-9]+% ' "$a/out"
check 'meta bench prints each convolution beside its bound' grep -Eq '^ +0  convolution 3x3/1, 1 to 4, 12x12 .* F\([46]x[46]\)( +[0-9.]+ +[0-9]+% +[0-9]+%){2} +- ( +[0-9.]+ +[0-9]+% +[0-9]+%){3} +[0-9.]+$' "$a/out"
check 'meta bench prints the ratio to stock libdarknet' grep -Eq '^ +gradient: against stock libdarknet, 1 thread +[0-9.]+ \(' "$a/out"

check 'meta bench -threads 1 -batch 5 runs' bench "$a/toy.cfg" -threads 1 -batch 5 -seconds .001 -out "$a/b.json"
check 'meta bench -threads 1 -batch 5 has no rows of other threads or batches' json 'all(r["threads"] == 1 for r in rows) and row("forward", batch=5)["flop"] == 5*9824 and row("stock libdarknet'"'"'s gradient", batch=5)
    and not any("threads" in r["name"] for r in d["ratios"]) and len(d["memory"]) == 3'
check 'meta bench runs without -out' bench "$a/toy.cfg" -threads 1 -seconds .001
check 'meta bench writes no file without -out' test "$(ls "$a" | wc -l)" -eq 11

# The .cfg sets keep; tests/unit/test_bench_work.c sets second_order_start.
sed 's/^order=2/&\nkeep=1/' "$a/toy.cfg" >"$a/keep.cfg"
check 'meta bench runs with keep=1 in the .cfg' bench "$a/keep.cfg" -threads 1 -seconds .001 -out "$a/k.json"
sed 's/^order=2/&\nadapt=head/' "$a/toy.cfg" >"$a/head.cfg"
check 'meta bench runs where a head moves alone' bench "$a/head.cfg" -threads 1 -seconds .001 -out "$a/head.json"
check 'meta bench does not measure keep=1 where it has no effect' json '[m["keep"] for m in d["memory"]] == [None, 0] and row("task", 2) and not any(r["name"] == "task, keep=1" for r in rows)' "$a/head.json"
check 'meta bench measures with keep=1 where the .cfg has it' json '[m["keep"] for m in d["memory"]] == [None, 1] and row("task", 2, keep=1) and not any(r["name"] == "task, keep=1" for r in rows)' "$a/k.json"

# The .cfg has Darknet's own [net] keys, CRLF and comments; the stock network still gets our batch.
{ printf '# bench\n[net]\nbatch=64\nsubdivisions=16\n'; sed 1d "$a/toy.cfg"; } | sed 's/$/\r/' >"$a/crlf.cfg"
check 'meta bench reads a .cfg with batch, subdivisions and CRLF' bench "$a/crlf.cfg" -threads 1 -seconds .001

# A network with [relation]: 4 support and 6 query images go through the first convolution, 12 pairs
# through what follows. It has neither an order 2 nor a stock network to compare with.
{ sed '/^\[maxpool\]/,$d' "$a/toy.cfg"
  printf '%s\n' '[relation]' '[connected]' output=1 activation=logistic '[cost]' type=sse '[inner_loop]' steps=0 test_steps=0 order=1 '[meta_loss]' type=mean; } >"$a/pairs.cfg"
check 'meta bench runs a network with [relation]' bench "$a/pairs.cfg" -threads 1 -seconds .001 -out "$a/k.json"
check 'meta bench counts the arithmetic of a task with [relation]' json 'near(row("task", 1)["flop"], 2 * (2*10*4624 + 3*12*2*4*144)) and near(row("gradient")["flop"], row("task", 1)["flop"])
    and row("meta-iteration", 1)["images"] == 30 and len(rows) == 4 and not d["ratios"] and d["stock_bytes"] == None' "$a/k.json"
expect_error 'pairs\.cfg pairs the images of whole tasks, 10: leave it out' "$DARKNET_BIN" meta bench "$a/pairs.cfg" -batch 4
check 'meta bench says that stock has no network with [relation]' grep -q '^Stock libdarknet is not timed beside it: it has no layer that pairs images$' "$a/out"

# without_stock WHY SED: the toy changed by SED is timed without stock, which has no such network, and WHY is told
without_stock()
{
    sed -E "$2" "$a/toy.cfg" >"$a/other.cfg"
    check "meta bench runs without stock: $1" bench "$a/other.cfg" -threads 1 -seconds .001 -out "$a/k.json"
    check "meta bench tells why: $1" grep -Eq "^Stock libdarknet is not timed beside it: it reads $1\$" "$a/out"
    check "meta bench has all but stock: $1" json '"it reads" in d["no_stock"] and d["stock_bytes"] == None and not d["ratios"] and row("task", 2) and row("gradient")
        and not any("stock" in r["name"] for r in rows) and len(d["memory"]) == 3 and d["layers"]["operations"]' "$a/k.json"
}
without_stock 'layer 0, \[convolutional\], otherwise: dilation, which it leaves out' '/^filters/i dilation=2'
without_stock 'layer 0, \[dropout\], otherwise: of the image' '/^\[convolutional\]/i [dropout]\nprobability=.1\n'
without_stock 'layer 0, \[convolutional\], otherwise: padding of size=1' 's/^size=3/size=1\npadding=1/; /^pad=1/d'
without_stock 'layer 2, \[scale_channels\], otherwise: not known' '/^\[maxpool\]/i [avgpool]\n\n[scale_channels]\nfrom=-2\n'

expect_error 'usage: darknet meta bench CFG' "$DARKNET_BIN" meta bench
expect_error 'usage: darknet meta bench CFG' "$DARKNET_BIN" meta bench "$a/toy.cfg" again
expect_error 'nosuch\.cfg: ' "$DARKNET_BIN" meta bench "$a/nosuch.cfg"
expect_error '^darknet: -threads 0: must be 1 to 1024' "$DARKNET_BIN" meta bench "$a/toy.cfg" -threads 0
expect_error '^darknet: -batch 1: must be 2 to ' "$DARKNET_BIN" meta bench "$a/toy.cfg" -batch 1
expect_error '^darknet: -seconds 0: must be 0.001 to ' "$DARKNET_BIN" meta bench "$a/toy.cfg" -seconds 0
expect_error '^darknet: -seconds x: must be a number' "$DARKNET_BIN" meta bench "$a/toy.cfg" -seconds x
expect_error '^darknet: -kernels fast: must be own or onednn' "$DARKNET_BIN" meta bench "$a/toy.cfg" -kernels fast
expect_error '^darknet: -seed: unknown flag; allowed: -threads -batch -seconds -kernels -out -sweep -channels -sizes -ranks -latency -bandwidth -mpi -patience -h' "$DARKNET_BIN" meta bench "$a/toy.cfg" -seed 1
cp "$a/toy.cfg" "$a/another.cfg"
for words in "$a/toy.cfg" "$a/toy.cfg -ranks" -sweep; do
    # shellcheck disable=SC2086
    expect_error "^darknet: -out $a/another.cfg: is there and is not of meta bench: must be another name\$" "$DARKNET_BIN" meta bench $words -out "$a/another.cfg"
done
check 'meta bench leaves a file of something else as it is' cmp "$a/toy.cfg" "$a/another.cfg"
rm "$a/another.cfg"
expect_error 'nosuch/b\.json: can.t write there' "$DARKNET_BIN" meta bench "$a/toy.cfg" -threads 1 -seconds 1e5 -out "$a/nosuch/b.json"
sed '/^\[inner_loop\]/,$s/^learning_rate=.*/learning_rate=1e30/' "$a/toy.cfg" >"$a/fast.cfg"
expect_error 'the meta-gradient is not finite|learning_rate=1e30: must be' "$DARKNET_BIN" meta bench "$a/fast.cfg" -threads 1 -seconds .001
check 'meta bench leaves no process behind' test -z "$(pgrep -f "meta bench $a/")"

# ---- the sweep over channels and sizes --------------------------------------------------------------

check 'meta bench -sweep runs on a small range' bench -sweep -channels 15-17 -sizes 2-3 -seconds .001 -out "$a/s.json"
check 'meta bench -sweep writes nothing to standard error' test ! -s "$a/err"
check 'meta bench -sweep has a row of each kind, size and number of channels' json 'sorted((r["in"], r["out"], r["size"], r["first_layer"]) for r in rows) ==
    sorted(s for c in (15, 16, 17) for k in (2, 3) for s in ((c, c, k, False), (c, 32, k, False), (32, c, k, False), (1, c, k, True), (3, c, k, True)))' "$a/s.json"
check 'meta bench -sweep times each row, and stock, too' json 'all(r[k] > 0 for r in rows for k in ("gradient", "product", "stock", "ratio"))' "$a/s.json"
check 'a multiple of 16 channels is its own next multiple' json 'all(r["ratio"] == 1 for r in rows if 16 in (r["in"], r["out"]))' "$a/s.json"
check 'meta bench -sweep prints a table of each kind' test "$(grep -Ec '^(C to C|C to 32|32 to C|first layer, [13] to C) +2x2 +3x3' "$a/out")" -eq 5
check 'meta bench -sweep prints the worst against the next multiple of 16' grep -Eq '^slowest against the next multiple of 16 channels: [0-9]+ to [0-9]+, [23]x[23].*: [0-9.]+ times its time$' "$a/out"
check 'meta bench -sweep prints the worst against stock' grep -Eq '^slowest against stock libdarknet: [0-9]+ to [0-9]+, [23]x[23].*: [0-9.]+ times as fast$' "$a/out"
if grep -qw avx2 /proc/cpuinfo; then
    check 'no convolution is left to a reference implementation' json 'all(r["reference"] is None for r in rows)' "$a/s.json"
    older() { ONEDNN_MAX_CPU_ISA=SSE41 "$DARKNET_BIN" meta bench "$@" >"$a/out" 2>"$a/err"; }
    # Older instructions, for which the library has less: there is something to warn of.
    check 'meta bench -sweep runs with older instructions' older -sweep -channels 5 -sizes 1 -seconds .001 -out "$a/s.json"
    check 'meta bench -sweep notes reference implementations' json 'any((r["reference"] or "").startswith("ref") for r in rows)' "$a/s.json"
    check 'meta bench -sweep warns of reference implementations' grep -Eq '^Warning: [0-9]+ convolutions? .*reference implementation, ref' "$a/out"
    # An 1x1 convolution of 5 to 5 channels is layer 1.
    printf '%s\n' '[net]' width=6 height=6 channels=1 '[convolutional]' filters=5 size=3 pad=1 activation=leaky \
        '[convolutional]' filters=5 size=1 activation=leaky '[connected]' output=2 activation=linear '[softmax]' >"$a/ref.cfg"
    check 'meta bench runs with older instructions' older "$a/ref.cfg" -threads 1 -seconds .001
    check 'meta bench warns of a layer with a reference implementation' grep -Eq '^Warning: layer [01] is slow on this processor: .*, ref' "$a/out"
else
    skip 'no convolution is left to a reference implementation' 'this processor has no AVX2'
fi
expect_error '^darknet: -channels 0: must be 1 to 4096' "$DARKNET_BIN" meta bench -sweep -channels 0
expect_error '^darknet: -channels 7: must be 9 to 4096' "$DARKNET_BIN" meta bench -sweep -channels 9-7
expect_error '^darknet: -channels 1-x: must be|^darknet: -channels x: must be a whole number' "$DARKNET_BIN" meta bench -sweep -channels 1-x
expect_error '^darknet: -sizes 32: must be 1 to 31' "$DARKNET_BIN" meta bench -sweep -sizes 32
expect_error '^darknet: -threads: is for the benchmark of a .cfg, not for -sweep' "$DARKNET_BIN" meta bench -sweep -threads 1
expect_error '^darknet: -latency: is for -ranks alone' "$DARKNET_BIN" meta bench "$a/toy.cfg" -latency 5
expect_error '^darknet: -batch: is not for -ranks' "$DARKNET_BIN" meta bench "$a/toy.cfg" -ranks -batch 4
expect_error '^darknet: -ranks: is for a .cfg, not for -sweep' "$DARKNET_BIN" meta bench -sweep -ranks
quiet_ranks() { bench "$a/toy.cfg" -ranks -threads 1 -seconds .002 -out "$a/ranks.json" "$@"; }
check 'meta bench -ranks predicts for another transport' quiet_ranks -latency 1000 -bandwidth 100
predicts() { python3 -c "import json; d = json.load(open('$a/ranks.json')); c = d['costs']
assert c['latency_seconds'] == .001 and c['start_seconds'] == .003 and c['bandwidth_bytes_a_second'] == 1.25e7 and [p['ranks'] for p in d['predicted']] == [1, 2, 4, 8, 64, 512], d"; }
check 'the prediction is of that transport' predicts
expect_error '^darknet: -sizes: is for -sweep alone' "$DARKNET_BIN" meta bench "$a/toy.cfg" -sizes 3
expect_error 'usage: darknet meta bench CFG' "$DARKNET_BIN" meta bench -sweep "$a/toy.cfg"
expect_error 'nosuch/s\.json: can.t write there' "$DARKNET_BIN" meta bench -sweep -out "$a/nosuch/s.json"
check 'meta bench -sweep leaves no process behind' test -z "$(pgrep -f "meta bench -sweep -channels 15-17")"
