#!/bin/bash
# OpenCV 4.6's reader of ONNX refuses two kinds of valid models that OpenCV 5 and onnxruntime read: Clip of opset 11 and later, whose bounds are
# inputs, also where they are constants; and, while the batch dimension is free, the product of maps and of one number a channel.
#
# Seen with: Debian 12, libopencv-dnn406 4.6.0+dfsg-12, python3-onnx 1.12.0-2+b4, amd64.
#
# Output seen:
#     Clip, opset 10: read; opset 11: (expected: 'node_proto.input_size() == 1')
#     maps times factors, batch of 2: read; free batch: start <= (int)shape.size()
#
# Needs: apt-get (to download the package into a temporary folder), and python3-opencv, which brings the libraries the package depends on,
# and python3-onnx.
# Exit status: 0 as described, 1 it behaves differently, 2 it can't be looked at.
set -eu
version=4.6.0+dfsg-12
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
{ apt-get download "libopencv-dnn406=$version" && dpkg-deb -x libopencv-dnn406_*.deb . && /usr/bin/python3 -c 'import cv2, onnx'; } >log 2>&1 \
    || { cat log >&2; echo "libopencv-dnn406 $version, python3-opencv or python3-onnx can't be had" >&2; exit 2; }

cat >refused.py <<'END'
"""Writes models, which onnx's checker takes, and lets OpenCV compute one."""
import cv2
import numpy
import onnx
from onnx import TensorProto, helper

cv2.setLogLevel(0)

def model(nodes, opset, batch, constants=()):
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [batch, 3, 4, 5]) for name in ("x", "y")]
    graph = helper.make_graph(nodes, "g", ends[:1], ends[1:], constants)
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=6)
    onnx.checker.check_model(made)
    onnx.save(made, "m.onnx")

def said():
    try:
        net = cv2.dnn.readNetFromONNX("m.onnx")
        net.setInput(numpy.ones((2, 3, 4, 5), "float32"))
        net.forward()
        return "read"
    except cv2.error as e:
        return next(part for part in ("(expected: 'node_proto.input_size() == 1')", "start <= (int)shape.size()", str(e)) if part in str(e))

model([helper.make_node("Clip", ["x"], ["y"], min=0., max=6.)], 10, 2)
clip = [said()]
bounds = [helper.make_tensor(name, TensorProto.FLOAT, [], [value]) for name, value in (("low", 0.), ("high", 6.))]
model([helper.make_node("Clip", ["x", "low", "high"], ["y"])], 11, 2, bounds)
clip.append(said())
product = []
for batch in (2, "batch"):
    model([helper.make_node("GlobalAveragePool", ["x"], ["g"]), helper.make_node("Mul", ["x", "g"], ["y"])], 11, batch)
    product.append(said())
print(f"Clip, opset 10: {clip[0]}; opset 11: {clip[1]}\nmaps times factors, batch of 2: {product[0]}; free batch: {product[1]}")
raise SystemExit(0 if clip[0] == product[0] == "read" and clip[1] != "read" and product[1] != "read" else 1)
END
LD_LIBRARY_PATH=$(echo "$tmp"/usr/lib/*) /usr/bin/python3 refused.py || { [ $? -eq 1 ] && echo 'they are not refused as described' >&2; exit 1; }
