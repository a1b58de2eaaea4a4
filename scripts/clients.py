"""Prints how programs agree on exported networks, as a page in Markdown: scripts/clients.sh runs it.

    clients.py DARKNET STOCK OPENCV_PREDICT FOLDER [-every N] [CLIENT[@VERSION]=PATH...]

For each network of tests/exported_networks.py, or each N-th, meta adapt -onnx writes the network as it is (-steps 0 -bn running). The truth is what
meta predict makes of that .cfg and .weights. A CLIENT: AlexeyAB and hank-ai are libraries of Darknet's, ncnn is a folder with ncnn_predict and
ncnn's converters, npm a folder of modules.
"""
import array
import os
import re
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests"))
import exported
import exported_networks as networks

LIMIT = 1e-5
HEAD = """# Other programs on exported networks

For %d small networks of every kind of layer ([tests/exported_networks.py](../../tests/exported_networks.py)): what each program makes of the
.cfg and .weights, or of the file of ONNX, that `meta adapt -onnx` writes, beside `meta predict` on %d images each. A network agrees where no
probability differs by more than %g. What differs in a .cfg is what `meta adapt` says of it. `scripts/clients.sh` prints this page.
"""


def answers(line, count):
    """The rows of a line of probabilities, as many as there are images: where all were predicted together and one by one, the latter."""
    numbers = [] if not line or line.startswith("error") else [float(v) for v in line.split()]
    return [numbers[k:k + count] for k in range(0, len(numbers), count)][-exported.IMAGES:]


def asked(command, cases, question):
    """What a program says to a line a case, and what it says before that."""
    run = subprocess.run(command, input="".join(question(c) + "\n" for c in cases), capture_output=True, text=True, check=False)
    lines = run.stdout.splitlines()
    first, lines = lines[:len(lines) - len(cases)], lines[-len(cases):]
    return first, [answers(line, c.count) for line, c in zip(lines, cases)] if len(lines) == len(cases) else [[]] * len(cases)


def onnx_question(case):
    w, h, c = case.shape
    return f"{case.folder}/ported.onnx {case.folder}/ported.floats {exported.IMAGES} {c} {h} {w}"


def ncnn(folder, cases, converter, files):
    """Converts each network and asks ncnn; what the converter does not know it leaves out."""
    found = []
    for case in cases:
        out = [f"{case.folder}/{converter}.param", f"{case.folder}/{converter}.bin"]
        subprocess.run([f"{folder}/bin/{converter}", *(f"{case.folder}/{f}" for f in files), *out], capture_output=True, check=False)
        w, h, c = case.shape
        question = f"{' '.join(out)} {case.folder}/ported.floats {exported.IMAGES} {c} {h} {w}\n"
        run = subprocess.run([f"{folder}/ncnn_predict"], input=question, capture_output=True, text=True, check=False)
        found.append(answers((run.stdout.splitlines() or [""])[0], case.count))
    return found


def reasons(reader, cases):
    """What meta adapt says of the networks that a reader reads otherwise."""
    said = Counter(m for c in cases for m in re.findall(re.escape(reader) + r" \(layer \d+, (\[\w+\]: [^()]+)\)", c.said))
    return "; ".join(text for text, _ in said.most_common())


def left_out(cases):
    """The sections for which darknet2ncnn has written no layer; it may end without a file, too."""
    names, found = {"connected": "InnerProduct", "softmax": "Softmax"}, Counter()
    for case in cases:
        path = f"{case.folder}/darknet2ncnn.param"
        if not os.path.exists(path):
            continue
        with open(path) as f:
            layers = {line.split()[0] for line in f if line.strip()}
        found.update(section for section in sorted({s for s, _ in case.layers}) if names.get(section, "") not in layers | {""})
    return "; ".join(f"[{section}]: left out without a word" for section, _ in found.most_common())


def kinds(cases):
    """What the networks are called that differ."""
    return ", ".join(sorted({c.name.split(":")[0] for c in cases}))


def version_of(word, path):
    """The word's own, else that of the checkout that the file lies in."""
    if "@" in word:
        return word.split("@")[1]
    folder = path if os.path.isdir(path) else os.path.dirname(path)
    run = subprocess.run(["git", "-C", folder, "describe", "--tags", "--always"], capture_output=True, text=True, check=False)
    return run.stdout.strip() or "not told"


def row(client, version, form, cases, found, why):
    distances = [exported.difference(c.ours, a) for c, a in zip(cases, found)]
    agree = [d for d in distances if d <= LIMIT]
    others = [c for c, d in zip(cases, distances) if d > LIMIT]
    text = why(others) if others else "nothing"
    print(f"| {client} | {version} | {form} | {len(agree)} of {len(cases)} | {f'{max(agree):.1e}' if agree else '-'} | {text} |", flush=True)


def main():
    words = sys.argv[1:]
    every = int(exported.take(words, "-every", "1"))
    darknet, stock, opencv, folder, *clients = words
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        cases = list(pool.map(lambda i: exported.Case(i, folder).prepare(darknet, ["-onnx"]), range(0, len(networks.NETWORKS), every)))
    for case in cases:
        if not case.ours or not os.path.exists(f"{case.folder}/ported.onnx"):
            sys.exit(f"{case.name}: {case.said}")
        with open(f"{case.folder}/ported.floats", "wb") as f:
            array.array("f", [v for x in case.floats for v in x]).tofile(f)
    print(HEAD % (len(cases), exported.IMAGES, LIMIT))
    print("| client | version | reads | networks that agree | largest difference of these | what differs |\n|---|---|---|---|---|---|")

    def library(client, version, path, reader):
        it = exported.Library(path)
        row(client, version, ".cfg", cases, [it.answers(c.cfg, c.weights, c.floats, c.count) for c in cases], lambda others: reasons(reader, others))

    library("stock Darknet (Debian)", "61c9d02", stock, "stock Darknet")
    release = subprocess.run(["pkg-config", "--modversion", "opencv4"], capture_output=True, text=True, check=False).stdout.strip() or "not told"
    exported.opencv_answers(opencv, cases)
    row("OpenCV (Debian)", release, ".cfg", cases, [c.opencv for c in cases], lambda others: reasons("OpenCV", others))
    row("OpenCV (Debian)", release, "ONNX", cases, asked([opencv], cases, onnx_question)[1], kinds)
    for word in clients:
        name, path = word.split("=", 1)
        client = name.split("@")[0]
        if client == "npm":
            for one, text in (("opencv", "OpenCV (npm: @techstark/opencv-js)"), ("onnxruntime", "onnxruntime (npm: onnxruntime-node)")):
                first, found = asked(["node", "tests/onnx_predict.js", one, path], cases, onnx_question)
                row(text, first[0] if first else "not installed", "ONNX", cases, found, kinds)
        elif client == "ncnn":
            version = version_of(name, path)
            row("ncnn", version, ".cfg, by darknet2ncnn", cases, ncnn(path, cases, "darknet2ncnn", ["ported.cfg", "ported.weights"]), left_out)
            row("ncnn", version, "ONNX, by onnx2ncnn", cases, ncnn(path, cases, "onnx2ncnn", ["ported.onnx"]), kinds)
        else:
            library(f"{client}'s Darknet", version_of(name, path), path, f"{client}'s Darknet")


main()
