#!/bin/bash
# Two ranks on two network namespaces, as on two machines, and a network that is cut: each side ends, mpirun too, and the training goes on
# from its checkpoint to the bytes of one process.
. tests/lib.sh
. tests/toy.sh
why=
[ "$TEST_VARIANT" = release ] || why="Open MPI does not run under $TEST_VARIANT"
[ -e "$DARKNET_DIR/libdarknet-meta-mpi.so" ] && command -v mpirun >/dev/null || why='Open MPI is not installed (openmpi-bin, libopenmpi-dev)'
one=metaA$$ two=metaB$$
if [ -z "$why" ] && ! { ip netns add $one && ip netns add $two && ip link add v0 netns $one type veth peer name v0 netns $two; } 2>/dev/null; then
    why='network namespaces need root, and ip of iproute2'
fi
gone() { ip netns del $one 2>/dev/null; ip netns del $two 2>/dev/null; }
if [ -n "$why" ]; then
    gone
    skip 'a training over a network that is cut' "$why"
    exit 0
fi
trap 'gone; test_end' EXIT
ip -n $one addr add 10.77.0.1/24 dev v0
ip -n $two addr add 10.77.0.2/24 dev v0
for n in $one $two; do
    ip -n $n link set v0 up
    ip -n $n link set lo up
done

# What mpirun starts the other machine's ranks by, in the place of ssh: HOST COMMAND...
printf '#!/bin/sh\nshift\nexec ip netns exec %s sh -c "$*"\n' $two >"$TMP_TEST/agent"
chmod +x "$TMP_TEST/agent"
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_rmaps_base_oversubscribe=1 OMPI_MCA_hwloc_base_binding_policy=none \
    OMPI_MCA_plm_rsh_agent=$TMP_TEST/agent OMPI_MCA_btl=tcp,self OMPI_MCA_btl_tcp_if_include=v0 OMPI_MCA_oob_tcp_if_include=v0
# By these mpirun sees that the other machine is gone, before the ranks lose patience: what it would send there later it could not
# give up for minutes
export OMPI_MCA_oob_tcp_keepalive_time=2 OMPI_MCA_oob_tcp_keepalive_intvl=1 OMPI_MCA_oob_tcp_keepalive_probes=2

if ! timeout -k 2 60 ip netns exec $one mpirun --host 10.77.0.1:1,10.77.0.2:1 -n 2 true </dev/null >/dev/null 2>&1; then
    skip 'a training over a network that is cut' 'mpirun over two network namespaces fails here'
    exit 0
fi
a=$TMP_TEST/a whole=$TMP_TEST/whole
toy "$a"
sed -i 's/^tasks=3/tasks=4/' "$a/toy.cfg"
toy_twin "$a" "$whole"
flags=(-seed 5 -backup_every 7 -valid_every 0)
machines()
{
    timeout -k 2 100 ip netns exec $one mpirun --host 10.77.0.1:1,10.77.0.2:1 -n 2 "$DARKNET_BIN" meta train "$a/toy.data" "$a/toy.cfg" -name toy \
        -threads 1 "${flags[@]}" "$@" </dev/null >"$a/out" 2>&1
}
left() { pgrep -f "meta train $a/toy.data"; }
# cut_network SECONDS: cuts the network so long after the first checkpoint; what is left of either side within 30 seconds is a fault
cut_network()
{
    local job status=0 began
    machines -max_batches 100000 -patience 25 &
    job=$!
    until [ -e "$a/backup/toy.state" ]; do sleep .02; kill -0 $job || { cat "$a/out"; return 1; }; done
    sleep "$1"
    ip -n $two link set v0 down
    began=$SECONDS
    wait $job || status=$?
    for ((i = 0; i < 100; i++)); do left >/dev/null || break; sleep .1; done
    ip -n $two link set v0 up
    [ $status -ne 0 ] && [ $((SECONDS - began)) -le 30 ] && ! left && grep -aq '10.77.0.2' "$a/out" || { cat "$a/out"; return 1; }
}
same_files()
{
    local file
    for file in toy.state toy.backup toy_final.weights; do cmp "$a/backup/$file" "$whole/backup/$file" || return; done
    [ "$(ls "$a/backup")" = "$(ls "$whole/backup")" ] && [ "$(cut -d, -f1-5 "$a/backup/toy.csv")" = "$(cut -d, -f1-5 "$whole/backup/toy.csv")" ]
}
goes_on()
{
    local last=$(($(tail -n 1 "$a/backup/toy.csv" | cut -d, -f1) + 20))
    rm -f "$whole"/backup/*
    train "$whole" "${flags[@]}" -max_batches $last && machines -max_batches $last -resume && same_files
}
for ((run = 1; run <= ${RANKS_RUNS:-2}; run++)); do
    rm -f "$a"/backup/*
    check "a training whose network is cut ends on both sides, and names the other (run $run)" cut_network .$((RANDOM % 5))
    check "it goes on over the network to the bytes of one process (run $run)" goes_on
done
