"""Holds what meta adapt writes to what others read in it.

    exported.py DARKNET LIBDARKNET OPENCV_PREDICT FOLDER [-every N] [-only NAME] [-flags "FLAG..."] [NAME=LIBRARY...]

For each of exported_networks.NETWORKS, or each N-th, or those whose names begin with NAME, meta adapt writes the network as it is (-steps 0 -bn running) into FOLDER. Readers then predict the
same images: meta predict, the stock library, OpenCV by the program OPENCV_PREDICT, and each further LIBRARY, which must be a build of
Darknet's with network_predict_ptr and is called NAME. The truth is the stock library's answer for the network that was given, or that of
meta predict where the stock library is known to be wrong. Prints each reader's largest difference, and exits with 1 where one is above 1e-4, or a reader fails, and no line of meta adapt names the reader; or
where a line names one that agrees.
"""
import ctypes
import os
import random
import subprocess
import sys
import zlib
from concurrent.futures import ThreadPoolExecutor

import exported_networks as networks

LIMIT, IMAGES = 1e-4, 4


def write_images(folder, shape, seed, count=IMAGES):
    """Returns the paths of `count` smooth, noisy images and their planar floats."""
    (w, h, c), rng, paths, floats = shape, random.Random(seed), [], []
    for i in range(count):
        low = [[rng.random(), rng.random() / w, rng.random() / h] for _ in range(c)]
        pixels = [[int(255 * min(1, max(0, a + b * x - d * y + rng.gauss(0, .15)))) for a, b, d in low] for y in range(h) for x in range(w)]
        paths.append(f"{folder}/k{i % 3}_{i}.p{'g' if c == 1 else 'p'}m")
        with open(paths[-1], "wb") as f:
            f.write(b"P%d %d %d 255\n" % (5 if c == 1 else 6, w, h) + bytes(v for p in pixels for v in p))
        floats.append([p[k] / 255 for k in range(c) for p in pixels])
    return paths, floats


def write_data(folder, paths, count):
    """The first images are a list with one of each class; where there are more classes than images, they are repeated in other files."""
    with open(f"{folder}/few.list", "w") as f:
        for k in range(count):
            name = f"{folder}/c{k}_.{paths[0][-3:]}"
            with open(paths[k % len(paths)], "rb") as source, open(name, "wb") as copy:
                data = bytearray(source.read())
                data[-1] = 5 * k      # so that no two are the same file
                copy.write(data)
            print(name, file=f)
    with open(f"{folder}/few.labels", "w") as f:
        print(*(f"c{k}_" for k in range(count)), sep="\n", file=f)
    with open(f"{folder}/few.data", "w") as f:
        print(f"classes={count}\nlabels={folder}/few.labels\nnames={folder}/few.labels\ntrain={folder}/few.list", file=f)


class Library:
    """A build of Darknet's library. Each network is read in a process of its own, since a library may end it."""

    def __init__(self, path):
        self.it = ctypes.CDLL(path)
        self.predict = getattr(self.it, "network_predict_ptr", None) or self.it.network_predict
        self.it.load_network.restype = ctypes.c_void_p
        self.it.load_network.argtypes = [ctypes.c_char_p, ctypes.c_char_p, ctypes.c_int]
        self.predict.restype = ctypes.POINTER(ctypes.c_float)
        self.predict.argtypes = [ctypes.c_void_p, ctypes.POINTER(ctypes.c_float)]

    def answers(self, cfg, weights, floats, count):
        """A list of probabilities an image, or None where the library fails."""
        out, into = os.pipe()
        child = os.fork()
        if not child:
            nothing = os.open(os.devnull, os.O_RDWR)
            os.dup2(nothing, 1)
            os.dup2(nothing, 2)
            network = self.it.load_network(cfg.encode(), weights.encode(), 0)
            for x in floats:
                p = self.predict(network, (ctypes.c_float * len(x))(*x))
                os.write(into, (" ".join("%.9g" % p[k] for k in range(count)) + "\n").encode())
            os._exit(0)
        os.close(into)
        with open(out) as f:
            lines = f.read().splitlines()
        status = os.waitpid(child, 0)[1]
        return [[float(v) for v in line.split()] for line in lines] if status == 0 and len(lines) == len(floats) else None


def difference(a, b):
    if a is None or b is None or [len(x) for x in a] != [len(x) for x in b]:
        return float("inf")
    each = [abs(x - y) for p, q in zip(a, b) for x, y in zip(p, q)]
    return max(each) if all(d == d for d in each) else float("inf")


class Case:
    def __init__(self, index, folder):
        self.name, self.shape, self.layers = networks.NETWORKS[index]
        self.folder, self.seed = f"{folder}/{index}", zlib.crc32(self.name.encode())
        self.cfg, self.weights = f"{self.folder}/ported.cfg", f"{self.folder}/ported.weights"
        self.count = networks.classes(self.shape, self.layers)

    def prepare(self, darknet, flags):
        os.makedirs(self.folder, exist_ok=True)
        networks.write_cfg(f"{self.folder}/source.cfg", self.shape, self.layers, True)
        networks.write_cfg(f"{self.folder}/stock.cfg", self.shape, self.layers, False)
        networks.write_weights(f"{self.folder}/source.weights", self.shape, self.layers, self.seed)
        self.paths, self.floats = write_images(self.folder, self.shape, self.seed)
        write_data(self.folder, self.paths, self.count)
        adapt = subprocess.run([darknet, "meta", "adapt", f"{self.folder}/few.data", f"{self.folder}/source.cfg",
                                f"{self.folder}/source.weights", "-out", f"{self.folder}/ported", "-steps", "0", "-bn", "running", *flags],
                               capture_output=True, text=True, check=False)
        self.said = adapt.stdout if adapt.returncode == 0 else "meta adapt failed: " + adapt.stderr
        self.ours = self.predict(darknet, self.cfg, self.weights)
        if self.name in networks.STOCK_IS_WRONG:
            self.truth = self.predict(darknet, f"{self.folder}/stock.cfg", f"{self.folder}/source.weights")
        return self

    def predict(self, darknet, cfg, weights):
        run = subprocess.run([darknet, "meta", "predict", cfg, weights, f"{self.folder}/few.data", *self.paths, "-csv"],
                             capture_output=True, text=True, check=False)
        return [[float(v) for v in line.split(",")[2:]] for line in run.stdout.splitlines()[1:]] if run.returncode == 0 else None

    def named(self, reader):
        return any("read otherwise" in line and reader in line for line in self.said.splitlines())


def opencv_answers(program, cases):
    asked = "".join(" ".join([c.cfg, c.weights, str(c.shape[2]), *c.paths]) + "\n" for c in cases)
    lines = subprocess.run([program], input=asked, capture_output=True, text=True, check=True).stdout.splitlines()
    for case, line in zip(cases, lines):
        numbers = [] if line.startswith("error") else [float(v) for v in line.split()]
        case.opencv = [numbers[k:k + case.count] for k in range(0, len(numbers), case.count)] or None
        case.opencv_said = line if line.startswith("error") else ""


def take(words, flag, default):
    """Takes a flag and its value out of the words."""
    if flag not in words:
        return default
    at = words.index(flag)
    words.pop(at)
    return words.pop(at)


def compare(case, stock, readers):
    """Prints a line, and returns what is wrong and each reader's difference where nothing was said."""
    given = stock.answers(f"{case.folder}/stock.cfg", f"{case.folder}/source.weights", case.floats, case.count)
    wrong, unsaid, cells = [], {}, []
    if case.name not in networks.STOCK_IS_WRONG:
        case.truth = given
    elif difference(given, case.truth) <= LIMIT:
        wrong.append(f"{case.name}: the stock library is right")
    if case.truth is None or min(max(p) for p in case.truth) > .98:
        wrong.append(f"{case.name}: can't be compared: {case.truth} {case.said}")
    for reader, answer in readers:
        d, named = difference(case.truth, answer), case.named(reader)
        cells.append(("fails" if answer is None else "%.1e" % d) + (" (said)" if named else ""))
        if named != (d > LIMIT):
            wrong.append(f"{case.name}: {reader}: {cells[-1]}" + (f": {case.opencv_said[:150]}" if reader == "OpenCV" else ""))
        if not named:
            unsaid[reader] = d
    print("%-42s" % case.name[:42], *("%14s" % c for c in cells))
    return wrong, unsaid


def main():
    words = sys.argv[1:]
    flags, every = take(words, "-flags", "").split(), int(take(words, "-every", "1"))
    only = take(words, "-only", "")
    darknet, library, opencv, folder, *others = words
    stock = Library(library)
    libraries = [(name, Library(path)) for name, path in (word.split("=") for word in others)]
    asked = [i for i in range(0, len(networks.NETWORKS), every) if networks.NETWORKS[i][0].startswith(only)]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        cases = list(pool.map(lambda i: Case(i, folder).prepare(darknet, flags), asked))
    opencv_answers(opencv, cases)
    columns, bad, largest = ["meta predict", "stock", "OpenCV"] + [name for name, _ in libraries], [], {}
    print("%-42s" % "network", *("%14s" % c for c in columns))
    for case in cases:
        read = [library.answers(case.cfg, case.weights, case.floats, case.count) for library in [stock] + [l for _, l in libraries]]
        wrong, unsaid = compare(case, stock, zip(columns, [case.ours, read[0], case.opencv] + read[1:]))
        bad += wrong
        for reader, d in unsaid.items():
            largest[reader] = max(largest.get(reader, 0), d)
    print("%-42s" % f"largest of {len(cases)} networks, where not said", *("%14.1e" % largest.get(c, 0) for c in columns))
    print(*(f"WRONG {line}" for line in bad), sep="\n")
    sys.exit(bool(bad))


if __name__ == "__main__":
    main()
