#!/bin/bash
# Holds the model of `meta bench -ranks` against what one machine can show: an iteration of a .cfg on 1, 2 and 4 ranks over shared memory, and,
# as root, on 2 ranks in two network namespaces, over a virtual cable and over a line of 1 ms and 100 Mbit/s (tests/mpi/slow_network.py).
#
#     scripts/ranks_model.sh CFG [SECONDS [OUT]]         -seconds of the benchmarks (5); OUT, with their JSON files: ranks_model
#
# Prints, for each, medians in ms of the slowest rank, and beside them the model: the exchange from latency, bandwidth and handling as they were
# measured there, computing from the task of the one rank, where ranks share the processor's cores as many times as long.
set -eu
export LC_ALL=C OMPI_MCA_rmaps_base_oversubscribe=1 OMPI_MCA_hwloc_base_binding_policy=none OMPI_MCA_btl_vader_single_copy_mechanism=none
[ "$(id -u)" -ne 0 ] || export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
[ $# -ge 1 ] || { echo 'usage: scripts/ranks_model.sh CFG [SECONDS [OUT]]' >&2; exit 1; }
cfg=$1 seconds=${2:-5} out=${3:-ranks_model} program=${DARKNET:-./darknet} here=$(dirname "$0")
[ -f "$cfg" ] || { echo "scripts/ranks_model.sh: $cfg: no such file" >&2; exit 1; }
mkdir -p "$out"
bench() { timeout 600 "$program" meta bench "$cfg" -ranks -threads 1 -seconds "$seconds" -out "$out/$1.json" </dev/null >"$out/$1.txt"; }
bench 1-shared
for n in 2 4; do
    timeout 600 mpirun -n $n "$program" meta bench "$cfg" -ranks -threads 1 -seconds "$seconds" -out "$out/$n-shared.json" </dev/null >"$out/$n-shared.txt"
done

# over NAME DEVICE ADDRESS ADDRESS: 2 ranks, in a namespace each
over()
{
    printf '#!/bin/sh\nshift\nexec ip netns exec %s sh -c "$*"\n' "$two" >"$out/agent"
    chmod +x "$out/agent"
    OMPI_MCA_plm_rsh_agent=$(realpath "$out/agent") OMPI_MCA_btl=tcp,self OMPI_MCA_btl_tcp_if_include=$2 OMPI_MCA_oob_tcp_if_include=$2 timeout 600 \
        ip netns exec "$one" mpirun --host "$3:1,$4:1" -n 2 "$program" meta bench "$cfg" -ranks -threads 1 -seconds "$seconds" -out "$out/2-$1.json" </dev/null >"$out/2-$1.txt"
}
if [ "$(id -u)" -eq 0 ]; then
    one=metaA$$ two=metaB$$
    trap 'ip netns del $one; ip netns del $two' EXIT
    ip netns add $one
    ip netns add $two
    ip link add v0 netns $one type veth peer name v0 netns $two
    ip -n $one addr add 10.77.0.1/24 dev v0
    ip -n $two addr add 10.77.0.2/24 dev v0
    for n in $one $two; do
        ip -n $n link set v0 up
        ip -n $n link set lo up
    done
    over cable v0 10.77.0.1 10.77.0.2
    rm -f "$out/ready"
    python3 "$here/../tests/mpi/slow_network.py" $one 10.78.0.1/24 $two 10.78.0.2/24 1 100 "$out/ready" &
    line=$!
    until [ -e "$out/ready" ]; do sleep .1; kill -0 $line; done
    over line slow0 10.78.0.1 10.78.0.2
    kill $line
fi
python3 - "$out" "$(nproc)" <<'END2'
import json, os, sys
out, cores = sys.argv[1], int(sys.argv[2])
def read(name):
    with open(f"{out}/{name}.json") as f:
        return json.load(f)
task = read("1-shared")["costs"]["task_seconds"]
print(f"{'':<10} {'computing':>10} {'waiting':>8} {'exchange':>9} {'whole':>9} {'share':>6}   model: {'computing':>9} {'exchange':>9} {'whole':>9}"
      f"   {'latency':>9} {'bandwidth':>10}")
for name in "1-shared", "2-shared", "4-shared", "2-cable", "2-line":
    if not os.path.exists(f"{out}/{name}.json"):
        continue
    d = read(name)
    n, c, tasks = d["settings"]["ranks"], d["costs"], d["settings"]["tasks"]
    part = lambda k: max(r[k]["median"] for r in d["ranks"])
    model = next(p for p in d["predicted"] if p["ranks"] == n)
    computing = -(-tasks // n) * task * max(1, n / cores) + c["step_seconds"]
    whole = part("seconds")
    print(f"{name:<10} {1e3 * part('computing_seconds'):10.2f} {1e3 * part('waiting_seconds'):8.2f} {1e3 * part('exchange_seconds'):9.3f} {1e3 * whole:9.2f}"
          f" {part('exchange_seconds') / whole:6.1%}          {1e3 * computing:9.2f} {1e3 * model['exchange_seconds']:9.3f}"
          f" {1e3 * (computing + model['exchange_seconds']):9.2f}   {1e6 * c['latency_seconds']:7.1f}us {(c['bandwidth_bytes_a_second'] or 0) / 1e6:6.1f}MB/s")
END2
