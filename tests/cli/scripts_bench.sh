#!/bin/bash
# scripts/bench.py: the turns of its programs, and every figure of its table;
# scripts/bench_ncnn.sh: what it refuses, and that its side of ours fits the engine;
# scripts/bench_pytorch.py, where PyTorch is installed
. tests/lib.sh
. tests/toy.sh
a=$TMP_TEST/a
mkdir -p "$a"
toy "$a"
sed -i '/^\[dropout\]/d; /^probability/d' "$a/toy.cfg"
py=/usr/bin/python3
[ -x $py ] || py=python3

# A stand-in for both programs that notes its turns and prints figures that a person can compare
cat >"$a/stub" <<PROGRAM
#!/usr/bin/env python3
import json, os, sys
ours, here = sys.argv[1] == "meta", "$a"
with open(here + "/turns", "a") as log:
    log.write("%s %s\n" % ("ours" if ours else "pytorch", " ".join(sys.argv[1:])))
run = sum(line.startswith("ours" if ours else "pytorch") for line in open(here + "/turns"))
if os.path.exists(here + "/broken"):
    sys.exit(3)
def s(x):
    return {"median": x, "least": x / 2, "most": x * 2}
if ours:
    def row(name, order, threads, batch, seconds, share):
        return {"name": name, "order": order, "threads": threads, "batch": batch, "images": batch * threads, "keep": 0, "share": s(share),
                "processor_share": s(share / 2), "seconds": s(seconds), "processor_seconds": s(seconds * 2)}
    rows = [row("gradient", None, 1, 40, 4, .5 + .1 * run), row("gradient", None, 2, 40, 5, .3), row("gradient", None, 1, 10, 1, .1), row("Hessian product", None, 1, 10, 1, .5),
            row("meta-iteration", 1, 2, 40, 10, .4), row("meta-iteration", 2, 2, 40, 20 * run, .4), row("meta-iteration", 2, 1, 40, 30, .4)]
    ratio = [{"name": "gradient: against stock libdarknet, 1 thread", "clock": s(9.), "processor": s(7.)},
             {"name": "meta-iteration, order 2, batch 40: 2 threads against 1", "clock": s(1.9), "processor": s(1.)}]
    memory = [{"name": "meta-iteration", "order": o, "keep": k, "threads": t, "process_bytes": 1e8 * t, "worker_bytes": 1} for o, k in ((1, None), (2, 0), (2, 1)) for t in (1, 2)]
    document = {"program": "darknet meta bench", "format": 1, "settings": {"batch": 40, "ways": 2, "shots": 5, "queries": 15, "threads": 2},
                "rows": rows, "ratios": ratio, "memory": memory}
    json.dump(document, open(sys.argv[sys.argv.index("-out") + 1], "w"))
else:
    def row(name, order, threads, images, seconds):
        return {"name": name, "order": order, "threads": threads, "batch": 40, "images": images, "layout": "planar", "seconds": s(seconds),
                "processor_seconds": s(seconds * 4), "process_bytes": 1e9}
    rows = [row("gradient", None, 1, 40, 8), row("gradient", None, 2, 40, 10), row("meta-iteration", 1, 1, 160, 60), row("meta-iteration", 2, 2, 160, 600)]
    json.dump({"program": "bench_pytorch.py", "format": 1, "rows": rows}, sys.stdout)
PROGRAM
chmod +x "$a/stub"
table() { DARKNET_BIN=$a/stub BENCH_PYTORCH=$a/stub scripts/bench.py "$a/toy.cfg" -threads 2 -out "$a/b" "$@" >"$a/out" 2>"$a/err"; }
line() { grep -Eq -- "^$1" "$a/out"; }

check 'bench.py runs two rounds' table -seconds .5
check 'bench.py runs both programs in turn' test "$(sed 's/ .*//' "$a/turns" | tr '\n' ' ')" = 'ours pytorch ours pytorch '
check 'bench.py gives both programs the same settings' test "$(grep -c "$a/toy.cfg -threads 2 -seconds 0.5" "$a/turns")" -eq 4
check "bench.py gives PyTorch's second round the choices of the first" grep -qx "pytorch $a/toy.cfg -threads 2 -seconds 0.5 -as $a/b/pytorch_1.json" "$a/turns"
check 'bench.py keeps what each program writes' test "$(ls "$a/b" | tr '\n' ' ')" = 'ours_1.json ours_2.json pytorch_1.json pytorch_2.json '
check 'bench.py prints the share of the peak, and that its bar is met' line 'gradient, share of FMA peak, 1 thread +65\.0%  \(60\.0% to 70\.0%\) +32\.5%   60\.0%  met$'
check 'bench.py prints that a bar is missed' line 'Hessian product, share of FMA peak, 1 thread +50\.0%  .* 55\.0%  not met$'
check 'bench.py prints the speed against stock libdarknet' line 'gradient, times stock libdarknet, 1 thread +9\.00  \(9\.00 to 9\.00\) +7\.00    8\.00  met$'

expect_error '^usage: scripts/bench_ncnn\.sh NCNN' scripts/bench_ncnn.sh
expect_error 'nosuch: has no include/ncnn/layer\.h: must be where ncnn is installed$' scripts/bench_ncnn.sh "$a/nosuch"
expect_error '-shapes: unknown flag; allowed: -rounds -batch -shape$' scripts/bench_ncnn.sh "$a/nosuch" -shapes 1
expect_error '-rounds: must have a value$' scripts/bench_ncnn.sh "$a/nosuch" -rounds
check "bench_ncnn.c fits the engine's headers" gcc -std=gnu11 -Wall -Wextra -Werror -fsyntax-only -Isrc scripts/bench_ncnn.c
check 'bench.py prints the speed against PyTorch on one thread' line 'gradient, times PyTorch, 1 thread +2\.00  \(2\.00 to 2\.00\) +4\.00    3\.00  not met$'
check 'bench.py counts two batches in the time of one on two threads' line 'gradient, times PyTorch, as many threads +4\.00  .* +8\.00    3\.00  met$'
check "bench.py compares order 1 with the best of PyTorch's threads" line 'meta-iteration, order 1, times PyTorch.s best +3\.00 .* 3\.50  not met$'
check 'bench.py compares order 2 by medians over rounds' line 'meta-iteration, order 2, times PyTorch.s best +11\.25  \(7\.50 to 15\.00\) .* 5\.00  met$'
check 'bench.py prints the speed of all threads against one' line 'meta-iteration, order 2, all threads times one +1\.90  .* 1\.85  met$'
check 'bench.py prints a dash for a figure that is missing' line 'meta-iteration, order 1, all threads times one +-$'
check 'bench.py prints the memory against that of PyTorch' line 'memory, order 2, PyTorch.s times ours +5\.00  .* 4\.00  met$'
check 'bench.py -rounds 3 runs with the default seconds' table -rounds 3
check 'bench.py -rounds 3 makes three rounds' test "$(grep -c -- '-seconds 2$\|-seconds 2 ' "$a/turns")" -eq 6
touch "$a/broken"
expect_error '^bench\.py: .*stub: ended with status 3$' env DARKNET_BIN="$a/stub" BENCH_PYTORCH="$a/stub" scripts/bench.py "$a/toy.cfg" -out "$a/b"
rm "$a/broken"
expect_error '^bench\.py: -rounds 0: must be at least 1$' scripts/bench.py -rounds 0

# Our own program, against the stand-in for PyTorch
check 'bench.py reads what meta bench writes' env BENCH_PYTORCH="$a/stub" scripts/bench.py "$a/toy.cfg" -rounds 1 -seconds .001 -threads 2 -out "$a/c"
cp "$test_log/out" "$a/out"
check 'bench.py finds the share of the peak in what meta bench writes' line 'Hessian product, share of FMA peak, 1 thread +[0-9.]+% .*met$'
check 'bench.py finds the speed against stock in what meta bench writes' line 'gradient, times stock libdarknet, 1 thread +[0-9.]+ .*met$'
check 'bench.py finds the meta-iteration of order 2 in what meta bench writes' line 'meta-iteration, order 2, times PyTorch.s best +[0-9.]+ .*met$'
check 'bench.py finds the speed of all threads in what meta bench writes' line 'meta-iteration, order 1, all threads times one +[0-9.]+ .*met$'
check 'bench.py finds the memory in what meta bench writes' line 'memory, order 2, keep=1, PyTorch.s times ours +[0-9.]+ '

if ! $py -c 'import torch' 2>/dev/null; then skip 'bench_pytorch.py' 'PyTorch is not installed'; exit; fi
if [ "$TEST_VARIANT" != release ]; then skip 'bench_pytorch.py' "nothing of ours runs under $TEST_VARIANT in it"; exit; fi
expect_error '^bench_pytorch\.py: .*nosuch\.cfg: No such file' scripts/bench_pytorch.py "$a/nosuch.cfg"
expect_error '^bench_pytorch\.py: -threads must be at least 1' scripts/bench_pytorch.py "$a/toy.cfg" -threads 0
# Every choice is given, so that one process measures each figure.
echo '{"rows": [{"name": "gradient", "order": null, "threads": 1, "layout": "channels_last"}, {"name": "meta-iteration", "order": 1, "threads": 1, "layout": "planar"},
    {"name": "meta-iteration", "order": 2, "threads": 1, "layout": "channels_last"}]}' >"$a/as.json"
check 'bench_pytorch.py measures' bash -c "scripts/bench_pytorch.py '$a/toy.cfg' -threads 1 -seconds .01 -as '$a/as.json' >'$a/p.json'"
check 'bench_pytorch.py agrees with the reference and writes every row' $py -c "
import json
d = json.load(open('$a/p.json'))
assert set(d['check']) == {'loss', 'order 1', 'order 2'} and all(0 < x < 1e-4 for x in d['check'].values()), d['check']
rows = d['rows']
assert [(r['name'], r['order'], r['threads'], r['layout'], r['images'], r['batch']) for r in rows] == [('gradient', None, 1, 'channels_last', 10, 10),
    ('meta-iteration', 1, 1, 'planar', 30, 10), ('meta-iteration', 2, 1, 'channels_last', 30, 10)], rows
assert all(0 < r['seconds']['least'] <= r['seconds']['median'] <= r['seconds']['most'] and r['process_bytes'] > 1e7 for r in rows)"
sed 's/F.batch_norm(x, None, None, tensor\["scales"\] \*/F.batch_norm(x, None, None, tensor["scales"] * 1.01 */' scripts/bench_pytorch.py >"$a/bench_pytorch.py"
ln -s "$PWD/scripts/reference" "$a/reference"
expect_error '^bench_pytorch\.py: loss: apart from the reference.s by' $py "$a/bench_pytorch.py" "$a/toy.cfg" -threads 1 -as "$a/as.json"
