#!/usr/bin/python3
"""Runs `darknet meta bench` and scripts/bench_pytorch.py in turn, A B A B, and prints how they compare. make bench installs and builds first.

    scripts/bench.py [CFG] [-rounds 2] [-seconds 2] [-threads N] [-out FOLDER]

CFG is cfg/daml-4conv.cfg unless given; what each run wrote stays in FOLDER (build/bench), ours_1.json, pytorch_1.json, ours_2.json...
Each figure is the median of the rounds, with the least and the most. A ratio is given by the clock and by processor time: the second is
disturbed less by other work on the machine, but does not see threads that wait. The bars are those of the project, for cfg/daml-4conv.cfg
on two cores with AVX-512.

DARKNET_BIN and BENCH_PYTORCH name other programs to run in place of the two.
"""
import argparse
import json
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))


def fail(text):
    print("bench.py: " + text, file=sys.stderr)
    sys.exit(1)


def run(command, out):
    """Standard output to the file, or shown where there is none."""
    print("$ " + " ".join(command) + (" > " + out if out else ""), flush=True)
    with open(out, "w") if out else open(os.dup(1), "w") as file:
        status = subprocess.run(command, stdout=file).returncode
    if status:
        fail("%s: ended with status %d" % (command[0], status))


def read(path, program):
    with open(path) as file:
        document = json.load(file)
    if document.get("program") != program or document.get("format") != 1:
        fail("%s: is not a result of %s, format 1" % (path, program))
    return document


def find(rows, **wanted):
    """The one row that has all of this, or None."""
    found = [r for r in rows if all(r.get(k) == v for k, v in wanted.items())]
    return found[0] if len(found) == 1 else None


def median(x):
    x = sorted(x)
    return (x[(len(x) - 1) // 2] + x[len(x) // 2]) / 2


# ---- comparisons: each gives (by the clock, by processor time) of one round, or None where a side has no such figure ----------------------

def share(name):
    def of(ours, theirs):
        batch = ours["settings"]["batch"] if name == "gradient" else ours["settings"]["ways"] * ours["settings"]["shots"]
        r = find(ours["rows"], name=name, threads=1, batch=batch)
        return r and (r["share"]["median"], r["processor_share"]["median"])
    return of


def noted(text):
    """A ratio that ours worked out by itself, round by round."""
    def of(ours, theirs):
        r = [r for r in ours["ratios"] if text(ours) in r["name"]]
        return (r[0]["clock"]["median"], r[0]["processor"]["median"]) if r else None
    return of


def per_image(row, key):
    return row[key]["median"] / row["images"]


def faster(name, order, ours_threads, their_threads):
    def of(ours, theirs):
        a = find(ours["rows"], name=name, order=order, threads=ours_threads(ours), batch=ours["settings"]["batch"] if not order else images_of_a_task(ours))
        b = [r for r in theirs["rows"] if (r["name"], r["order"]) == (name, order) and their_threads(ours) in (None, r["threads"])]
        return a and b and tuple(per_image(b[0], key) / per_image(a, key) for key in ("seconds", "processor_seconds"))
    return of


def images_of_a_task(ours):
    s = ours["settings"]
    return s["ways"] * (s["shots"] + s["queries"])


def smaller(order, keep):
    def of(ours, theirs):
        a = [m for m in ours["memory"] if m["order"] == order and m["threads"] == ours["settings"]["threads"] and (keep is None or m["keep"] == keep)]
        b = find(theirs["rows"], name="meta-iteration", order=order)
        return a and b and (b["process_bytes"] / a[0]["process_bytes"],) * 2
    return of


def one(ours):
    return 1


def most(ours):
    return ours["settings"]["threads"]


def any_number(ours):
    return None


COMPARISONS = [  # what, figure, bar, how it is written
    ("gradient, share of FMA peak, 1 thread", share("gradient"), .60, "%.1f%%"),
    ("Hessian product, share of FMA peak, 1 thread", share("Hessian product"), .55, "%.1f%%"),
    ("gradient, times stock libdarknet, 1 thread", noted(lambda ours: "against stock"), 8, "%.2f"),
    ("gradient, times PyTorch, 1 thread", faster("gradient", None, one, one), 3, "%.2f"),
    ("gradient, times PyTorch, as many threads", faster("gradient", None, most, most), 3, "%.2f"),
    ("meta-iteration, order 1, times PyTorch's best", faster("meta-iteration", 1, most, any_number), 3.5, "%.2f"),
    ("meta-iteration, order 2, times PyTorch's best", faster("meta-iteration", 2, most, any_number), 5, "%.2f"),
    ("meta-iteration, order 1, all threads times one", noted(lambda ours: "meta-iteration, order 1, batch %d: %d threads" % (images_of_a_task(ours), most(ours))), 1.85, "%.2f"),
    ("meta-iteration, order 2, all threads times one", noted(lambda ours: "meta-iteration, order 2, batch %d: %d threads" % (images_of_a_task(ours), most(ours))), 1.85, "%.2f"),
    ("memory, order 1, PyTorch's times ours", smaller(1, None), None, "%.2f"),
    ("memory, order 2, PyTorch's times ours", smaller(2, None), 4, "%.2f"),
    ("memory, order 2, keep=1, PyTorch's times ours", smaller(2, 1), None, "%.2f"),
]


def write(form, x):
    return form % (100 * x if form.endswith("%%") else x)


def print_table(rounds):
    print("\n%-50s %8s  %-20s %9s  %6s" % ("%d rounds, medians" % len(rounds), "by clock", "least to most", "processor", "bar"))
    for what, figure, bar, form in COMPARISONS:
        found = [f for f in (figure(ours, theirs) for ours, theirs in rounds) if f]
        if not found:
            print("%-50s %8s" % (what, "-"))
            continue
        clock, processor = ([f[i] for f in found] for i in (0, 1))
        line = "%-50s %8s  %-20s %9s" % (what, write(form, median(clock)), "(%s to %s)" % (write(form, min(clock)), write(form, max(clock))),
                                         write(form, median(processor)) if "threads times" not in what and "memory" not in what else "")
        if bar is not None:
            line += "  %6s  %s" % (write(form, bar), "met" if median(clock) >= bar else "not met")
        print(line)


def print_times(rounds):
    print("\n%-34s %-26s %-26s" % ("ms, median of rounds", "ours", "PyTorch"))
    ours, theirs = zip(*rounds)
    for r in theirs[-1]["rows"]:
        same = dict(name=r["name"], order=r["order"], threads=r["threads"], layout=r["layout"])
        other = [find(t["rows"], **same) for t in theirs]
        mine = [find(o["rows"], name=r["name"], order=r["order"], threads=r["threads"], batch=r["batch"]) for o in ours]
        def cell(rows):
            rows = [1e3 * row["seconds"]["median"] * r["images"] / row["images"] for row in rows if row]
            return "%.1f (%.1f to %.1f)" % (median(rows), min(rows), max(rows)) if rows else "-"
        name = r["name"] + (", order %d" % r["order"] if r["order"] else "")
        print("%-34s %-26s %-26s %s, %.0f MB" % ("%s, %d thread%s" % (name, r["threads"], "s" * (r["threads"] > 1)), cell(mine), cell(other), r["layout"],
                                               r["process_bytes"] / 1e6))


def main():
    parser = argparse.ArgumentParser(description="`darknet meta bench` and PyTorch in turn.")
    parser.add_argument("cfg", nargs="?", default="cfg/daml-4conv.cfg")
    parser.add_argument("-rounds", type=int, default=2)
    parser.add_argument("-seconds", type=float, default=2.)
    parser.add_argument("-threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("-out", default="build/bench")
    options = parser.parse_args()
    if options.rounds < 1:
        fail("-rounds %d: must be at least 1" % options.rounds)
    darknet = os.environ.get("DARKNET_BIN", "./darknet")
    pytorch = os.environ.get("BENCH_PYTORCH", os.path.join(HERE, "bench_pytorch.py"))
    how = ["-threads", str(options.threads), "-seconds", "%g" % options.seconds]
    os.makedirs(options.out, exist_ok=True)
    rounds, chosen = [], []
    for i in range(1, options.rounds + 1):
        ours, theirs = (os.path.join(options.out, "%s_%d.json" % (name, i)) for name in ("ours", "pytorch"))
        run([darknet, "meta", "bench", options.cfg] + how + ["-out", ours], None)
        run([pytorch, options.cfg] + how + chosen, theirs)
        chosen = ["-as", theirs]
        rounds.append((read(ours, "darknet meta bench"), read(theirs, "bench_pytorch.py")))
    print_times(rounds)
    print_table(rounds)


if __name__ == "__main__":
    main()
