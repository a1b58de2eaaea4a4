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
import json
import math
import os
import statistics

from data_files import fail, key, lines_of, read
from subclasses import Source, digest, positive, program, run, settle, split, write

# Student's t, two-sided 95%, by degrees of freedom from 1 on; beyond them the last, which is wider
T95 = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131]


class Common(Source):
    """A Source whose classes are left out in turn, and asked on its valid list."""

    def __init__(self, path):
        super().__init__(path)
        if not key(self.text, "valid"):
            fail("%s: valid= is missing" % path)
        self.valid = {self.label(image) for image in lines_of(key(self.text, "valid"))}

    def write_without(self, label, folder):
        """A .data file like this one, whose train list lacks a class, and whose backup is `folder`."""
        images = "".join(x + "\n" for k, v in self.images.items() if k != label for x in v)
        settle(folder + "/made_of.json", {"train list": digest(images), **self.read_by()})
        write(folder + "/train.list", images)
        write(folder + "/known.data", self.shared + "train = %s/train.list\nbackup = %s\n" % (folder, folder))


class Run:
    """The trainings and tests of one class left out."""

    def __init__(self, source, label, asked):
        self.source, self.label, self.asked = source, label, asked
        self.folder = os.path.join(asked.out, "without-" + label.strip("/"))
        os.makedirs(self.folder, exist_ok=True)
        source.write_without(label, self.folder)

    def train(self, data, cfg, seed, folder, name):
        os.makedirs(folder, exist_ok=True)
        stem = os.path.join(folder, name)
        settle(stem + ".made_of.json", {".cfg": digest(read(cfg)), "list of images": digest(read(key(read(data), "train")))})
        if not os.path.exists(stem + "_final.weights"):
            go_on = ["-resume"] if os.path.exists(stem + ".state") else []
            run([program(), "meta", "train", data, cfg, "-seed", str(seed), "-name", name, "-valid_every", "0", *go_on],
                stem + ".train.txt")
        return stem + "_final.weights"

    def test(self, cfg, weights, name):
        """The AUCs, in percent, of the tasks that have the class."""
        asked = self.asked
        out = os.path.join(self.folder, "%s-%d-shots-%d.json" % (name, asked.shots, asked.runs))
        settle(out[:-5] + ".made_of.json", {"valid list": digest(read(key(self.source.text, "valid"))), **self.source.read_by()})
        if not os.path.exists(out):
            run([program(), "meta", "test", self.source.path, cfg, weights, "-list", "valid", "-shots", str(asked.shots),
                 "-runs", str(asked.runs), "-out", out], out[:-5] + ".txt")
        k = self.source.labels.index(self.label)
        found = [100 * t["auc_after"] for t in json.loads(read(out))["tasks"] if k in t["classes"]]
        return found or fail("%s: no task has %s: --runs must be more" % (out, self.label))

    def split(self, cfg, weights, name):
        """A .data file of subclasses, by the features of these weights."""
        folder = os.path.join(self.folder, name)
        os.makedirs(folder, exist_ok=True)
        settle(folder + "/made_of.json", {"training that tells them apart": os.path.basename(weights),
                                          "--least": self.asked.least})
        return split(self.source, self.folder + "/known.data", cfg, weights, folder, self.asked.subclasses, self.asked.least)

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
    source = Common(asked.data)
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
