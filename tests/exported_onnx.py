"""Holds what programs make of meta export's files of ONNX to what meta predict makes of the .cfg and .weights.

    exported_onnx.py DARKNET FOLDER [-every N] [-only PREFIX] [-table] NAME=COMMAND...

For each of exported_networks.NETWORKS and of MORE, or each N-th, and for each of MIXED, if its name has that PREFIX, meta export writes the network into FOLDER. Each client is a COMMAND that reads lines "NAME.onnx
FLOATS N C H W" and answers each by one line, as tests/opencv_predict.cpp and tests/onnx_predict.js do: the probabilities of the IMAGES images predicted
together, then one by one, or one by one alone. Prints each client's largest difference, for each kind of network with -table, and exits with 1
where one is above LIMIT or a client fails.
"""
import array
import os
import shlex
import subprocess
import sys
import zlib
from concurrent.futures import ThreadPoolExecutor

import exported
import exported_networks as networks

LIMIT, IMAGES = 1e-5, 20


def far(activation):
    """An activation on both sides of all of its knees."""
    return [networks.conv(8, activation="linear", **networks.PAD), networks.layer("shortcut", source=-1, alpha=20, activation=activation),
            networks.conv(3, 1, activation="linear"), networks.layer("avgpool"), networks.layer("softmax", temperature=10)]


def smaller(filters):
    """A shortcut from a map of half the size, which touches every fourth pixel."""
    return [networks.conv(filters, **networks.PAD), networks.conv(5, stride=2, **networks.PAD), networks.layer("route", layers="0"),
            networks.layer("shortcut", source=1, alpha=.5, beta=2)] + networks.HEAD


# What ONNX has, and other forms of a network have not.
MORE = [(f"activation: {a}, far", networks.WIDE, far(a)) for a in networks.ACTIVATIONS + networks.MORE_ACTIVATIONS + ("relu6",)] + [
    ("shortcut: from a smaller map, alpha", (8, 8, 3), smaller(5)),
    ("shortcut: from a smaller map of more channels, alpha", (8, 8, 3), smaller(4)),
    ("shortcut: from a smaller map of fewer channels, alpha", (9, 9, 3), smaller(7)),
]


def chain(activations):
    """One activation after another, each on both sides of its knees."""
    return [x for a in activations for x in (networks.conv(6, 1, activation="linear"), networks.layer("shortcut", source=-1, alpha=4, activation=a))] + [
        networks.conv(3, 1, activation="linear"), networks.layer("avgpool"), networks.layer("softmax", temperature=20)]


KINDS = [a for a in networks.ACTIVATIONS + networks.MORE_ACTIVATIONS + ("relu6",) if a != "linear"]
MIXED = [(f"mixed: {', '.join(KINDS[k::3])}", networks.WIDE, chain(KINDS[k::3])) for k in range(3)] + [
    ("mixed: what moves numbers", (12, 10, 3), [
        networks.layer("crop", crop_width=8, crop_height=6), networks.conv(8, **networks.PAD), networks.layer("reorg", stride=2),
        networks.conv(8, 1), networks.layer("reorg", stride=2, reverse=1), networks.layer("dropout", probability=.5),
        networks.layer("reorg", stride=1, flatten=1), networks.conv(4, **networks.PAD), networks.connected(5),
        networks.layer("reorg", stride=1, extra=1), networks.layer("softmax")])]
NETWORKS = MIXED + networks.NETWORKS + MORE


class Case:
    def __init__(self, index, folder):
        self.name, self.shape, self.layers = NETWORKS[index]
        self.folder, self.seed = f"{folder}/{index}", zlib.crc32(self.name.encode())
        self.count = networks.classes(self.shape, self.layers)
        self.onnx, self.floats = f"{self.folder}/network.onnx", f"{self.folder}/images.floats"

    def prepare(self, darknet):
        os.makedirs(self.folder, exist_ok=True)
        files = [f"{self.folder}/network.cfg", f"{self.folder}/network.weights", f"{self.folder}/few.data"]
        networks.write_cfg(files[0], self.shape, self.layers, False)
        networks.write_weights(files[1], self.shape, self.layers, self.seed)
        paths, floats = exported.write_images(self.folder, self.shape, self.seed, IMAGES)
        exported.write_data(self.folder, paths, self.count)
        with open(self.floats, "wb") as f:
            array.array("f", [v for x in floats for v in x]).tofile(f)
        export = subprocess.run([darknet, "meta", "export", *files, "-onnx", self.onnx, "-overwrite"], capture_output=True, text=True, check=False)
        predict = subprocess.run([darknet, "meta", "predict", *files, *paths, "-csv"], capture_output=True, text=True, check=False)
        self.said = export.stderr + predict.stderr
        self.truth = [[float(v) for v in line.split(",")[2:]] for line in predict.stdout.splitlines()[1:]]
        return self

    def question(self):
        w, h, c = self.shape
        return f"{self.onnx} {self.floats} {IMAGES} {c} {h} {w}\n"

    def difference(self, line):
        """Between the truth and a client's answer; infinite where there is none."""
        numbers = [] if line.startswith("error") else [float(v) for v in line.split()]
        rows = [numbers[k:k + self.count] for k in range(0, len(numbers), self.count)]
        return exported.difference(self.truth * (2 if len(rows) == 2 * IMAGES else 1), rows)


def kind(name):
    return name.split(":")[0] if ":" in name else name.split()[0].rstrip(",")


def ask(command, cases):
    """A line a case, and before them what the client says first, if it says more."""
    run = subprocess.run(shlex.split(command), input="".join(c.question() for c in cases), capture_output=True, text=True, check=False)
    lines = run.stdout.splitlines()
    if len(lines) < len(cases):
        sys.exit(f"{command}: {len(lines)} answers to {len(cases)} questions: {run.stderr[-500:]}")
    return lines[-len(cases):]


def main():
    words = sys.argv[1:]
    every, table = int(exported.take(words, "-every", "1")), "-table" in words
    only = exported.take(words, "-only", "")
    chosen = [i for i in [*range(len(MIXED)), *range(len(MIXED), len(NETWORKS), every)] if NETWORKS[i][0].startswith(only)]
    darknet, folder, *clients = [w for w in words if w != "-table"]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        cases = list(pool.map(lambda i: Case(i, folder).prepare(darknet), chosen))
    wrong = [f"{c.name}: {c.said}" for c in cases if len(c.truth) != IMAGES or not os.path.exists(c.onnx)]
    wrong += [f"{c.name}: can't be compared" for c in cases if len(c.truth) == IMAGES and min(max(p) for p in c.truth) > .98]
    largest = {}
    for name, command in (word.split("=", 1) for word in clients):
        for case, line in zip(cases, ask(command, cases)):
            d = case.difference(line)
            for row in (kind(case.name), "all"):
                largest[row, name] = max(largest.get((row, name), 0), d)
            if d > LIMIT:
                wrong.append(f"{case.name}: {name}: {d:.1e} {line[:300] if line.startswith('error') else ''}")
    names = [word.split("=")[0] for word in clients]
    if table:
        print("%-16s" % "network", *("%16s" % n for n in names))
    for row in sorted({kind(c.name) for c in cases}) * table + ["all"]:
        print("%-16s" % row, *("%16.1e" % largest.get((row, n), 0) for n in names))
    print(f"{len(cases)} networks, {IMAGES} images each", *(f"WRONG {line}" for line in wrong), sep="\n")
    sys.exit(bool(wrong))


main()
