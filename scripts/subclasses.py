#!/usr/bin/env python3
"""Splits classes into subclasses by what a trained network sees, for tasks of more and harder classes.

usage: scripts/subclasses.py DATA CFG WEIGHTS OUT [--most K] [--least N]

Each class of DATA's train list becomes up to K (4) classes: clusters of its groups (lesions), of N
groups (25) at least, by k-means on the features that the network of CFG and WEIGHTS has before its
last layer. Tasks of these are of many more classes, some of them hard to tell apart.

OUT/sub/sub.data, and what it names, is what `darknet meta train` takes, and train_data= of a [row]
of a table, whose tests then are of the classes as they were. OUT must be new, or made of the same;
then it is left as it is. DARKNET_BIN is the program (./darknet).
"""
import argparse
import csv
import hashlib
import json
import os
import re
import shutil
import subprocess

from data_files import fail, key, lines_of, read


def program():
    return os.environ.get("DARKNET_BIN", "./darknet")


def run(words, log):
    """Runs a command whose output goes to a file; ends with its last line if it fails."""
    print("$", " ".join(words), flush=True)
    try:
        with open(log, "w", encoding="utf-8") as file:
            done = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=file, stderr=file, check=False)
    except OSError as error:
        fail("%s: %s" % (error.filename, error.strerror))
    if done.returncode:
        last = read(log).strip().splitlines()
        fail("that ended with an error: %s" % (last[-1] if last else "exit %d" % done.returncode))


def digest(text):
    return hashlib.sha256(text.encode()).hexdigest()


def digest_of(path):
    try:
        with open(path, "rb") as file:
            return hashlib.sha256(file.read()).hexdigest()
    except OSError as error:
        fail("%s: %s" % (path, error.strerror))


def write(path, text):
    with open(path + ".new", "w", encoding="utf-8") as file:
        file.write(text)
    os.replace(path + ".new", path)


def settle(path, what):
    """Keeps what a training or a split is made of; fails where another one is there under its name."""
    text = json.dumps(what, indent=1)
    if not os.path.exists(path):
        write(path, text)
    elif read(path) != text:
        old = json.loads(read(path))
        fail("%s: is of another %s: must be another OUT" % (path, ", ".join(k for k in what if what[k] != old.get(k))))


def read_groups(path):
    """{path, or the end of one, with or without extension: group}, of what `groups` of a .data file names."""
    lines = read(path).splitlines()
    said = re.match(r"sep=([,;\t]) *$", lines[0]) if lines else None
    lines = lines[1 if said else 0:]
    separator = said.group(1) if said else next((x for x in ",;\t" if lines and x in lines[0]), ",")
    rows = [row for row in csv.reader(lines, delimiter=separator) if len(row) > 1]
    image, group = 0, 1
    head = [x.strip().lower() for x in rows[0]] if rows else []
    if "image" in head:
        image, group = head.index("image"), head.index("group") if "group" in head else 1
        rows = rows[1:]
    return {re.sub(r"^(\./+)+", "", row[image].strip()): row[group].strip() for row in rows if len(row) > max(image, group)}


class Source:
    """DATA, the classes that its train list has, and its images by class."""

    def __init__(self, path):
        self.path, self.text = path, read(path).rstrip("\n") + "\n"
        self.shared = re.sub(r"^\s*(valid|test|train|backup)\s*=.*\n", "", self.text, flags=re.M)  # by all classes
        for name in ("labels", "train"):
            if not key(self.text, name):
                fail("%s: %s= is missing" % (path, name))
        self.labels = lines_of(key(self.text, "labels"))
        self.images = {}
        for image in lines_of(key(self.text, "train")):
            self.images.setdefault(self.label(image), []).append(image)
        self.groups = read_groups(key(self.text, "groups")) if key(self.text, "groups") else {}
        alone = sum(self.group(x) == x for v in self.images.values() for x in v)
        if self.groups and alone:
            print("%s: %d images are in no group of %s: each counts as unlike any other" % (
                key(self.text, "train"), alone, key(self.text, "groups")))

    def label(self, image):
        found = max((x for x in self.labels if x in image), key=len, default=None)
        return found or fail("%s: no label of %s is in it" % (image, key(self.text, "labels")))

    def group(self, image):
        """The group of the row that names the image, as the program finds it: by its whole name, by that of its file,
        or without the extension, of which digits alone are none; the one with most folders. An image that none names is
        one by itself."""
        file = re.sub(r"\[\d+\]$", "", image)
        stem, extension = os.path.splitext(file)
        for name in (image, file, file if extension[1:].isdigit() else stem):
            parts = name.split("/")
            for k in range(len(parts)):
                if "/".join(parts[k:]) in self.groups:
                    return self.groups["/".join(parts[k:])]
        return image

    def read_by(self):
        """What says how images are read and which of them belong together."""
        groups = key(self.text, "groups")
        return {".data file": digest(self.shared), "labels": digest(read(key(self.text, "labels"))),
                "groups": digest(read(groups)) if groups else ""}


def need_libraries():
    try:
        import numpy
        import sklearn.cluster
    except ImportError as error:
        fail("%s: subclasses need python3-numpy and python3-sklearn (scripts/install-deps.sh --pytorch)" % error)
    return numpy, sklearn.cluster


def clusters(means, most, least):
    """The number of each row's cluster: up to `most`, of `least` rows or more."""
    numpy, cluster = need_libraries()
    for count in range(max(1, min(most, len(means) // least)), 0, -1):  # fewer, until each is large enough
        near = cluster.KMeans(count, n_init=5, random_state=1).fit_predict(means)
        if count == 1 or min(numpy.bincount(near, minlength=count)) >= least:
            return near, count


def write_subclasses(source, folder, stem, most, least):
    """Writes a CSV of images, subclasses and groups by the features in STEM.npy and STEM.csv."""
    numpy, _ = need_libraries()
    features = numpy.load(stem + ".npy")
    paths = [row["image"] for row in csv.DictReader(open(stem + ".csv", encoding="utf-8", newline=""))]
    centred = features - features.mean(0)
    scaled = (centred / (centred.std(0) + 1e-6)).astype(numpy.float32)
    rows = []
    for label in sorted({source.label(x) for x in paths}):
        mine = numpy.array([i for i, x in enumerate(paths) if source.label(x) == label])
        groups = sorted({source.group(paths[i]) for i in mine})
        place = {g: k for k, g in enumerate(groups)}
        which = numpy.array([place[source.group(paths[i])] for i in mine])
        means = numpy.stack([scaled[mine[which == k]].mean(0) for k in range(len(groups))])
        near, count = clusters(means, most, least)
        name = label.strip("/")
        print("%s: %d images of %d groups in %d class%s" % (name, len(mine), len(groups), count, "es" if count > 1 else ""))
        rows += [(os.path.abspath(paths[i]), "%s-%d" % (name, near[k]), groups[k]) for i, k in zip(mine, which)]
    with open(folder + "/subclasses.csv", "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("image", "class", "group"), *rows])


def split(source, data, cfg, weights, folder, most, least):
    """Writes folder/sub/sub.data of subclasses of the train list of `data`, whose images are some of
    the source's, by what the network sees in them. Returns its path."""
    out = os.path.join(folder, "sub")
    if os.path.exists(folder + "/done") and os.path.exists(out + "/sub.data"):
        return out + "/sub.data"
    need_libraries()
    run([program(), "meta", "features", cfg, weights, data, "-list", "train", "-out", folder + "/features.npy"],
        folder + "/features.txt")
    write_subclasses(source, folder, folder + "/features", most, least)
    if os.path.exists(out + "/backup"):
        fail("%s: has trainings of an earlier split: must be another OUT" % out)
    shutil.rmtree(out, ignore_errors=True)
    depth = key(source.text, "range")
    run([program(), "meta", "lists", folder + "/subclasses.csv", out, "-valid", "0", "-test", "0",
         *(["-range", depth] if depth else [])], folder + "/lists.txt")
    alike = ["%s = %s\n" % (k, key(source.text, k)) for k in ("decode", "cache") if key(source.text, k)]
    write(out + "/sub.data", read(out + "/sub.data").rstrip("\n") + "\n" + "".join(alike))
    write(folder + "/done", "")
    return out + "/sub.data"


def positive(text):
    if int(text) < 1:
        raise ValueError
    return int(text)


def main():
    parser = argparse.ArgumentParser(usage=__doc__.split("usage: ")[1].split("\n")[0])
    for name in ("data", "cfg", "weights", "out"):
        parser.add_argument(name)
    parser.add_argument("--most", default=4, type=positive)
    parser.add_argument("--least", default=25, type=positive)  # a task of 5 + 15 images a class takes 20 groups
    asked = parser.parse_args()
    need_libraries()
    source, out = Source(asked.data), asked.out.rstrip("/")
    made_of = {"train list": digest(read(key(source.text, "train"))), **source.read_by(), ".cfg": digest(read(asked.cfg)),
               "weights": digest_of(asked.weights), "--most": asked.most, "--least": asked.least}
    try:
        os.makedirs(out, exist_ok=True)
        if os.listdir(out) and not os.path.exists(out + "/made_of.json"):
            fail("%s: is not of an earlier call: OUT must be new" % out)
    except OSError as error:
        fail("%s: %s" % (error.filename, error.strerror))
    settle(out + "/made_of.json", made_of)
    print(split(source, asked.data, asked.cfg, asked.weights, out, asked.most, asked.least))


if __name__ == "__main__":
    main()
