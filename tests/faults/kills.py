#!/usr/bin/env python3
"""Kills runs at random moments, goes on, and compares what comes of it with an unbroken run.

    tests/faults/kills.py [--kills N] [--seed S] [--verbs train,table,...] [--seconds T]

Each trial begins a run on a toy data set and ends it with SIGKILL one to three times: after a random time, or, where strace
is installed, at the Nth call of a kind that changes files. In between it is gone on with as a user would (-resume where
there is a checkpoint, else the same command). After each kill only files of the run, its lock and its temporary files may
be there; after the last run all files are, bit for bit, those of the unbroken run (but for times and memory), and no other.
What a training has used of the processor and of memory is known to the table that waits for it alone: where that was
killed, and the training ended by itself, usage.json may be missing.

Prints the seed, a line a verb and each trial that fails; ends with 1 if there was one.
"""
import argparse
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from sweep import PROGRAM, ROOT, files

CALLS = ["rename", "openat", "unlink", "fsync", "write", "pwrite64", "ftruncate", "mkdir", "flock"]
ONE = ["-threads", "1"]
TRAIN = ["train", "t/toy.data", "t/toy.cfg", "-max_batches", "30", "-backup_every", "4", "-valid_every", "10", "-valid_runs", "2", *ONE]
TABLE = ("[table]\nname=Toy\ndata=t/toy.data\nruns=3\nfirst=2\n[row]\nlabel=One\ncfg=t/toy.cfg\nshots=1,2\n"
         "[row]\nlabel=Two\ncfg=t/two.cfg\nshots=2\n")
VERBS = {
    "train": TRAIN,
    "again": TRAIN,          # over an earlier training of the name, which has to be kept
    "curriculum": TRAIN,
    "pretrain": ["pretrain", "t/toy.data", "t/toy.cfg", "-max_batches", "30", "-backup_every", "4", "-valid_every", "10", *ONE],
    "table": ["table", "toy.table", "-out", "o", *ONE],
    "adapt": ["adapt", "few.data", "t/toy.cfg", "w.weights", "-out", "new", "-steps", "20", *ONE],
}
TEMPORARY = re.compile(r"\.tmp\.[0-9]+(\.[0-9]+)?$")


def environment(folder):
    """Without a gnuplot, whose time is not the run's."""
    return dict(os.environ, LC_ALL="C", OMP_NUM_THREADS="1", PATH=os.path.join(folder, "bin") + ":" + os.environ["PATH"])


def plain(path, data):
    """The bytes of a file without what differs from run to run: times, memory, and how often it was run."""
    if path.endswith(".csv"):
        return re.sub(rb"(?m)^([0-9]+(?:,[^,]*){%d}),[^,]*,[^,]*," % (3 if b"iteration,loss" in data else 4), rb"\1,,,", data)
    if path.endswith("usage.json") or path.endswith(".txt"):
        return b""
    if path.endswith(".json"):
        data = re.sub(rb'"memory_mb":\s*[^,}\]]*,\s*', b"", data)
        return re.sub(rb'("(?:[a-z_]*seconds|[a-z_]*memory_mb|date|when)":\s*)[-0-9.e+]+', rb"\1", data)
    return data


class Trials:
    def __init__(self, verb, work, dice):
        self.verb, self.work, self.dice, self.arguments = verb, work, dice, VERBS[verb]
        self.start = os.path.join(work, verb)
        self.kills = self.trials = self.failed = 0
        folder = self.copy()
        begun = time.monotonic()
        status, error = self.run(folder)
        self.seconds = time.monotonic() - begun
        if status:
            sys.exit(f"{verb}: fails unbroken: exit status {status}: {error}")
        self.good = files(folder)
        shutil.rmtree(folder)
        self.calls = self.count_calls() if shutil.which("strace") else {}

    def copy(self):
        to = tempfile.mkdtemp(prefix=f"{self.verb}.", dir=self.work)
        os.rmdir(to)
        shutil.copytree(self.start, to, symlinks=True)
        return to

    def command(self, folder):
        """What goes on with what is in the folder."""
        state = os.path.exists(os.path.join(folder, "t/backup/toy.state"))
        ours = self.verb != "again" or os.path.exists(os.path.join(folder, "t/backup/toy.1.state"))
        resume = ["-resume"] if self.verb in ("train", "again", "curriculum", "pretrain") and state and ours else []
        return [PROGRAM, "meta", *self.arguments, *resume]

    def begin(self, folder, before=()):
        return subprocess.Popen([*before, *self.command(folder)], cwd=folder, env=environment(self.work), stdin=subprocess.DEVNULL,
                                stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True)

    def run(self, folder):
        process = self.begin(folder)
        try:
            _, error = process.communicate(timeout=300)
        except subprocess.TimeoutExpired:
            process.kill()
            return 124, "goes on after 300 seconds"
        return process.returncode, error.decode(errors="replace").strip()

    def count_calls(self):
        """How many calls of each kind an unbroken run makes."""
        folder, counts = self.copy(), {}
        log = os.path.join(folder, "..", self.verb + ".calls")
        process = self.begin(folder, ["strace", "-f", "-qq", "-o", log, "-e", "trace=" + ",".join(CALLS)])
        process.communicate()
        with open(log, errors="replace") as f:
            for line in f:
                call = re.match(r"[0-9]+ +([a-z0-9]+)\(", line)
                if call:
                    counts[call[1]] = counts.get(call[1], 0) + 1
        shutil.rmtree(folder)
        return counts

    def kill_once(self, folder):
        """Begins a run and kills it. Returns how, or None when the run ended before."""
        if self.calls and self.dice.random() < .5:
            call = self.dice.choice(sorted(self.calls))
            nth = self.dice.randint(1, self.calls[call])
            how = f"at {call} {nth}"
            process = self.begin(folder, ["strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=" + call, "-e",
                                          f"inject={call}:signal=KILL:when={nth}"])
            process.communicate()
            return how if process.returncode in (-9, 137) else None
        after = self.dice.uniform(0, self.seconds)
        group = self.dice.random() < .5     # with the processes that it has started, or without
        process = self.begin(folder)
        time.sleep(after)
        killed = process.poll() is None
        if killed:
            (os.killpg if group else os.kill)(process.pid, signal.SIGKILL)
        process.communicate()
        return f"after {after:.3f} s" if killed else None

    def strays(self, folder, ended):
        """The files that have no business there."""
        known = set(self.good)
        wrong = []
        for path in files(folder):
            name = TEMPORARY.sub("", path)
            if path in known or (not ended and (name in known or path.endswith(".lock") or name.endswith(".part"))):
                continue
            wrong.append(path)
        return wrong

    def trial(self):
        folder, how, wrong = self.copy(), [], []
        for _ in range(self.dice.randint(1, 3)):
            killed = self.kill_once(folder)
            if killed:
                how.append(killed)
                wrong += [f"{path} is there, {killed}" for path in self.strays(folder, False)]
        self.kills += len(how)
        status, error = self.run(folder)
        if status:
            wrong.append(f"exit status {status}: {error}")
        now = files(folder)
        wrong += [f"{path} is left" for path in self.strays(folder, True)]
        wrong += [f"{path} is missing" for path in self.good
                  if path not in now and os.path.basename(path) != "usage.json"]
        wrong += [f"{path} differs" for path in self.good if path in now and plain(path, now[path]) != plain(path, self.good[path])]
        self.trials += 1
        if wrong:
            self.failed += 1
            print(f"{self.verb}: killed {', then '.join(how) or 'never'}:")
            for line in wrong:
                print(f"    {line}")
            if "KEEP" in os.environ:
                shutil.copytree(folder, os.path.join(os.environ["KEEP"], f"{self.verb}.{self.trials}"), symlinks=True)
        shutil.rmtree(folder)


def prepare(work, verbs):
    """A folder for each verb, as its runs find it."""
    subprocess.run(["bash", "-c", f". {ROOT}/tests/toy.sh; TMP_TEST=$PWD no_charts; mv no_charts bin; sed -i s#/no_charts/#/bin/#g bin/gnuplot; "
                    "toy t; cp -r t tasks; toy_supervised t; mv t supervised; mv tasks t"], cwd=work, check=True)
    shutil.move(os.path.join(work, "t/images"), os.path.join(work, "images"))
    shutil.rmtree(os.path.join(work, "supervised/images"))

    def make(verb, kind="t"):
        to = os.path.join(work, verb)
        os.mkdir(to)
        shutil.copytree(os.path.join(work, kind), os.path.join(to, "t"))
        os.symlink(os.path.join(work, "images"), os.path.join(to, "t/images"))
        return to

    def ok(folder, *arguments):
        subprocess.run([PROGRAM, "meta", *arguments], cwd=folder, env=environment(work), check=True, stdout=subprocess.DEVNULL)

    for verb in verbs:
        folder = make(verb, "supervised" if verb == "pretrain" else "t")
        cfg = os.path.join(folder, "t/toy.cfg")
        with open(cfg) as f:
            text = f.read()
        if verb == "curriculum":
            with open(cfg, "w") as f:
                f.write(text.replace("tasks=3", "tasks=3\nsampler=curriculum").replace("decay=", "average=0.9\ndecay="))
        if verb == "again":
            ok(folder, "train", "t/toy.data", "t/toy.cfg", "-max_batches", "5", "-valid_every", "0", *ONE)
        if verb == "table":
            with open(os.path.join(folder, "t/two.cfg"), "w") as f:
                f.write(text.replace("type=difficulty\neta=2\nstart=7", "type=difficulty\neta=3\nstart=7"))
            with open(os.path.join(folder, "toy.table"), "w") as f:
                f.write(TABLE)
        if verb == "adapt":
            ok(folder, "train", "t/toy.data", "t/toy.cfg", "-max_batches", "3", "-valid_every", "0", *ONE)
            shutil.move(os.path.join(folder, "t/backup/toy_final.weights"), os.path.join(folder, "w.weights"))
            shutil.rmtree(os.path.join(folder, "t/backup"))
            with open(os.path.join(folder, "few.data"), "w") as f:
                f.write("classes=2\nlabels=two\ntrain=few.list\n")
            with open(os.path.join(folder, "two"), "w") as f:
                f.write("c6_\nc7_\n")
            with open(os.path.join(folder, "t/test.list")) as test, open(os.path.join(folder, "few.list"), "w") as f:
                lines = test.readlines()
                f.writelines(lines[:3] + lines[-3:])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=200, help="at least so many in all (200)")
    parser.add_argument("--seed", type=int, default=None, help="of the moments (the clock's)")
    parser.add_argument("--verbs", default=",".join(VERBS), help=",".join(VERBS))
    parser.add_argument("--seconds", type=float, default=1e9, help="no new trial after so many")
    options = parser.parse_args()
    seed = int(time.time()) if options.seed is None else options.seed
    verbs = options.verbs.split(",")
    begun = time.monotonic()
    print(f"seed {seed}", flush=True)
    work = tempfile.mkdtemp(prefix="kills.")
    try:
        prepare(work, verbs)
        all_trials = [Trials(verb, work, random.Random(f"{seed} {verb}")) for verb in verbs]
        # The verb with the fewest kills is next, so that all have their share
        while sum(t.kills for t in all_trials) < options.kills and time.monotonic() - begun < options.seconds:
            min(all_trials, key=lambda t: t.kills).trial()
    finally:
        shutil.rmtree(work, ignore_errors=True)
    for t in all_trials:
        print(f"{t.verb}: {t.kills} kills in {t.trials} trials, {t.failed} failed")
    print(f"{sum(t.kills for t in all_trials)} kills, {sum(t.failed for t in all_trials)} trials failed")
    sys.exit(any(t.failed for t in all_trials))


if __name__ == "__main__":
    main()
