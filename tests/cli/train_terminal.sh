#!/bin/bash
# What a training run shows on a terminal, and only there.
. tests/lib.sh
. tests/toy.sh
a=$TMP_TEST/a
toy "$a"

# on_terminal COLUMNS COMMAND...: runs COMMAND with its standard output, and nothing else, on a
# terminal of that width, and prints what the terminal is sent
on_terminal()
{
    python3 - "$@" <<'PY'
import fcntl, os, pty, struct, subprocess, sys, termios
ours, theirs = pty.openpty()
fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 25, int(sys.argv[1]), 0, 0))
child = subprocess.Popen(sys.argv[2:], stdout=theirs, stdin=subprocess.DEVNULL)
os.close(theirs)
sent = b""
while True:
    try: part = os.read(ours, 65536)
    except OSError: break
    if not part: break
    sent += part
sys.stdout.buffer.write(sent)
sys.exit(child.wait())
PY
}
training=("$DARKNET_BIN" meta train "$a/toy.data" "$a/toy.cfg" -threads 1 -valid_every 5 -valid_runs 4)
# statuses FILE: the drawings of the status line, one a line. Each clears the rest of its line.
statuses() { tr '\r' '\n' <"$1" | grep -a ' left  loss .*'$'\033''\[K$'; }

check 'meta train runs on a terminal' env TERM=xterm bash -c "$(declare -f on_terminal); on_terminal 160 \"\$@\"" - "${training[@]}"
cp "$test_log/out" "$a/wide"
statuses "$a/wide" >"$a/lines"
check 'a terminal gets a status line an iteration' test "$(wc -l <"$a/lines")" -eq 12
check 'the status line has iteration, time left, losses, rate and accuracy' \
    test "$(grep -aEc '\[[=> ]*\]  [0-9]+/12 [0-9]+%  [0-9.]+ (s|min|h) left  loss [0-9.]+  .*rate [0-9.e-]+  meta-loss -?[0-9.]+  [0-9.]+% right' "$a/lines")" -eq 12
check 'the status line has the valid AUC from where it is known' test "$(grep -ac 'AUC [0-9.]* (' "$a/lines")" -eq 8 -a "$(head -4 "$a/lines" | grep -ac AUC)" -eq 0
check 'a terminal gets the lines of a file as well' test "$(tr '\r' '\n' <"$a/wide" | grep -aEc '^(.\[K)?[0-9]+: .* meta-loss, .* left$')" -eq 12
check 'meta train runs on a narrow terminal' env TERM=xterm bash -c "$(declare -f on_terminal); on_terminal 50 \"\$@\"" - "${training[@]}"
cp "$test_log/out" "$a/narrow"
check 'no status line wraps on a narrow terminal' test "$(statuses "$a/narrow" | sed 's/.\[K$//' | awk 'length > 49' | wc -l)" -eq 0 -a "$(statuses "$a/narrow" | wc -l)" -eq 12
check 'meta train runs on a terminal that only prints' env TERM=dumb bash -c "$(declare -f on_terminal); on_terminal 160 \"\$@\"" - "${training[@]}"
check 'a terminal that only prints gets no escape' sh -c "! grep -aq \$(printf '\\033') '$test_log/out'"
check 'a file gets no escape' sh -c "'$DARKNET_BIN' meta train '$a/toy.data' '$a/toy.cfg' >'$a/file' && ! grep -aq \$(printf '\\033') '$a/file'"
