#!/usr/bin/env python3
"""Runs the program with one allocation or one system call failing, for every one of them in turn.

    tests/faults/sweep.py [--all] [--every N] [--most N] [--last N] [--from A,B] [--calls C,D] [--verbs V,W] [--jobs N]

Each verb runs on a toy data set, first unbroken, then with one allocation failing (of the program's own code, of
cJSON, of oneDNN, of libstdc++) or one system call that can, from main on: what the loader does before is not
the program's. Allocations are told by the path of calls that leads to them: of each path the first fails, in the
program's own code the last too, and a few of the rest (--rest). Paths through the loader, the initialisers of OpenCV's
260 libraries, are the same in every verb: --loading says how many of them. Of a kind of call at most --most-calls fail,
spread over them. --all has every single one fail. After each run one of these has to hold:

- exit status 0, and standard output and every file are those of the unbroken run; a chart may be missing where
  standard error says so;
- an exit status from 1 to 125 and a line on standard error; every file that was there before is as it was or as
  after the unbroken run, nothing temporary stays, and a training, run again, comes to the unbroken run's weights.

Prints a line a sweep, and each run in which none holds; ends with 1 if there was one.
"""
import argparse
import concurrent.futures
import os
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PROGRAM = os.environ.get("DARKNET_BIN", os.path.join(ROOT, "darknet"))
SHIM = os.path.join(os.path.abspath(os.environ.get("BUILD", os.path.join(ROOT, "build/release"))), "tests/fail_memory.so")
SOURCES = ["own", "libcjson", "libdnnl", "libstdc++"]
CALLS = {"openat": "EMFILE", "read": "EIO", "write": "ENOSPC", "fsync": "EIO", "rename": "EACCES", "close": "EIO",
         "mkdir": "ENOSPC", "newfstatat": "EACCES", "fstat": "EIO", "ftruncate": "EIO", "lseek": "EINVAL", "flock": "ENOLCK",
         "unlink": "EPERM", "clone3": "EAGAIN", "clone": "EAGAIN", "vfork": "EAGAIN", "mmap": "ENOMEM", "memfd_create": "EMFILE",
         "pread64": "EIO", "fchmod": "EPERM", "ftruncate": "EIO", "dup2": "EBUSY", "pipe2": "EMFILE", "poll": "ENOMEM",
         "pwrite64": "ENOSPC", "writev": "ENOSPC", "futex": None}
CALLS = {name: error for name, error in CALLS.items() if error}
ONE = ["-threads", "1"]
TRAIN = ["train", "t/toy.data", "t/toy.cfg", *ONE, "-max_batches"]
TABLE = "[table]\nname=Toy\ndata=t/toy.data\nruns=3\nfirst=2\n[row]\nlabel=One\ncfg=t/toy.cfg\nshots=2\n"

# What each verb is run with, and where a run that failed is run again: the arguments that then have to reach the unbroken
# run's files.
VERBS = {
    "train": (TRAIN + ["3"], TRAIN + ["3", "-resume"]),
    "resume": (TRAIN + ["6", "-resume"], TRAIN + ["6", "-resume"]),
    "pretrain": (["pretrain", "t/toy.data", "t/pre.cfg", *ONE, "-max_batches", "2"], None),
    "test": (["test", "t/toy.data", "t/toy.cfg", "w.weights", *ONE, "-runs", "2", "-out", "r.json", "-csv", "r.csv"], None),
    "adapt": (["adapt", "few.data", "t/toy.cfg", "w.weights", *ONE, "-out", "new"], None),
    "predict": (["predict", "k.cfg", "k.weights", "few.data", "few.list", "-csv"], None),
    "predict-json": (["predict", "k.cfg", "k.weights", "few.data", "few.list", "-json"], None),
    "export": (["export", "k.cfg", "k.weights", "few.data", "-onnx", "new.onnx"], None),
    "table": (["table", "toy.table", "-out", "o", *ONE], ["table", "toy.table", "-out", "o", *ONE]),
    "report": (["report", "made", "-markdown"], None),
    "compare": (["compare", "a.json", "b.json"], None),
    "check": (["check", "t/toy.cfg"], None),
}
# A picture of one pixel, as PNG
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR42mNgAAAAAgAB5Sfe/AAAAABJRU5ErkJggg=="
FRESH = ("train", "pretrain")      # verbs that are run on a data set without trainings


def run(folder, arguments, environment=(), before=()):
    env = dict(os.environ, LC_ALL="C", OMP_NUM_THREADS="1", PATH=os.path.join(os.path.dirname(folder), "bin") + ":" + os.environ["PATH"])
    env.update(environment)
    try:
        done = subprocess.run([*before, PROGRAM, "meta", *arguments], cwd=folder, env=env, stdin=subprocess.DEVNULL,
                              capture_output=True, timeout=120, check=False)
    except subprocess.TimeoutExpired as late:
        return 124, late.stdout or b"", late.stderr or b""
    return done.returncode, done.stdout, done.stderr


def files(folder):
    """The files of a folder by their paths, without the images, which no verb writes, and without the caches of lists,
    which a run can do without."""
    found = {}
    for at, folders, names in os.walk(folder):
        folders[:] = [d for d in folders if not os.path.islink(os.path.join(at, d))]
        for name in names:
            path = os.path.join(at, name)
            if name.endswith(".cache"):
                continue
            with open(path, "rb") as f:
                found[os.path.relpath(path, folder)] = f.read()
    return found


def plain(line):
    """A line without its times and sizes, which vary from run to run, of a log, of what is printed or of a JSON file."""
    line = re.sub(rb'("(?:seconds|memory_mb)":\s*)[0-9.]+', rb"\1N", line)
    line = re.sub(rb"[0-9.]+( seconds| s\b|% of the time| MB)", rb"N\1", line)
    return re.sub(rb"^([0-9]+(?:,[^,]*){3,4}?),[0-9]+\.[0-9]{4},[0-9]+\.[0-9]{4},", rb"\1,,,", line)


def mask(one, other):
    """A function that makes of a text what two runs, both unbroken, have in common: without times, and without the
    lines that still differ, and those that tell of a list's cache."""
    lines = lambda text: [line for line in text.split(b"\n") if b".cache: " not in line]
    a, b = lines(one), lines(other)
    vary = {i for i in range(min(len(a), len(b))) if plain(a[i]) != plain(b[i])}
    return lambda text: [plain(line) for i, line in enumerate(lines(text)) if i not in vary]


class Verb:
    def __init__(self, name, work):
        self.name, self.work = name, work
        self.arguments, self.again = VERBS[name]
        self.start = os.path.join(work, "fresh" if name in FRESH else "used")
        runs = []
        for i in range(2):
            folder = self.copy(f"good{i}")
            status, out, error = run(folder, self.arguments)
            if status:
                sys.exit(f"{name}: fails unbroken: exit status {status}: {error.decode()}")
            runs.append((out, error, files(folder)))
            shutil.rmtree(folder)
        (self.out, self.error, self.files), (out, _, other) = runs
        self.before = files(self.start)
        self.mask_out = mask(self.out, out)
        self.masks = {path: mask(self.files[path], other[path]) for path in self.files
                      if self.files[path] != other[path] or path.endswith(".csv")}

    def copy(self, tag):
        to = tempfile.mkdtemp(prefix=f"{self.name}.{tag}.", dir=self.work)
        os.rmdir(to)
        shutil.copytree(self.start, to, symlinks=True)
        return to

    def same(self, path, text):
        if path not in self.files:
            return False
        m = self.masks.get(path)
        return text == self.files[path] if m is None else m(text) == m(self.files[path])

    def judge(self, folder, status, out, error, kept=False):
        """What is wrong after a run, or None. kept: a file could not be removed, or not be seen to be the run's own."""
        now = files(folder)
        if status == 0:
            told = error != self.error or any(b"darknet: " in now[path] for path in now if path.endswith("/log.txt"))
            if not told and self.mask_out(out) != self.mask_out(self.out):
                return "exit status 0 and other output"
            for path in self.files:
                if path not in now and not (told and "chart" in path):
                    return f"exit status 0 without {path}"
                if path in now and not self.same(path, now[path]) and not (told and path.endswith(("made/report.html", "/log.txt"))):
                    return f"exit status 0 and another {path}"
            extra = sorted(path for path in now.keys() - self.files.keys() if not (kept and path.endswith((".lock", ".part"))))
            return f"exit status 0 and leaves {extra[0]}" if extra else None
        if b"error while loading shared libraries" in error:    # the loader's, before the program begins
            return None
        if status < 0 or status > 125 or status == 124:
            return f"exit status {status}: {error.decode(errors='replace').strip()[-200:]}"
        if not error.strip():
            return f"exit status {status} without a word"
        for path, text in self.before.items():
            if path not in now:
                return f"{path} is lost"
            if now[path] != text and not self.same(path, now[path]) and not path.endswith(".csv"):
                if not self.again:
                    return f"{path} is neither as before nor as after"
        stray = [path for path in now if ".tmp" in path]
        if stray:
            return f"{stray[0]} stays"
        return self.try_again(folder) if self.again else None

    def try_again(self, folder):
        arguments = [a for a in self.again if a != "-resume" or any(f.endswith(".state") for f in files(folder))]
        status, _, error = run(folder, arguments)
        if status:
            return f"can't be run again: {error.decode(errors='replace').strip()}"
        now = files(folder)
        for path in self.files:
            if path.endswith((".weights", ".backup")) and now.get(path) != self.files[path]:
                return f"run again, it comes to another {path}"
        return None

    def attempt(self, tag, environment=(), before=()):
        folder = self.copy(tag)
        status, out, error = run(folder, self.arguments, environment, before)
        wrong = self.judge(folder, status, out, error, any(f"inject={call}:" in word for word in before for call in ("unlink", "newfstatat")))
        shutil.rmtree(folder)
        return status, wrong


def prepare(work):
    """Two data sets: fresh, without a training, and used, with weights, an adapted network and results."""
    os.makedirs(os.path.join(work, "bin"))
    stand_in = os.path.join(work, "bin", "gnuplot")
    with open(stand_in, "w") as f:      # a chart takes a second and is not what is tested
        f.write(f"#!/bin/sh\ncat >/dev/null\nexec base64 -d <<END\n{PIXEL}\nEND\n")
    os.chmod(stand_in, 0o755)
    subprocess.run(["bash", "-c", f". {ROOT}/tests/toy.sh; toy t; sed -i '/^valid=/d' t/toy.data; cp -r t s; "
                    "toy_supervised s; mv s/toy.cfg t/pre.cfg; rm -r s"], cwd=work, check=True)
    shutil.move(os.path.join(work, "t", "images"), os.path.join(work, "images"))
    fresh, used = os.path.join(work, "fresh"), os.path.join(work, "used")
    os.mkdir(fresh)
    shutil.move(os.path.join(work, "t"), fresh)
    os.symlink(os.path.join(work, "images"), os.path.join(fresh, "t", "images"))
    shutil.copytree(fresh, used, symlinks=True)

    def ok(*arguments):
        status, _, error = run(used, arguments)
        if status:
            sys.exit(f"the toy can't be prepared: {' '.join(arguments)}: {error.decode()}")

    ok(*TRAIN, "3")
    shutil.copy(os.path.join(used, "t/backup/toy_final.weights"), os.path.join(used, "w.weights"))
    test = open(os.path.join(used, "t/test.list")).read().split()
    for name, text in {"few.list": "\n".join(test[:3] + test[-3:]) + "\n", "l2": "c6_\nc7_\n", "toy.table": TABLE,
                       "few.data": "classes=2\nlabels=l2\ntrain=few.list\n"}.items():
        with open(os.path.join(used, name), "w") as f:
            f.write(text)
    ok("adapt", "few.data", "t/toy.cfg", "w.weights", *ONE, "-out", "k")
    ok("test", "t/toy.data", "t/toy.cfg", "w.weights", *ONE, "-runs", "3", "-out", "a.json")
    ok("test", "t/toy.data", "t/toy.cfg", "w.weights", *ONE, "-runs", "3", "-steps", "2", "-out", "b.json")
    ok("table", "toy.table", "-out", "made", *ONE)


class Path:
    """One path of calls to allocations: the numbers of its first and its last, and how often it is taken."""
    def __init__(self, line):
        self.name, *rest = line.split()
        self.first, self.last, self.times, self.loading = (int(x) for x in rest)


def count_allocations(verb, source):
    """How many allocations of a source a run makes, and the paths to them."""
    folder = verb.copy("count")
    total = os.path.join(folder, "count")
    run(folder, verb.arguments, {"LD_PRELOAD": SHIM, "FAULT_FROM": source, "FAULT_COUNT": total})
    with open(total) as f:
        number, *lines = f.read().splitlines()
    shutil.rmtree(folder)
    return int(number), [Path(line) for line in lines]


def spread(numbers, most):
    """At most so many of the numbers, spread over them; 0: all."""
    return [numbers[i * len(numbers) // most] for i in range(most)] if 0 < most < len(numbers) else numbers


def sweep_allocations(pool, verb, source, o):
    """Returns how many failures were injected, and how many of them went wrong."""
    count, paths = count_allocations(verb, source)
    least = count + 1 - o.last if o.last else 1
    chosen = [p for p in paths if not p.loading]
    chosen += spread([p for p in paths if p.loading], o.loading)
    numbers = {p.first for p in chosen}
    if source == "own":
        numbers |= {p.last for p in chosen}
    rest = [n for n in range(1, count + 1) if n not in numbers]
    numbers = sorted(n for n in numbers.union(rest if o.all else spread(rest, o.rest) if o.rest else []) if n >= least)
    numbers = spread(numbers[::o.every], o.most)
    whole, hit = len(numbers) >= len(chosen), set()
    total = bad = 0

    def setting(n):
        return {"LD_PRELOAD": SHIM, "FAULT_FROM": source, "FAULT_AT": str(n),
                "FAULT_HIT": os.path.join(verb.work, f"hit.{verb.name}.{source}.{n}")},

    for _ in range(3):      # threads may have changed places, and another path have failed
        a, b = sweep(pool, verb, f"allocations, {source}", numbers, setting)
        total, bad = total + a, bad + b
        for n in numbers:
            file = setting(n)[0]["FAULT_HIT"]
            if os.path.exists(file):
                with open(file) as f:
                    hit.add(f.read().strip())
                os.remove(file)
        wanted = {p.name for p in chosen}
        numbers = sorted(p.first for p in count_allocations(verb, source)[1] if p.name in wanted - hit) if whole else []
        if not numbers:
            break
    print(f"{verb.name:13} allocations, {source:9} {count:6} by {len(paths)} paths, of which {len(hit)} failed", flush=True)
    return total, bad


def count_calls(verb, call):
    """(first, last): the numbers of such calls from main on, strace counting by thread. The first is after those of the
    loader, which the main thread makes before main looks at its standard streams."""
    folder = verb.copy("count")
    log = os.path.join(verb.work, f"strace.{verb.name}")
    run(folder, verb.arguments, (), ["strace", "-ff", "--seccomp-bpf", "-qq", "-o", log, "-e", f"trace={call},fcntl"])
    first, last = 1, 0
    for name in os.listdir(verb.work):
        if name.startswith(os.path.basename(log) + "."):
            with open(os.path.join(verb.work, name), errors="replace") as f:
                lines = f.read().split("\n")
            starts = [i for i, line in enumerate(lines) if line.startswith("fcntl(0, F_GETFD")]
            numbers = [i for i, line in enumerate(lines) if line.startswith(call + "(")]
            last = max(last, len(numbers))
            if starts:
                first = max(first, 1 + sum(i < starts[0] for i in numbers))
            os.remove(os.path.join(verb.work, name))
    shutil.rmtree(folder)
    return first, last


def sweep(pool, verb, what, numbers, setting, keep=10):
    done = list(pool.map(lambda n: (n, *verb.attempt(str(n), *setting(n))), numbers))
    bad = [(n, wrong) for n, _, wrong in done if wrong]
    told = sum(status != 0 and not wrong for _, status, wrong in done)
    print(f"{verb.name:13} {what:22} {len(done):6} failures injected: {told} told, {len(done) - told - len(bad)} without effect, "
          f"{len(bad)} wrong", flush=True)
    for n, wrong in bad[:keep]:
        print(f"    number {n}: {wrong}")
    return len(done), len(bad)


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("--all", action="store_true", help="every allocation and every call, not one a path")
    p.add_argument("--rest", type=int, default=20, help="so many allocations more, spread over those of a source")
    p.add_argument("--loading", type=int, default=20, help="at most so many paths through the loader; 0: all")
    p.add_argument("--most-calls", type=int, default=400, help="at most so many calls of a kind; 0: all")
    p.add_argument("--every", type=int, default=1, help="inject every Nth failure alone")
    p.add_argument("--from", dest="source", default=",".join(SOURCES), help="whose allocations fail; empty for none")
    p.add_argument("--calls", default=",".join(CALLS), help="the system calls that fail; empty for none")
    p.add_argument("--verbs", default=",".join(VERBS))
    p.add_argument("--jobs", type=int, default=os.cpu_count())
    p.add_argument("--last", type=int, default=0, help="of the allocations only so many, the last")
    p.add_argument("--most", type=int, default=0, help="at most so many failures of a sweep, spread over it")
    o = p.parse_args()
    split = lambda s: [x for x in s.split(",") if x]
    total = bad = 0
    with tempfile.TemporaryDirectory(prefix="darknet-meta-faults.") as work:
        prepare(work)
        calls = split(o.calls)
        if calls and (not shutil.which("strace")
                      or subprocess.run(["strace", "-qq", "true"], capture_output=True, check=False).returncode):
            print("system calls: not tried: strace is not installed or can't trace here")
            calls = []
        with concurrent.futures.ThreadPoolExecutor(o.jobs) as pool:
            for name in split(o.verbs):
                verb = Verb(name, work)
                for source in split(o.source):
                    a, b = sweep_allocations(pool, verb, source, o)
                    total, bad = total + a, bad + b
                for call in calls:
                    first, last = count_calls(verb, call)
                    if last < first:
                        continue
                    numbers = spread(range(first, last + 1, o.every), o.most or (0 if o.all else o.most_calls))
                    if len(numbers) < last + 1 - first:
                        print(f"{name:13} calls, {call}: {len(numbers)} of {last + 1 - first}, spread")
                    a, b = sweep(pool, verb, f"calls, {call}", numbers,
                                 lambda k: ((), ["strace", "-f", "--seccomp-bpf", "-qq", "-o", "/dev/null",
                                                 "-e", f"trace={call}", "-e", f"inject={call}:error={CALLS[call]}:when={k}"]))
                    total, bad = total + a, bad + b
    print(f"{total} failures injected, {bad} wrong")
    return bad > 0


if __name__ == "__main__":
    sys.exit(main())
