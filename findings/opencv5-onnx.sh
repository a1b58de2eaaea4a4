#!/bin/bash
# OpenCV 5's DNN module reads no .cfg of Darknet's any more, and of ONNX takes a 1x1 convolution with padding and a stride of 1 for another: its
# numbers are wrong, or none (NaN). With a stride of 2, or as Pad and a convolution without padding, they are those of OpenCV 4.6 and onnxruntime.
#
# Seen with: @techstark/opencv-js 5.0.0-release.1 (OpenCV 5.0.0 as WebAssembly) in node 20, python3-onnx 1.12.0-2+b4, Debian 12.
#
# Output seen:
#     .cfg and .weights: Darknet importer has been removed.
#     padding 1: stride 1 0.8571428656578064, stride 2 0.1666666716337204, Pad before it 0.4285714328289032
#
# Needs: npm (to download the package into a temporary folder), node, and python3-onnx.
# Exit status: 0 as described, 1 it behaves differently, 2 it can't be looked at.
set -eu
version=5.0.0-release.1
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
{ npm install --ignore-scripts --no-audit --no-fund "@techstark/opencv-js@$version" && /usr/bin/python3 -c 'import onnx'; } >log 2>&1 \
    || { tail -n 5 log >&2; echo "@techstark/opencv-js $version or python3-onnx can't be had" >&2; exit 2; }

# Each model is the mean of what a 1x1 convolution makes of 3x5 ones in three channels, which its weights add up to 1: with padding 1 there are 20
# zeros beside the 15 ones.
cat >models.py <<'END'
import onnx
from onnx import TensorProto, helper

def model(name, *nodes):
    ends = [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, 3, 5]), helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 4, 1, 1])]
    graph = helper.make_graph([*nodes, helper.make_node("GlobalAveragePool", ["c"], ["y"])], "g", ends[:1], ends[1:],
                              [helper.make_tensor("w", TensorProto.FLOAT, [4, 3, 1, 1], 12 * [1 / 3])])
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 10)], ir_version=5)
    onnx.checker.check_model(made)
    onnx.save(made, name)

for stride in (1, 2):
    model(f"stride{stride}.onnx", helper.make_node("Conv", ["x", "w"], ["c"], kernel_shape=[1, 1], pads=[1, 1, 1, 1], strides=[stride, stride]))
model("pad.onnx", helper.make_node("Pad", ["x"], ["p"], pads=[0, 0, 1, 1, 0, 0, 1, 1]), helper.make_node("Conv", ["p", "w"], ["c"], kernel_shape=[1, 1]))
END
/usr/bin/python3 models.py
printf '[net]\nwidth=5\nheight=3\nchannels=1\n[connected]\noutput=1\nactivation=linear\n' >x.cfg
head -c 84 /dev/zero >x.weights

cat >ask.js <<'END'
const fs = require('fs');
(async () => {
    let cv = require('@techstark/opencv-js');
    if (cv instanceof Promise) cv = await cv;
    else if (!cv.Mat) await new Promise((done) => { cv.onRuntimeInitialized = done; });
    for (const name of ['x.cfg', 'x.weights', 'stride1.onnx', 'stride2.onnx', 'pad.onnx']) cv.FS_createDataFile('/', name, fs.readFileSync(name), true, false, false);
    let said = 'are read';
    try {
        cv.readNet('/x.weights', '/x.cfg', '');
    } catch (e) {
        said = (typeof e === 'number' ? cv.exceptionFromPtr(e).msg : String(e)).match(/Darknet importer has been removed\.|$/)[0] || 'another error';
    }
    const mean = (name) => {
        const net = cv.readNetFromONNX(name), ones = new cv.Mat(3, 5, cv.CV_32FC3, new cv.Scalar(1, 1, 1, 1));
        net.setInput(cv.blobFromImage(ones, 1, new cv.Size(5, 3), new cv.Scalar(), false, false, cv.CV_32F));
        return net.forward().data32F[0];
    };
    const [one, two, pad] = ['/stride1.onnx', '/stride2.onnx', '/pad.onnx'].map(mean);
    console.log(`.cfg and .weights: ${said}\npadding 1: stride 1 ${one}, stride 2 ${two}, Pad before it ${pad}`);
    process.exit(said.startsWith('Darknet importer') && !(Math.abs(one - 15 / 35) < 1e-6) && Math.abs(two - 2 / 12) < 1e-6 && Math.abs(pad - 15 / 35) < 1e-6 ? 0 : 1);
})();
END
node ask.js || { echo 'it reads .cfg files, or such a convolution has other values' >&2; exit 1; }
