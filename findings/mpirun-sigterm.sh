#!/bin/bash
# A batch system ends a job by a SIGTERM to mpirun, and mpirun is expected to hand it on to its ranks, which then have the time that the batch
# system leaves them. Open MPI's hands on SIGCONT at once, SIGTERM a second later, and kills the ranks a second after that: a rank that wants
# to save its work has one second in all, however long the batch system would wait. odls_base_sigkill_timeout makes both pauses longer, so that
# SIGTERM itself comes later too.
#
# Seen with: Debian 12, openmpi-bin and libopenmpi3 4.1.4-3+b1, amd64.
#
# Output seen: "SIGCONT after 0.0 s, SIGTERM after 1.0 s, killed after 2.0 s; with a timeout of 3: 0.0 s, 3.0 s, 6.0 s". Checked is that SIGTERM
# comes half a second or more after SIGCONT, and the end within two seconds of SIGTERM; with the timeout of 3, two and a half seconds or more
# after SIGCONT.
#
# Needs: apt-get (to download the packages into a temporary folder), python3. Exit status: 0 as described, 1 it behaves differently, 2 it can't be
# looked at.
set -eu
version=4.1.4-3+b1
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
{ apt-get download "openmpi-bin=$version" "libopenmpi3=$version" openmpi-common libpmix2 libhwloc15 libhwloc-plugins libevent-core-2.1-7 \
      libevent-pthreads-2.1-7 && for p in *.deb; do dpkg-deb -x "$p" .; done; } >log 2>&1 \
    || { tail -n 1 log >&2; echo "Open MPI $version can't be downloaded" >&2; exit 2; }
lib=$(echo "$tmp"/usr/lib/*-linux-gnu)
export OPAL_PREFIX=$lib/openmpi OPAL_DATADIR=$tmp/usr/share/openmpi PMIX_INSTALL_PREFIX=$lib/pmix2 LD_LIBRARY_PATH=$lib:$lib/openmpi/lib
export OMPI_MCA_mca_base_component_path=$lib/openmpi/lib/openmpi3
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_rmaps_base_oversubscribe=1
cat >rank.py <<'PY'
"""Writes down when it gets which signal, and every 20 ms that it is alive."""
import signal
import sys
import time

def note(what):
    with open(sys.argv[1], "a") as f:
        f.write("%s %.3f\n" % (what, time.monotonic()))

for s in (signal.SIGCONT, signal.SIGTERM):
    signal.signal(s, lambda number, frame: note(signal.Signals(number).name))
note("begun")
while True:
    time.sleep(.02)
    note("alive")
PY
cat >watch.py <<'PY'
"""Runs mpirun with one rank, sends it SIGTERM, and says what the rank has seen."""
import os
import signal
import subprocess
import sys
import time

def times(log, *flags):
    p = subprocess.Popen(["usr/bin/orterun", *flags, "-n", "1", sys.executable, "rank.py", log], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    for _ in range(400):
        if os.path.exists(log):
            break
        time.sleep(.05)
    else:
        p.kill()
        sys.exit("mpirun does not start")
    time.sleep(.5)
    sent = time.monotonic()
    p.send_signal(signal.SIGTERM)
    p.wait(60)
    seen = {}
    for line in open(log):
        what, at = line.split()
        seen[what] = float(at) - sent
    return seen.get("SIGCONT", -9), seen.get("SIGTERM", -9), seen["alive"]

first, second = times("1.log"), times("3.log", "--mca", "odls_base_sigkill_timeout", "3")
print("SIGCONT after %.1f s, SIGTERM after %.1f s, killed after %.1f s; with a timeout of 3: %.1f s, %.1f s, %.1f s" % (first + second))
good = first[1] - first[0] >= .5 and 0 < first[2] - first[1] <= 2 and second[1] - second[0] >= 2.5
sys.exit(0 if good else 1)
PY
python3 watch.py 2>err || { [ $? -eq 1 ] && [ ! -s err ] && { echo 'mpirun hands the signals on otherwise than described' >&2; exit 1; }; cat err >&2; exit 2; }
