#!/usr/bin/env python3
"""Which recipe adapts best to classes that training never saw? Asked of common classes alone.

usage: scripts/leave_class_out.py DATA OUT CFG... [--seeds 1,2] [--shots 5] [--runs N] [--subclasses K [--least N]] [--only LABEL]

Of each class of DATA's train list there is a training of each CFG and seed that has no image of it.
It is tested on tasks of DATA's valid list; those that have the class count. Other lesions of known
classes say which network knows these classes best, and not which adapts best to new ones; the rare
classes, which do, are asked once, at the end. A task has the new class and one that training had:
two new classes are harder.

--subclasses K trains each CFG once more, with each class's images in up to K classes of their own:
clusters of its groups (lesions), of N groups (25) at least, by what the CFG's first training sees in
them (k-means on the features before the last layer). Tasks then are of many more classes, some of
them hard to tell apart.

OUT has a folder for each class, with its lists, trainings and results. The same command goes on
after a stop; a training of another .cfg or other images under a name that is there is an error.
DARKNET_BIN is the program (./darknet).
"""
import argparse
import csv
import hashlib
import json
import math
import os
import re
import shutil
import statistics
import subprocess
import sys

# Student's t, two-sided 95%, by degrees of freedom from 1 on; beyond them the last, which is wider
T95 = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131]


def fail(text):
    sys.exit("scripts/leave_class_out.py: " + text)


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


def read(path):
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            return file.read()
    except OSError as error:
        fail("%s: %s" % (path, error.strerror))


def digest(text):
    return hashlib.sha256(text.encode()).hexdigest()


def key(text, name):
    match = re.search(r"^\s*%s\s*=[ \t]*(\S.*?)[ \t]*$" % name, text, re.M)
    return match and match.group(1)


def lines_of(path):
    return [line.strip() for line in read(path).splitlines() if line.strip()]


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
        for name in ("labels", "train", "valid"):
            if not key(self.text, name):
                fail("%s: %s= is missing" % (path, name))
        self.shared = re.sub(r"^\s*(valid|test|train|backup)\s*=.*\n", "", self.text, flags=re.M)  # by all classes
        self.labels = lines_of(key(self.text, "labels"))
        self.images = {}
        for image in lines_of(key(self.text, "train")):
            self.images.setdefault(self.label(image), []).append(image)
        self.valid = {self.label(image) for image in lines_of(key(self.text, "valid"))}
        self.groups = read_groups(key(self.text, "groups")) if key(self.text, "groups") else {}
        alone = sum(self.group(x) == x for v in self.images.values() for x in v)
        if self.groups and alone:
            print("%s: %d images are in no group of %s: each counts as unlike any other" % (
                key(self.text, "train"), alone, key(self.text, "groups")))

    def label(self, image):
        found = max((x for x in self.labels if x in image), key=len, default=None)
        return found or fail("%s: no label of %s is in it" % (image, key(self.text, "labels")))

    def group(self, image):
        """The group that most of the image's path names; an image that none names is one by itself."""
        parts = image.split("/")
        ends = ["/".join(parts[k:]) for k in range(len(parts))]
        ends = [x for end in ends for x in (end, os.path.splitext(end)[0])]
        return next((self.groups[end] for end in ends if end in self.groups), image)

    def read_by(self):
        """What says how images are read and which of them belong together."""
        groups = key(self.text, "groups")
        return {".data file": digest(self.shared), "labels": digest(read(key(self.text, "labels"))), "groups": digest(read(groups)) if groups else ""}

    def write_without(self, label, folder):
        """A .data file like this one, whose train list lacks a class, and whose backup is `folder`."""
        images = "".join(x + "\n" for k, v in self.images.items() if k != label for x in v)
        settle(folder + "/made_of.json", {"train list": digest(images), **self.read_by()})
        write(folder + "/train.list", images)
        write(folder + "/known.data", self.shared + "train = %s/train.list\nbackup = %s\n" % (folder, folder))


def clusters(means, most, least):
    """The number of each row's cluster: up to `most`, of `least` rows or more."""
    try:
        import numpy
        from sklearn.cluster import KMeans
    except ImportError as error:
        fail("%s: --subclasses needs python3-numpy and python3-sklearn (scripts/install-deps.sh --pytorch)" % error)
    for count in range(max(1, min(most, len(means) // least)), 0, -1):  # fewer, until each is large enough
        near = KMeans(count, n_init=5, random_state=1).fit_predict(means)
        if count == 1 or min(numpy.bincount(near, minlength=count)) >= least:
            return near, count


def subclasses(source, folder, stem, most, least):
    """Writes a CSV of images, subclasses and groups by the features in STEM.npy and STEM.csv."""
    import numpy
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


class Run:
    """The trainings and tests of one class left out."""

    def __init__(self, source, label, asked):
        self.source, self.label, self.asked = source, label, asked
        self.program = os.environ.get("DARKNET_BIN", "./darknet")
        self.folder = os.path.join(asked.out, "without-" + label.strip("/"))
        os.makedirs(self.folder, exist_ok=True)
        source.write_without(label, self.folder)

    def train(self, data, cfg, seed, folder, name):
        os.makedirs(folder, exist_ok=True)
        stem = os.path.join(folder, name)
        settle(stem + ".made_of.json", {".cfg": digest(read(cfg)), "list of images": digest(read(key(read(data), "train")))})
        if not os.path.exists(stem + "_final.weights"):
            go_on = ["-resume"] if os.path.exists(stem + ".state") else []
            run([self.program, "meta", "train", data, cfg, "-seed", str(seed), "-name", name, "-valid_every", "0", *go_on],
                stem + ".train.txt")
        return stem + "_final.weights"

    def test(self, cfg, weights, name):
        """The AUCs, in percent, of the tasks that have the class."""
        asked = self.asked
        out = os.path.join(self.folder, "%s-%d-shots-%d.json" % (name, asked.shots, asked.runs))
        settle(out[:-5] + ".made_of.json", {"valid list": digest(read(key(self.source.text, "valid"))), **self.source.read_by()})
        if not os.path.exists(out):
            run([self.program, "meta", "test", self.source.path, cfg, weights, "-list", "valid", "-shots", str(asked.shots),
                 "-runs", str(asked.runs), "-out", out], out[:-5] + ".txt")
        k = self.source.labels.index(self.label)
        found = [100 * t["auc_after"] for t in json.loads(read(out))["tasks"] if k in t["classes"]]
        return found or fail("%s: no task has %s: --runs must be more" % (out, self.label))

    def split(self, cfg, weights, name):
        """A .data file of subclasses, by the features of these weights."""
        folder = os.path.join(self.folder, name)
        out = os.path.join(folder, "sub")
        os.makedirs(folder, exist_ok=True)
        settle(folder + "/made_of.json", {"training that tells them apart": os.path.basename(weights),
                                          "--least": self.asked.least})
        if not os.path.exists(folder + "/done"):
            run([self.program, "meta", "features", cfg, weights, self.folder + "/known.data", "-list", "train", "-out",
                 folder + "/features.npy"], folder + "/features.txt")
            subclasses(self.source, folder, folder + "/features", self.asked.subclasses, self.asked.least)
            if os.path.exists(out + "/backup"):
                fail("%s: has trainings of an earlier split: must be another OUT" % out)
            shutil.rmtree(out, ignore_errors=True)
            depth = key(self.source.text, "range")
            run([self.program, "meta", "lists", folder + "/subclasses.csv", out, "-valid", "0", "-test", "0",
                 *(["-range", depth] if depth else [])], folder + "/lists.txt")
            alike = ["%s = %s\n" % (k, key(self.source.text, k)) for k in ("decode", "cache") if key(self.source.text, k)]
            write(out + "/sub.data", read(out + "/sub.data").rstrip("\n") + "\n" + "".join(alike))
            write(folder + "/done", "")
        return out + "/sub.data"

    def recipes(self):
        """Yields (recipe, mean over the tasks that have the class) of each training."""
        for cfg in self.asked.cfg:
            stem = stem_of(cfg)
            for seed in self.asked.seeds:
                name = "%s-%d" % (stem, seed)
                weights = self.train(self.folder + "/known.data", cfg, seed, self.folder, name)
                yield stem, statistics.fmean(self.test(cfg, weights, name))
                if not self.asked.subclasses:
                    continue
                first = "%s-%d_final.weights" % (stem, self.asked.seeds[0])
                more = "%s-%d-subclasses" % (stem, self.asked.subclasses)
                data = self.split(cfg, os.path.join(self.folder, first), more)
                weights = self.train(data, cfg, seed, os.path.join(self.folder, more, "sub", "backup"), "%s-%d" % (more, seed))
                yield more, statistics.fmean(self.test(cfg, weights, "%s-%d" % (more, seed)))


def stem_of(cfg):
    return os.path.splitext(os.path.basename(cfg))[0]


def mean_interval(values):
    """Mean and its 95% interval by Student's t, as text."""
    mean = statistics.fmean(values)
    if len(values) < 2:
        return "%.2f" % mean
    half = T95[min(len(values) - 2, len(T95) - 1)] * statistics.stdev(values) / math.sqrt(len(values))
    return "%.2f (%.2f to %.2f)" % (mean, mean - half, mean + half)


def report(found, labels):
    """found: {recipe: {label: [AUC of each seed]}}. The interval is over classes: that another one is new is the question."""
    first = next(iter(found))
    print("\n| recipe | " + " | ".join("new: " + x.strip("/") for x in labels) + " | mean | less %s, over classes |" % first)
    print("|---" * (len(labels) + 3) + "|")
    for name, of in found.items():
        means = [statistics.fmean(of[label]) for label in labels]
        less = [m - statistics.fmean(found[first][label]) for m, label in zip(means, labels)]
        cells = ["%.2f" % x for x in (*means, statistics.fmean(means))]
        print("| %s | %s | %s |" % (name, " | ".join(cells), "-" if name == first else mean_interval(less)))


def numbers(text):
    found = [int(x) for x in text.split(",")]
    if len(set(found)) < len(found):
        raise ValueError
    return found


def positive(text):
    if int(text) < 1:
        raise ValueError
    return int(text)


def main():
    parser = argparse.ArgumentParser(usage=__doc__.split("usage: ")[1].split("\n")[0])
    parser.add_argument("data")
    parser.add_argument("out")
    parser.add_argument("cfg", nargs="+")
    parser.add_argument("--seeds", default="1", type=numbers)
    parser.add_argument("--shots", default=5, type=positive)
    parser.add_argument("--runs", default=400, type=positive)
    parser.add_argument("--subclasses", default=0, type=positive)
    parser.add_argument("--least", default=25, type=positive)  # a task of 5 + 15 images a class takes 20 groups
    parser.add_argument("--only")
    asked = parser.parse_args()
    source = Source(asked.data)
    labels = sorted(source.images)
    if asked.only:
        labels = [x for x in labels if x.strip("/") == asked.only] or fail("--only %s: must be one of %s" % (
            asked.only, ", ".join(x.strip("/") for x in labels)))
    for label in labels:
        if label not in source.valid:
            fail("%s: has no image of %s: the class can't be asked" % (key(source.text, "valid"), label))
    if len({stem_of(cfg) for cfg in asked.cfg}) < len(asked.cfg):
        fail("two .cfg files have one name: must be told apart by it")
    found = {}
    for label in labels:
        for recipe, auc in Run(source, label, asked).recipes():
            found.setdefault(recipe, {}).setdefault(label, []).append(auc)
    report(found, labels)


if __name__ == "__main__":
    main()
