#!/usr/bin/env python3
"""Which classification .cfg files of other Darknets `darknet meta` reads, and how far its outputs are from stock's.

    scripts/stock_cfgs.py [-only WORD] [-least N] [-darknet DIR] CHECKOUT...

A CHECKOUT is a folder with a Darknet: pjreddie's, AlexeyAB's, hank-ai's. A .cfg is one of classification when it has neither a section of a
detector nor a recurrent one (NOT_CLASSIFICATION below); files with the same lines count once. A line a file is printed:

    outputs  largest difference from stock's, the same as a part of stock's largest output, which stock, file
    -        what `darknet meta` says, file

Weights are random (stock_outputs.c), the image is noise of the network's size. Stock is the library in DIR (/usr/lib/darknet); for
a file with words that this library does not have, the one of the CHECKOUT that has them, built for the CPU in a scratch folder. Ends with 1
when fewer than N files are read with outputs at most 1e-5 from stock's. Needs a C compiler; large networks take seconds each.
"""
import argparse
import array
import ctypes
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile

NOT_CLASSIFICATION = {"yolo", "Gaussian_yolo", "region", "detection", "iseg", "rnn", "gru", "lstm", "conv_lstm", "crnn", "history"}
LIMIT = 1e-5
HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)


# ---- the files -----------------------------------------------------------------------------------------------------------------

def lines_of(path):
    with open(path, encoding="utf-8", errors="replace", newline=None) as file:
        return [line.rstrip() for line in file]


def sections_of(lines):
    return [m.group(1) for m in (re.match(r"\s*\[([^]]*)\]", line) for line in lines) if m]


def find_files(checkouts):
    """Distinct classification .cfg files, in the order in which they are met."""
    found = {}
    for checkout in checkouts:
        for folder, folders, names in os.walk(checkout):
            folders[:] = sorted(f for f in folders if f != ".git")
            for name in sorted(names):
                path = os.path.join(folder, name)
                if not name.endswith(".cfg"):
                    continue
                lines = lines_of(path)
                sections = sections_of(lines)
                if len(sections) > 1 and not NOT_CLASSIFICATION & set(sections):
                    found.setdefault(tuple(lines), path)
    return list(found.values())


# ---- stock ---------------------------------------------------------------------------------------------------------------------

class Stock:
    """A libdarknet and the program of stock_outputs.c that is linked with it."""

    def __init__(self, name, folder, includes, scratch, flags=()):
        self.name = name
        self.program = os.path.join(scratch, "stock_outputs." + name)
        with open(os.path.join(folder, "libdarknet.so"), "rb") as file:
            self.bytes = file.read()
        subprocess.run([*shlex.split(os.environ.get("CC", "cc")), "-O2", "-w", *flags, *("-I" + i for i in includes), os.path.join(HERE, "stock_outputs.c"),
                        "-o", self.program, "-L" + folder, "-Wl,-rpath," + folder, "-ldarknet", "-lm"], check=True)

    def has(self, word):
        return word.encode() + b"\0" in self.bytes

    def run(self, cfg, name):
        """Returns stock's image and outputs; NAME.weights is there then."""
        text = "\n".join(lines_of(cfg))
        for key in ("batch", "subdivisions"):
            text = re.sub(r"(?m)^\s*%s\s*=.*$" % key, key + "=1", text)
        with open(name + ".cfg", "w", encoding="utf-8") as file:
            file.write(text + "\n")
        done = subprocess.run([self.program, name + ".cfg", name, "1"], cwd=os.path.dirname(name), stdout=subprocess.DEVNULL,
                              stderr=subprocess.PIPE)
        if done.returncode:
            sys.exit("%s: stock ended with %d: %s" % (cfg, done.returncode, done.stderr[-400:].decode(errors="replace")))
        both = []
        for end in ("image", "outputs"):
            numbers = array.array("f")
            with open(name + "." + end, "rb") as file:
                numbers.frombytes(file.read())
            both.append(numbers)
        return both


def build_checkout(checkout, scratch):
    """The library of a checkout of AlexeyAB's Darknet."""
    copy = os.path.join(scratch, "checkout")
    shutil.copytree(checkout, copy, ignore=shutil.ignore_patterns(".git"))
    print("%s: being built" % checkout, file=sys.stderr)
    with open(os.path.join(scratch, "build.log"), "w", encoding="utf-8") as log:
        if subprocess.run(["make", "LIBSO=1", "libdarknet.so"], cwd=copy, stdout=log, stderr=log).returncode:
            sys.exit("%s: can't be built: %s" % (checkout, "; ".join(lines_of(log.name)[-3:])))
    return Stock("alexeyab", copy, [os.path.join(copy, "include"), os.path.join(copy, "src")], scratch, ["-DALEXEYAB"])


class Stocks:
    def __init__(self, darknet, checkouts, scratch):
        self.scratch, self.checkouts = scratch, checkouts
        self.known = [Stock("stock", darknet, [os.path.join(darknet, "include")], scratch)]

    def of(self, cfg):
        """The first library that has all sections and activations of the file; None: no library has."""
        lines = [re.sub(r"\s|[#;].*", "", line) for line in lines_of(cfg)]
        words = {"[%s]" % s for s in sections_of(lines)} | {line[11:] for line in lines if line.startswith("activation=")}
        for stock in self.known:
            if all(stock.has(word) for word in words):
                return stock
        if len(self.known) == 1:
            makers = [c for c in self.checkouts if os.path.exists(os.path.join(c, "src", "scale_channels_layer.c"))]
            if makers:
                self.known.append(build_checkout(makers[0], self.scratch))
                return self.of(cfg)
        return None


# ---- ours ----------------------------------------------------------------------------------------------------------------------

class Image(ctypes.Structure):
    _fields_ = [("kind", ctypes.c_int), ("width", ctypes.c_int), ("height", ctypes.c_int), ("channels", ctypes.c_int),
                ("pixels", ctypes.c_void_p)]


class Ours:
    """libdarknet-meta.so, as darknet_meta.h declares it."""
    FLOATS, RUNNING = 1, 1

    def __init__(self):
        self.library = ctypes.CDLL(os.path.join(os.environ.get("DARKNET_DIR", ROOT), "libdarknet-meta.so"))

    def outputs(self, cfg, weights, pixels, count):
        """Returns the outputs, or the line that says why there are none."""
        classifier, error = ctypes.c_void_p(), ctypes.create_string_buffer(480)
        if self.library.darknet_meta_open(ctypes.byref(classifier), cfg.encode(), weights.encode(), error):
            return error.value.decode(errors="replace")
        net = dict(re.findall(r"(?m)^\s*(width|height|channels)\s*=\s*(\d+)", "\n".join(lines_of(cfg))))
        width, height, channels = (int(net[key]) for key in ("width", "height", "channels"))
        data = (ctypes.c_float * len(pixels)).from_buffer(pixels)
        image = Image(self.FLOATS, width, height, channels, ctypes.cast(data, ctypes.c_void_p))
        out = (ctypes.c_float * count)()
        if self.library.darknet_meta_classes(classifier) != count:
            return "gives %d outputs, stock %d" % (self.library.darknet_meta_classes(classifier), count)
        failed = self.library.darknet_meta_predict(classifier, ctypes.byref(image), 1, self.RUNNING, out, error)
        self.library.darknet_meta_classifier_free(classifier)
        return error.value.decode(errors="replace") if failed else list(out)

    def why_not(self, cfg):
        """What is wrong with the .cfg; None: nothing."""
        weights = "/no weights/"
        error = ctypes.create_string_buffer(480)
        self.library.darknet_meta_open(ctypes.byref(ctypes.c_void_p()), cfg.encode(), weights.encode(), error)
        text = error.value.decode(errors="replace")
        return None if text.startswith(weights) else text


# ---- both ----------------------------------------------------------------------------------------------------------------------

def compare(cfg, ours, stocks, scratch):
    """Returns (whether the outputs are within the limit, the line to print)."""
    why = ours.why_not(cfg)
    if why:
        return False, "-        %s" % why
    stock = stocks.of(cfg)
    if not stock:
        return False, "-        is read; no stock here has all it needs: %s" % cfg
    name = os.path.join(scratch, "one")
    try:
        image, wanted = stock.run(os.path.abspath(cfg), name)
        got = ours.outputs(cfg, name + ".weights", image, len(wanted))
    finally:
        for end in ("cfg", "weights", "image", "outputs"):
            if os.path.exists(name + "." + end):
                os.remove(name + "." + end)
    if isinstance(got, str):
        return False, "-        %s: %s" % (cfg, got)
    apart = max(abs(a - b) if a == a else float("inf") for a, b in zip(got, wanted))
    return apart <= LIMIT, "outputs  %7.1e  %7.1e  %-8s  %s" % (apart, apart / max(wanted), stock.name, cfg)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("checkouts", nargs="+", metavar="CHECKOUT")
    parser.add_argument("-only", default="", metavar="WORD", help="files alone whose paths have it")
    parser.add_argument("-least", type=int, default=0, metavar="N", help="files that must be read")
    parser.add_argument("-darknet", default="/usr/lib/darknet", metavar="DIR")
    options = parser.parse_args()
    for checkout in options.checkouts:
        if not os.path.isdir(checkout):
            sys.exit("stock_cfgs.py: %s: no such folder" % checkout)
    files = [f for f in find_files(options.checkouts) if options.only in f]
    held = 0
    with tempfile.TemporaryDirectory() as scratch:
        ours, stocks = Ours(), Stocks(options.darknet, options.checkouts, scratch)
        for cfg in files:
            ok, line = compare(cfg, ours, stocks, scratch)
            held += ok
            print(line, flush=True)
    print("%d of %d classification .cfg files: outputs at most %g from stock's" % (held, len(files), LIMIT))
    if held < options.least:
        sys.exit("stock_cfgs.py: %d files: must be at least %d" % (held, options.least))


if __name__ == "__main__":
    main()
