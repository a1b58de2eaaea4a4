#!/usr/bin/env python3
"""Which recipe adapts best to classes that training never saw? Asked of common classes alone.

usage: scripts/leave_class_out.py DATA OUT CFG... [--seeds 1,2] [--shots 5] [--runs N] [--subclasses K [--least N]] [--only LABEL]

Of each class of DATA's train list there is a training of each CFG and seed that has no image of it.
It is tested on tasks of DATA's valid list; those that have the class count. Other lesions of known
classes say which network knows these classes best, and not which adapts best to new ones; the rare
classes, which do, are asked once, at the end.

--subclasses K trains each CFG once more, with each class's images in up to K classes of their own:
clusters of its groups (lesions), of N groups (25) at least, by what the CFG's first training sees in
them (k-means on the features before the last layer). Tasks then are of many more classes, some of
them hard to tell apart.

OUT has a folder for each class, with its lists, trainings and results. The same command goes on
after a stop. DARKNET_BIN is the program (./darknet).
"""
import argparse
import csv
import json
import math
import os
import re
import statistics
import subprocess
import sys

T95 = [12.71, 4.30, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26, 2.23, 2.20, 2.18, 2.16, 2.14, 2.13]


def fail(text):
    sys.exit("scripts/leave_class_out.py: " + text)


def run(words, log):
    """Runs a command whose output goes to a file; ends with its last line if it fails."""
    print("$", " ".join(words), flush=True)
    with open(log, "w", encoding="utf-8") as file:
        done = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=file, stderr=file, check=False)
    if done.returncode:
        last = open(log, encoding="utf-8").read().strip().splitlines()
        fail("that ended with an error: %s" % (last[-1] if last else "exit %d" % done.returncode))


def read(path):
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except OSError as error:
        fail("%s: %s" % (path, error.strerror))


def key(text, name):
    match = re.search(r"^\s*%s\s*=[ \t]*(\S.*?)[ \t]*$" % name, text, re.M)
    return match and match.group(1)


def lines_of(path):
    return [line.strip() for line in read(path).splitlines() if line.strip()]


def write(path, text):
    with open(path + ".new", "w", encoding="utf-8") as file:
        file.write(text)
    os.replace(path + ".new", path)


class Source:
    """DATA, the classes that its train list has, and its images by class."""

    def __init__(self, path):
        self.path, self.text = path, read(path)
        for name in ("labels", "train", "valid"):
            if not key(self.text, name):
                fail("%s: %s= is missing" % (path, name))
        self.labels = lines_of(key(self.text, "labels"))
        self.images = {}
        for image in lines_of(key(self.text, "train")):
            self.images.setdefault(self.label(image), []).append(image)
        self.groups = {}
        if key(self.text, "groups"):
            self.groups = dict(row[:2] for row in csv.reader(lines_of(key(self.text, "groups"))[1:]))

    def label(self, image):
        found = max((x for x in self.labels if x in image), key=len, default=None)
        return found or fail("%s: no label of %s is in it" % (image, key(self.text, "labels")))

    def group(self, image):
        stem = os.path.splitext(os.path.basename(image))[0]
        return self.groups.get(stem, self.groups.get(image, image))

    def write_without(self, label, folder):
        """A .data file like this one, whose train list lacks a class, and whose backup is `folder`."""
        images = [x for k, v in self.images.items() if k != label for x in v]
        write(folder + "/train.list", "".join(x + "\n" for x in images))
        text = re.sub(r"^\s*(valid|test|train|backup)\s*=.*\n", "", self.text, flags=re.M)
        write(folder + "/known.data", text + "train = %s/train.list\nbackup = %s\n" % (folder, folder))


def subclasses(source, folder, stem, most, least):
    """Writes a CSV of images, subclasses and groups by the features in STEM.npy and STEM.csv."""
    try:
        import numpy
        from sklearn.cluster import KMeans
    except ImportError as error:
        fail("%s: --subclasses needs python3-numpy and python3-sklearn (scripts/install-deps.sh --pytorch)" % error)
    features = numpy.load(stem + ".npy")
    paths = [row["image"] for row in csv.DictReader(open(stem + ".csv", encoding="utf-8"))]
    centred = features - features.mean(0)
    scaled = (centred / (centred.std(0) + 1e-6)).astype(numpy.float32)
    rows = []
    for label in sorted({source.label(x) for x in paths}):
        mine = [i for i, x in enumerate(paths) if source.label(x) == label]
        groups = sorted({source.group(paths[i]) for i in mine})
        of = {g: k for k, g in enumerate(groups)}
        which = numpy.array([of[source.group(paths[i])] for i in mine])
        means = numpy.stack([scaled[numpy.array(mine)[which == k]].mean(0) for k in range(len(groups))])
        for count in range(max(1, min(most, len(groups) // least)), 0, -1):  # fewer, until each is large enough
            near = KMeans(count, n_init=5, random_state=1).fit_predict(means)
            if min(numpy.bincount(near, minlength=count)) >= least:
                break
        name = label.strip("/")
        print("%s: %d images of %d groups in %d classes" % (name, len(mine), len(groups), count))
        rows += [(os.path.abspath(paths[i]), "%s-%d" % (name, near[k]), groups[k]) for i, k in zip(mine, which)]
    with open(folder + "/subclasses.csv", "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("image", "class", "group"), *rows])


class Run:
    """The trainings and tests of one class left out."""

    def __init__(self, source, label, arguments):
        self.source, self.label, self.asked = source, label, arguments
        self.program = os.environ.get("DARKNET_BIN", "./darknet")
        self.folder = os.path.join(arguments.out, "without-" + label.strip("/"))
        os.makedirs(self.folder, exist_ok=True)
        source.write_without(label, self.folder)

    def train(self, data, cfg, seed, folder, name):
        os.makedirs(folder, exist_ok=True)
        stem = os.path.join(folder, name)
        if not os.path.exists(stem + "_final.weights"):
            go_on = ["-resume"] if os.path.exists(stem + ".state") else []
            run([self.program, "meta", "train", data, cfg, "-seed", str(seed), "-name", name, "-valid_every", "0", *go_on],
                stem + ".train.txt")
        return stem + "_final.weights"

    def test(self, cfg, weights, name):
        out = os.path.join(self.folder, name + ".json")
        if not os.path.exists(out):
            run([self.program, "meta", "test", self.source.path, cfg, weights, "-list", "valid", "-shots", str(self.asked.shots),
                 "-runs", str(self.asked.runs), "-temperature", "off", "-out", out], out[:-5] + ".test.txt")
        return json.loads(read(out))

    def split(self, cfg, weights, name):
        """A .data file of subclasses, by the features of these weights."""
        folder = os.path.join(self.folder, name)
        out = os.path.join(folder, "sub")
        if not os.path.exists(out + "/sub.data"):
            os.makedirs(folder, exist_ok=True)
            run([self.program, "meta", "features", cfg, weights, self.folder + "/known.data", "-list", "train", "-out",
                 folder + "/features.npy"], folder + "/features.txt")
            subclasses(self.source, folder, folder + "/features", self.asked.subclasses,
                       self.asked.least)
            run([self.program, "meta", "lists", folder + "/subclasses.csv", out, "-valid", "0", "-test", "0", "-replace"],
                folder + "/lists.txt")
        return out + "/sub.data"

    def recipes(self):
        """Yields (recipe, seed, results of the test) as they come."""
        for cfg in self.asked.cfg:
            stem = os.path.splitext(os.path.basename(cfg))[0]
            for seed in self.asked.seeds:
                name = "%s-%d" % (stem, seed)
                weights = self.train(self.folder + "/known.data", cfg, seed, self.folder, name)
                yield stem, seed, self.test(cfg, weights, name)
                if not self.asked.subclasses:
                    continue
                first = "%s-%d" % (stem, self.asked.seeds[0])
                more = "%s-%d-subclasses" % (stem, self.asked.subclasses)
                data = self.split(cfg, os.path.join(self.folder, first + "_final.weights"), more)
                weights = self.train(data, cfg, seed, os.path.join(self.folder, more, "sub", "backup"),
                                     "%s-%d" % (more, seed))
                yield more, seed, self.test(cfg, weights, "%s-%d" % (more, seed))


def tasks_with(result, source, label):
    """The AUCs, in percent, of tasks that have the class."""
    k = source.labels.index(label)
    return [100 * t["auc_after"] for t in result["tasks"] if k in t["classes"]]


def mean_interval(values):
    """Mean and its 95% interval by Student's t, as text."""
    mean = statistics.fmean(values)
    if len(values) < 2:
        return "%.2f" % mean
    t = T95[len(values) - 2] if len(values) - 2 < len(T95) else 2
    half = t * statistics.stdev(values) / math.sqrt(len(values))
    return "%.2f (%.2f to %.2f)" % (mean, mean - half, mean + half)


def report(found, labels):
    """found: {recipe: {(label, seed): AUC}}."""
    recipes = list(found)
    first = found[recipes[0]]
    print("\n| recipe | " + " | ".join("new: " + x.strip("/") for x in labels) + " | all | less %s, over trainings |" % recipes[0])
    print("|---" * (len(labels) + 3) + "|")
    for name in recipes:
        cells = []
        for label in labels:
            values = [v for (k, _), v in found[name].items() if k == label]
            cells.append("%.2f" % statistics.fmean(values) if values else "")
        less = [v - first[k] for k, v in found[name].items() if k in first]
        cells.append("%.2f" % statistics.fmean(found[name].values()))
        cells.append("-" if name == recipes[0] else mean_interval(less))
        print("| %s | %s |" % (name, " | ".join(cells)))


def main():
    parser = argparse.ArgumentParser(usage=__doc__.split("usage: ")[1].split("\n")[0])
    parser.add_argument("data")
    parser.add_argument("out")
    parser.add_argument("cfg", nargs="+")
    parser.add_argument("--seeds", default="1", type=lambda text: [int(x) for x in text.split(",")])
    parser.add_argument("--shots", default=5, type=int)
    parser.add_argument("--runs", default=400, type=int)
    parser.add_argument("--subclasses", default=0, type=int)
    parser.add_argument("--least", default=25, type=int)  # a task of 5 + 15 images a class takes 20 groups
    parser.add_argument("--only")
    asked = parser.parse_args()
    source = Source(asked.data)
    labels = sorted(source.images)
    if asked.only:
        labels = [x for x in labels if x.strip("/") == asked.only] or fail("--only %s: must be one of %s" % (
            asked.only, ", ".join(x.strip("/") for x in labels)))
    found = {}
    for label in labels:
        for recipe, seed, result in Run(source, label, asked).recipes():
            found.setdefault(recipe, {})[label, seed] = statistics.fmean(tasks_with(result, source, label))
    report(found, labels)


if __name__ == "__main__":
    main()
