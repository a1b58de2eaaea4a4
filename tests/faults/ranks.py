#!/usr/bin/env python3
"""Breaks trainings of several ranks at random moments, goes on, and compares what comes of it with a training of one process.

    tests/faults/ranks.py [--moments N] [--seed S] [--kinds kill,stop,cut] [--limit SECONDS] [--within SECONDS] [--seconds T]

Each trial begins a toy training of two to four ranks under Open MPI's mpirun. At a random moment of their life, from the start of the
processes to their end, one rank gets SIGKILL (kill) or SIGSTOP (stop), or the network between two namespaces, with a rank in each, is cut
(cut: as root). Then, within the limit (30): mpirun has ended, not with 0, and no process of the training is left; after stop and cut a line
says which rank is silent, or that MPI has not begun or ended; only files of the training are there, its lock and temporary ones; there is a
checkpoint if one was due. Another number of ranks, or one process, goes on with it (-resume), and then all files are, bit for bit, those of
one process that was never stopped.

Prints the seed, a line a trial, and what is wrong; ends with 1 if anything is, and with 77 where there can be no namespaces.
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

from kills import plain
from sweep import PROGRAM, ROOT, files

LAST, EVERY = 60, 7     # iterations, and those between checkpoints
ALONE = 10              # seconds after which a rank that the others have left is woken: longer than they, and mpirun, have patience
TRAIN = ["train", "t/toy.data", "t/toy.cfg", "-name", "toy", "-threads", "1", "-seed", "5", "-valid_every", "0", "-max_batches", str(LAST),
         "-backup_every", str(EVERY)]
TOLD = re.compile(r"darknet: .*(rank [0-9]+ \(.*\) has been silent|MPI has not (begun|ended) after)")
NO_DAEMON = "inability to create a connection back to mpirun"   # cut while mpirun still starts: it tells so itself, of no rank
ADDRESSES = "10.79.0.1", "10.79.0.2"
MPI = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1", "OMPI_MCA_rmaps_base_oversubscribe": "1",
       "OMPI_MCA_hwloc_base_binding_policy": "none", "OMPI_MCA_btl_base_warn_component_unused": "0",
       "OMPI_MCA_btl_vader_single_copy_mechanism": "none"}
# By the last three mpirun sees that the other machine is gone before the ranks lose patience
NETWORK = {"OMPI_MCA_btl": "tcp,self", "OMPI_MCA_btl_tcp_if_include": "v0", "OMPI_MCA_oob_tcp_if_include": "v0",
           "OMPI_MCA_oob_tcp_keepalive_time": "2", "OMPI_MCA_oob_tcp_keepalive_intvl": "1", "OMPI_MCA_oob_tcp_keepalive_probes": "2"}


def processes(folder):
    """The ranks that run in a folder: {rank: process}."""
    found = {}
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            if os.readlink(f"/proc/{pid}/cwd") != folder or os.path.basename(os.readlink(f"/proc/{pid}/exe")) != "darknet":
                continue
            with open(f"/proc/{pid}/environ", "rb") as f:
                rank = re.search(rb"(?:^|\0)OMPI_COMM_WORLD_RANK=([0-9]+)", f.read())
            found[int(rank[1]) if rank else -1] = int(pid)
        except OSError:
            pass    # it has ended
    return found


class Network:
    """Two namespaces with a cable between them."""
    def __init__(self, work):
        self.names = [f"meta{side}{os.getpid()}" for side in "AB"]
        self.agent = os.path.join(work, "agent")
        with open(self.agent, "w") as f:
            f.write(f'#!/bin/sh\nshift\nexec ip netns exec {self.names[1]} sh -c "$*"\n')
        os.chmod(self.agent, 0o755)

    def open(self):
        """Returns why there can be none, or None."""
        one, two = self.names
        commands = [f"netns add {one}", f"netns add {two}", f"link add v0 netns {one} type veth peer name v0 netns {two}"]
        for name, address in zip(self.names, ADDRESSES):
            commands += [f"-n {name} addr add {address}/24 dev v0", f"-n {name} link set v0 up", f"-n {name} link set lo up"]
        if any(subprocess.run(["ip", *c.split()], stderr=subprocess.DEVNULL).returncode for c in commands):
            return "network namespaces need root, and ip of iproute2"
        probe = subprocess.run(["ip", "netns", "exec", one, "timeout", "60", "mpirun", "--host", ",".join(ADDRESSES), "-n", "2", "true"],
                               env=dict(os.environ, **MPI, **NETWORK, OMPI_MCA_plm_rsh_agent=self.agent), stdin=subprocess.DEVNULL,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return "mpirun over two network namespaces fails here" if probe.returncode else None

    def set(self, state):
        subprocess.run(["ip", "-n", self.names[1], "link", "set", "v0", state], check=True)

    def close(self):
        for name in self.names:
            subprocess.run(["ip", "netns", "del", name], stderr=subprocess.DEVNULL)


class Trials:
    def __init__(self, work, kind, dice, limit, network):
        self.work, self.kind, self.dice, self.limit, self.network = work, kind, dice, limit, network
        self.moments = self.failed = self.count = 0
        self.life = self.within = 1e9   # seconds that the ranks of an unbroken run live, as far as is known; those that moments are in

    def copy(self):
        self.count += 1
        to = os.path.join(self.work, f"{self.kind}.{self.count}")
        shutil.copytree(os.path.join(self.work, "start"), to, symlinks=True)
        return to

    def begin(self, folder, ranks, resume=(), patience="1"):
        """One process where `ranks` is 1."""
        environment = dict(os.environ, **MPI, LC_ALL="C", OMP_NUM_THREADS="1", PATH=os.path.join(self.work, "bin") + ":" + os.environ["PATH"])
        command = [PROGRAM, "meta", *TRAIN, *resume]
        if ranks > 1:
            command = ["mpirun", "-n", str(ranks), *command, "-patience", patience]
        if self.kind == "cut" and ranks > 1:
            environment.update(NETWORK, OMPI_MCA_plm_rsh_agent=self.network.agent)
            command[1:1] = ["--host", ",".join(f"{a}:{ranks // 2}" for a in ADDRESSES)]
            command[:0] = ["ip", "netns", "exec", self.network.names[0]]
        out = open(folder + ".out", "ab")
        return subprocess.Popen(command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True)

    def break_one(self, folder, process, ranks):
        """Breaks a rank at a random moment. Returns (what was done, when), or None where the training has ended before."""
        begun = time.monotonic()
        victim, moment = self.dice.randrange(ranks), self.dice.uniform(0, min(self.life, self.within))
        while process.poll() is None and len(processes(folder)) < ranks and time.monotonic() - begun < 60:
            time.sleep(.01)
        there = time.monotonic()
        while process.poll() is None and time.monotonic() - there < moment:
            time.sleep(min(.01, moment))
        now = time.monotonic()
        pid = processes(folder).get(victim)
        if process.poll() is not None or pid is None:
            self.life = max(.1, now - there)
            return None
        try:
            if self.kind == "cut":
                self.network.set("down")
            else:
                os.kill(pid, signal.SIGKILL if self.kind == "kill" else signal.SIGSTOP)
        except ProcessLookupError:
            return None
        what = "the network was cut" if self.kind == "cut" else f"rank {victim} of {ranks} was {'killed' if self.kind == 'kill' else 'stopped'}"
        return what, now - there

    def unbroken(self):
        """How long ranks live that nobody breaks."""
        folder, began = self.copy(), None
        process = self.begin(folder, 2)
        while process.poll() is None:
            if began is None and processes(folder):
                began = time.monotonic()
            time.sleep(.01)
        wrong = self.compare(folder)
        shutil.rmtree(folder)
        if process.returncode or wrong or began is None:
            sys.exit(f"ranks.py: {self.kind}: fails unbroken: status {process.returncode}: {'; '.join(wrong)}")
        return time.monotonic() - began

    def iterations(self, folder):
        try:
            with open(os.path.join(folder, "t/backup/toy.csv")) as f:
                return max([int(line.split(",")[0]) for line in f if line[0].isdigit() and line.endswith("\n")], default=0)
        except FileNotFoundError:
            return 0

    def wait(self, folder, process, begun):
        """Waits until mpirun has ended, which it does not while a rank is stopped that has nothing left to do but to exit: where the others
        have ended as they should, nobody is there to miss it, and mpirun has not killed it. That rank is woken, and has to end well then.
        Returns whether mpirun has ended."""
        alone = None    # since when one rank has been left
        while process.poll() is None and time.monotonic() - begun < self.limit:
            time.sleep(.05)
            left = processes(folder)
            alone = (alone or time.monotonic()) if len(left) == 1 else None
            if self.kind == "stop" and alone and time.monotonic() - alone > ALONE:
                for pid in left.values():
                    os.kill(pid, signal.SIGCONT)
                alone = 1e9
        return process.poll() is not None

    def end(self, folder, process, begun):
        """Waits until the run and its processes have ended. Returns what is wrong, and how long it took."""
        wrong = []
        if not self.wait(folder, process, begun):
            wrong.append(f"mpirun goes on after {self.limit:g} seconds")
        while processes(folder) and time.monotonic() - begun < self.limit:
            time.sleep(.05)
        took = time.monotonic() - begun
        if processes(folder):
            wrong.append(f"ranks go on after {self.limit:g} seconds: {sorted(processes(folder))}")
        for pid in processes(folder).values():
            os.kill(pid, signal.SIGKILL)
        if process.poll() is None:
            process.kill()
            process.wait()
        return wrong, took

    def look(self, folder, process, out):
        """What is wrong with what a broken run has left and said."""
        wrong, known = [], set(files(os.path.join(self.work, "good")))
        if process.returncode == 0:
            wrong.append("mpirun ended with 0")
        if self.kind != "kill" and not TOLD.search(out) and ADDRESSES[1] not in out and NO_DAEMON not in out:
            wrong.append("nobody says which rank is silent")
        for path in files(folder):
            name = re.sub(r"\.tmp\.[0-9]+(\.[0-9]+)?$", "", path)
            if name not in known and not name.endswith((".lock", ".part")):
                wrong.append(f"{path} is there")
        if self.iterations(folder) > EVERY and not os.path.exists(os.path.join(folder, "t/backup/toy.state")):
            wrong.append(f"no checkpoint after {self.iterations(folder)} iterations")
        return wrong

    def compare(self, folder):
        good, now, wrong = files(os.path.join(self.work, "good")), files(folder), []
        wrong += [f"{path} is left" for path in now if path not in good]
        wrong += [f"{path} is missing" for path in good if path not in now]
        return wrong + [f"{path} differs" for path in good if path in now and plain(path, now[path]) != plain(path, good[path])]

    def go_on(self, folder, ranks):
        resume = ["-resume"] if os.path.exists(os.path.join(folder, "t/backup/toy.state")) else []
        process = self.begin(folder, ranks, resume, patience="30")
        try:
            status = process.wait(timeout=120)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            return ["goes on after 120 seconds"]
        return self.compare(folder) if status == 0 else [f"going on: exit status {status}"]

    def trial(self):
        folder = self.copy()
        ranks = 2 if self.kind == "cut" else self.dice.randint(2, 4)
        process = self.begin(folder, ranks, patience="10" if self.kind == "cut" else "1")
        done, begun = self.break_one(folder, process, ranks), time.monotonic()
        wrong, took = self.end(folder, process, begun)
        if self.kind == "cut":
            self.network.set("up")
        if done and process.returncode == 0 and not wrong and not self.compare(folder):
            done = None     # it came at the very end, when nothing was left to do
        if done:
            self.moments += 1
            with open(folder + ".out", errors="replace") as f:
                said = f.readlines()
            wrong += self.look(folder, process, "".join(said))
            at, others = self.iterations(folder), self.dice.choice([1, 2] if self.kind == "cut" else [1, 2, 3, 4])
            wrong += self.go_on(folder, others)
            print(f"{done[0]} after {done[1]:.2f} s, at iteration {at}: ended {took:.1f} s later with {process.returncode}, {others} went on: "
                  f"{'; '.join(wrong) or 'equal'}", flush=True)
            if wrong:
                self.failed += 1
                sys.stdout.writelines("    | " + line for line in said[-20:])
        elif wrong:
            self.failed += 1
            print(f"unbroken: {'; '.join(wrong)}")
        shutil.rmtree(folder)


def prepare(work):
    """The toy, as each run finds it, and what one process makes of it."""
    subprocess.run(["bash", "-c", f". {ROOT}/tests/toy.sh; TMP_TEST=$PWD no_charts; mv no_charts bin; sed -i s#/no_charts/#/bin/#g bin/gnuplot; "
                    "toy t; sed -i 's/^tasks=3/tasks=4/' t/toy.cfg; mv t/images images; ln -s $PWD/images t/images; sed -i s#$PWD/## t/toy.data; "
                    "sed -i s#^t/#$PWD/start/t/# t/*.list; mkdir start; mv t start/t"], cwd=work, check=True)
    shutil.copytree(os.path.join(work, "start"), os.path.join(work, "good"), symlinks=True)
    first = Trials(work, "kill", random.Random(0), 60, None)
    if first.begin(os.path.join(work, "good"), 1).wait():
        with open(os.path.join(work, "good.out")) as f:
            sys.exit("ranks.py: fails unbroken: " + f.read())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--moments", type=int, default=20, help="of each kind (20)")
    parser.add_argument("--seed", type=int, default=None, help="of the moments (the clock's)")
    parser.add_argument("--kinds", default="kill,stop,cut")
    parser.add_argument("--limit", type=float, default=30, help="seconds in which all have to end (30)")
    parser.add_argument("--within", type=float, default=1e9, help="seconds of the ranks' life that the moments are in (all)")
    parser.add_argument("--seconds", type=float, default=1e9, help="no new trial after so many")
    options = parser.parse_args()
    seed = int(time.time()) if options.seed is None else options.seed
    begun = time.monotonic()
    print(f"seed {seed}", flush=True)
    work = os.path.realpath(tempfile.mkdtemp(prefix="ranks."))
    network, trials = Network(work), []
    try:
        prepare(work)
        for kind in options.kinds.split(","):
            t = Trials(work, kind, random.Random(f"{seed} {kind}"), options.limit, network)
            why = network.open() if kind == "cut" else None
            if why:
                print(why)
                sys.exit(77)
            trials.append(t)
            t.life, t.within = t.unbroken(), options.within
            while t.moments < options.moments and t.failed < 3 and t.count < 4 * options.moments + 4 and time.monotonic() - begun < options.seconds:
                t.trial()
    finally:
        network.close()
        shutil.rmtree(work, ignore_errors=True)
    for t in trials:
        print(f"{t.kind}: {t.moments} moments, {t.failed} failed")
    sys.exit(any(t.failed or not t.moments for t in trials))


if __name__ == "__main__":
    main()
