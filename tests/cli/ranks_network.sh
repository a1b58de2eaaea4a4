#!/bin/bash
# Two ranks on two network namespaces, as on two machines: a network that is cut ends the training on both sides, and it goes on from its
# checkpoint to the bytes of one process; and meta bench -ranks sees how slow a network is.
. tests/lib.sh
. tests/toy.sh
. tests/mpirun.sh
one=metaA$$ two=metaB$$
gone() { ip netns del $one 2>/dev/null; ip netns del $two 2>/dev/null; }
trap 'gone; test_end' EXIT
if ! { ip netns add $one && ip netns add $two; } 2>/dev/null; then
    skip 'a training over a network that is cut' 'network namespaces need root, and ip of iproute2'
    exit 0
fi

cut() { python3 tests/faults/ranks.py --moments "${RANKS_RUNS:-2}" --seed "$RANDOM" --kinds cut; }
status=0
cut >"$TMP_TEST/cut" 2>&1 || status=$?
if [ $status -eq 77 ]; then skip 'a training over a network that is cut' "$(tail -n 1 "$TMP_TEST/cut")"
else check 'trainings whose network is cut end on both sides, and go on to the bytes of one process' eval "cat '$TMP_TEST/cut'; test $status -eq 0"; fi

# What is laid on the line holds on any machine: nothing is there before its delay, nothing passes faster than its rate
a=$TMP_TEST/a
toy "$a"
python3 tests/mpi/slow_network.py $one 10.78.0.1/24 $two 10.78.0.2/24 1 100 "$TMP_TEST/ready" >"$TMP_TEST/line" 2>&1 &
line=$!
while [ ! -e "$TMP_TEST/ready" ] && kill -0 $line 2>/dev/null; do sleep .05; done
if [ ! -e "$TMP_TEST/ready" ]; then
    skip 'meta bench -ranks over a slow network' "no line can be laid: $(tail -n 1 "$TMP_TEST/line")"
    exit 0
fi
# What mpirun starts the other machine's ranks by, in the place of ssh: HOST COMMAND...
printf '#!/bin/sh\nshift\nexec ip netns exec %s sh -c "$*"\n' $two >"$TMP_TEST/agent"
chmod +x "$TMP_TEST/agent"
export OMPI_MCA_plm_rsh_agent=$TMP_TEST/agent OMPI_MCA_btl=tcp,self OMPI_MCA_btl_tcp_if_include=slow0 OMPI_MCA_oob_tcp_if_include=slow0
bench() { timeout -k 2 60 ip netns exec $one mpirun --host 10.78.0.1:1,10.78.0.2:1 -n 2 "$DARKNET_BIN" meta bench "$a/toy.cfg" -ranks -threads 1 -seconds .02 -out "$a/bench.json" </dev/null; }
check 'meta bench -ranks measures two ranks over a slow network' bench
check 'meta bench -ranks measures no less than the delay of a line, and no more than its rate' python3 -c "import json; c = json.load(open('$a/bench.json'))['costs']
assert .001 <= c['latency_seconds'] <= c['start_seconds'] and c['bandwidth_bytes_a_second'] < 100e6 / 8, c"
kill $line
