# scripts/clients.sh says what it must be given, before it does anything; with nothing but what a build brings it prints its page.
. tests/lib.sh
a=$TMP_TEST/a
mkdir -p "$a/ncnn/bin"
clients() { scripts/clients.sh "$a/out" "$@"; }
check 'without words it says what it takes' sh -c "scripts/clients.sh 2>&1 | grep -q '^hank-ai=LIBRARY '"
expect_error "^scripts/clients.sh: $a/none.so: is no library: must be a libdarknet.so that is built$" clients AlexeyAB="$a/none.so"
expect_error "^scripts/clients.sh: $a/ncnn: has no include/ncnn/net.h: must be where ncnn is installed, with its converters$" clients ncnn@1="$a/ncnn"
expect_error "^scripts/clients.sh: $a/npm: is no folder: must be node_modules of scripts/onnx_clients.sh$" clients npm="$a/npm"
expect_error '^scripts/clients.sh: darknet=x: must be AlexeyAB=, hank-ai=, ncnn=, npm= or -every$' clients darknet=x
check 'nothing is made of what was refused' test ! -e "$a/out"

if [ "$TEST_VARIANT" != release ] || [ ! -e "$DARKNET_DIR/libdarknet-meta-onnx.so" ]; then
    skip 'a table of clients' 'takes the release build, with libonnx-dev'
    exit
fi
stock=$(libdarknet_of "$DARKNET_DIR/darknet")
check "a table of clients is printed" sh -c "scripts/clients.sh '$a/out' -every 40 'AlexeyAB@of Debian=$stock' >'$a/table'"
row() { grep -Eq "^\| $1 \| [1-9][0-9]* of [1-9][0-9]* \| [0-9.]+e-0[78] \| .* \|$" "$a/table"; }
check 'its rows are the stock library, OpenCV twice and a library that was named' \
    eval 'row "stock Darknet \(Debian\) \| 61c9d02 \| .cfg" && row "OpenCV \(Debian\) \| [0-9.]+ \| .cfg" && row "OpenCV \(Debian\) \| [0-9.]+ \| ONNX" &&
          row "AlexeyAB.s Darknet \| of Debian \| .cfg" && test "$(grep -c "^|" "$a/table")" = 6'
