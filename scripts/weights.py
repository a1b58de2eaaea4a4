#!/usr/bin/env python3
"""Puts trained weights where others can begin with them: the network, its temperatures and a card.

usage: scripts/weights.py LEARN.data ASK.data CFG WEIGHTS OUT/NAME --recipe LINE --seed N [--runs N]

LEARN.data's train list is what the weights were trained on; its valid list are other lesions of the
same classes, on which temperatures are learned. ASK.data's test list has the classes that training
never saw. Written are OUT/NAME.cfg, .weights, .rates (of learned inner rates), .temperature and .md;
OUT/NAME.json/ keeps what `meta test` measured, and is asked again only for other weights.
DARKNET_BIN is the program (./darknet).
"""
import argparse
import csv
import filecmp
import json
import os
import random
import re
import shutil
import subprocess
import tempfile
import textwrap
import time

from data_files import fail, key, lines_of, read

SHOTS = (1, 3, 5)
TASKS = 10
CARD = [("net", k) for k in ("width", "height", "max_batches")] + \
    [("episode", k) for k in ("ways", "shots", "queries", "tasks")] + [("inner_loop", "steps")]
LIMITS = """\
One training. Where classes are new, trainings of one recipe that differ in the seed alone have AUCs
with a standard deviation of about a point at 5 images a class, and two may lie 3.4 apart
(data/results/study). Dermoscopic images of one collection, at this size; photographs by a phone are
something else. Few rare lesions, so the wider interval is the honest one. The temperatures are
those of common classes; how well they fit new ones the table below says. An adapted network tells
its classes from each other and nothing else: an image of another disease gets one of their names.
It is no medical device."""


def run(words):
    print("$", " ".join(words), flush=True)
    if subprocess.run(words, stdin=subprocess.DEVNULL, check=False).returncode:
        fail("that ended with an error")


def options(cfg):
    """The options of a .cfg by section; of sections of one name the last."""
    sections, section = {}, None
    for line in read(cfg).splitlines():
        line = line.split("#")[0].strip()
        if line.startswith("["):
            section = sections.setdefault(line.strip("[]"), {})
        elif "=" in line and section is not None:
            key, value = line.split("=", 1)
            section[key.strip()] = value.strip()
    return sections


def percent(estimate):
    return "%.1f (%.1f to %.1f)" % tuple(100 * estimate[k] for k in ("mean", "low", "high"))


def plain(estimate):
    return "%.3f (%.3f to %.3f)" % tuple(estimate[k] for k in ("mean", "low", "high"))


def table(rows):
    head, *rest = ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join([head, "|---" * len(rows[0]) + "|", *rest])


def listed(data, name):
    """How many images a list of a .data file has."""
    if not key(read(data), name):
        fail("%s: %s= is missing" % (data, name))
    return len(lines_of(key(read(data), name)))


def images_by_class(data):
    """The test list's images by class, as (path, group): a class is the label that a path has."""
    groups = {}
    if key(read(data), "groups"):
        groups = dict(row[:2] for row in csv.reader(lines_of(key(read(data), "groups"))[1:]))
    labels = lines_of(key(read(data), "labels"))
    classes = {}
    for path in lines_of(key(read(data), "test")):
        stem = os.path.splitext(os.path.basename(path))[0]
        label = max((x for x in labels if x in path), key=len, default=None)
        if label is None:
            fail("%s: no label of %s is in it" % (path, key(read(data), "labels")))
        classes.setdefault(label, []).append((path, groups.get(stem, groups.get(path, path))))
    return classes


class Card:
    """A pair of weights and .cfg, what was measured of it, and the page that says so."""

    def __init__(self, arguments):
        self.a = arguments
        self.darknet = os.environ.get("DARKNET_BIN", "./darknet")
        self.stem = arguments.out
        self.cfg, self.weights = self.stem + ".cfg", self.stem + ".weights"

    def copy(self):
        os.makedirs(os.path.dirname(self.stem) or ".", exist_ok=True)
        rates = re.sub(r"(?<=.)\.weights$", "", self.a.weights) + ".rates"
        pairs = [(self.a.cfg, self.cfg), (self.a.weights, self.weights)]
        pairs += [(rates, self.stem + ".rates")] if os.path.exists(rates) else []
        same = all(os.path.exists(to) and filecmp.cmp(of, to, False) for of, to in pairs)
        if not os.path.exists(rates) and os.path.exists(self.stem + ".rates"):  # of the weights that were there
            os.unlink(self.stem + ".rates")
            same = False
        if not same:
            shutil.rmtree(self.stem + ".json", ignore_errors=True)
            if os.path.exists(self.stem + ".temperature"):
                os.unlink(self.stem + ".temperature")
        for of, to in pairs:
            try:
                shutil.copyfile(of, to)
            except OSError as error:
                fail("%s: %s" % (of, error.strerror))
        self.options = options(self.cfg)
        for section, key_ in CARD:
            if key_ not in self.options.get(section, {}):
                fail("%s: [%s] has no %s=: must be there, as the card says it"
                     % (self.a.cfg, section, key_))

    def calibrate(self):
        if not os.path.exists(self.stem + ".temperature"):
            run([self.darknet, "meta", "calibrate", self.a.learn, self.cfg, self.weights])

    def test(self, name, *flags):
        """What meta test says of the asked classes, measured where that is not there yet."""
        os.makedirs(self.stem + ".json", exist_ok=True)
        path = os.path.join(self.stem + ".json", name + ".json")
        if not os.path.exists(path) or json.loads(read(path))["settings"]["runs"] != self.a.runs:
            run([self.darknet, "meta", "test", self.a.ask, self.cfg, self.weights,
                 "-runs", str(self.a.runs), "-out", path, *flags])
        return json.loads(read(path))

    def adapt(self, classes, number, folder):
        """Seconds, bytes and AUC of `meta adapt` and `meta evaluate` on a task of its own: images
        of as many groups a class as [episode] shots, and all images of the classes' other groups."""
        episode = self.options["episode"]
        draw = random.Random(number)
        learned, asked = [("image", "class", "group")], [("image", "class", "group")]
        for label in draw.sample(sorted(classes), int(episode["ways"])):
            groups = sorted({group for _, group in classes[label]})
            drawn = draw.sample(groups, int(episode["shots"]))
            for path, group in sorted(classes[label]):
                row = (os.path.abspath(path), label.strip("/_"), group)
                if group not in drawn:
                    asked.append(row)
                elif not any(other[2] == group for other in learned[1:]):
                    learned.append(row)
        for name, rows in (("learned", learned), ("asked", asked)):
            with open(os.path.join(folder, name + ".csv"), "w", encoding="utf-8", newline="") as file:
                csv.writer(file).writerows(rows)
        own = os.path.join(folder, "own-%d" % number)
        begun = time.monotonic()
        pid = subprocess.Popen([self.darknet, "meta", "adapt", os.path.join(folder, "learned.csv"),
                                self.cfg, self.weights, "-out", own],
                               stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL).pid
        _, status, used = os.wait4(pid, 0)
        if status:
            fail("meta adapt ended with an error")
        seconds = time.monotonic() - begun
        run([self.darknet, "meta", "evaluate", own + ".cfg", own + ".weights",
             os.path.join(folder, "asked.csv"), "-json", own + ".json"])
        return {"seconds": seconds, "bytes": 1024 * used.ru_maxrss,
                "auc": json.loads(read(own + ".json"))["auc"]["value"]}

    def adapted(self):
        """Ten such tasks, measured where that is not there yet."""
        path = os.path.join(self.stem + ".json", "adapted.json")
        if not os.path.exists(path):
            classes = images_by_class(self.a.ask)
            with tempfile.TemporaryDirectory() as folder:
                tasks = [self.adapt(classes, k, folder) for k in range(TASKS)]
            with open(path + ".new", "w", encoding="utf-8") as file:
                json.dump(tasks, file)
            os.replace(path + ".new", path)
        return json.loads(read(path))

    def measure(self):
        self.shots = {k: self.test("shots-%d" % k, "-shots", str(k)) for k in SHOTS}
        self.exported = {kind: self.test("exported-" + kind, "-bn", "support",
                                         "-temperature", kind) for kind in ("off", "on")}
        self.tasks = self.adapted()

    def aucs(self):
        pairs = [" or ".join(p["classes"]) for p in self.shots[SHOTS[0]]["pairs"]]
        rows = [["images a class", "AUC", "other lesions"] + (pairs if len(pairs) > 1 else [])]
        for shots, result in self.shots.items():
            other = result["other_groups"]
            row = [str(shots), percent(result["auc_after"]),
                   "%.1f to %.1f" % (100 * other["low"], 100 * other["high"])]
            row += [percent(p["auc_after"]) for p in result["pairs"]] if len(pairs) > 1 else []
            rows.append(row)
        return table(rows)

    def calibration(self):
        rows = [["", "AUC", "ECE of 15 bins, %", "NLL", "Brier score"]]
        for kind, words in (("off", "without the temperature"), ("on", "with it")):
            r = self.exported[kind]
            rows.append([words, percent(r["auc_after"]), percent(r["ece"]), plain(r["nll"]),
                         plain(r["brier"])])
        return table(rows)

    def settings(self):
        s = self.options
        net, episode, inner = s["net"], s["episode"], s["inner_loop"]
        loss = s.get("meta_loss", {})
        words = ["%sx%s pixels" % (net["width"], net["height"])]
        words += ["%s=%s" % (k, episode[k]) for k in ("ways", "shots", "queries", "tasks")]
        words += ["max_batches=%s" % net["max_batches"]]
        words += ["%s=%s" % (k, inner[k]) for k in ("steps", "learning_rate", "order") if k in inner]
        words += ["[meta_loss] type=%s" % loss.get("type", "mean")]
        words += ["%s=%s" % (k, loss[k]) for k in ("eta", "epsilon", "start", "normalise") if k in loss]
        return ", ".join(words + ["seed %d" % self.a.seed])

    def page(self):
        name = os.path.basename(self.stem)
        shots = self.options["episode"]["shots"]
        classes = sorted({c for p in self.shots[SHOTS[0]]["pairs"] for c in p["classes"]})
        points = [
            "**Data.** Trained on %d images of the four common classes of ISIC 2018 (HAM10000), "
            "copies of 200x150 pixels. %d images of other lesions of these classes were held out; "
            "the temperatures come from them."
            % (listed(self.a.learn, "train"), listed(self.a.learn, "valid")),
            "**Licence.** The images are CC BY-NC 4.0: Tschandl, Rosendahl and Kittler, Sci. Data "
            "5:180161 (2018); Codella et al., arXiv 1902.03368. So the weights, too, are for "
            "non-commercial use, with these names.",
            "**Settings.** %s. %s.cfg has all of them." % (self.settings(), name),
            "**Limits.** " + LIMITS.replace("\n", " ")]
        wrapped = [textwrap.fill(p, 118, initial_indent="- ", subsequent_indent="  ",
                                 break_long_words=False, break_on_hyphens=False) for p in points]
        asked = textwrap.fill(
            "%d tasks of classes that training never saw (%s), 15 query images a class. The AUC is "
            "in percent, with its 95%% interval; \"other lesions\" is the interval to expect if the "
            "lesions of the test, too, were drawn again." % (self.a.runs, ", ".join(classes)), 118)
        sure = textwrap.fill(
            "What `meta adapt` exports answers each image alone, normalised by the support set's "
            "statistics in place of those of the images asked about. The same tasks, %s images a "
            "class:" % shots, 118)
        aucs = sorted(100 * t["auc"] for t in self.tasks)
        own = textwrap.fill(
            "`meta adapt` itself, ten times, each on %s images a class, of a lesion each, of classes "
            "drawn anew from those, and `meta evaluate` on all images of these classes' other "
            "lesions: AUC %.1f on average, %.1f to %.1f; %.2f s and %.0f MB at most each."
            % (shots, sum(aucs) / len(aucs), aucs[0], aucs[-1],
               max(t["seconds"] for t in self.tasks), max(t["bytes"] for t in self.tasks) / 1e6), 118)
        lines = ["# %s" % name, "", "%s Written by scripts/weights.py." % self.a.recipe, "",
                 "    ./darknet meta adapt FOLDER data/weights/%s.cfg data/weights/%s.weights "
                 "-out NAME" % (name, name), "", *wrapped, "", asked, "", self.aucs(), "", sure, "",
                 self.calibration(), "", own, ""]
        with open(self.stem + ".md", "w", encoding="utf-8") as file:
            file.write("\n".join(lines))


def main():
    parser = argparse.ArgumentParser(usage=__doc__.split("usage: ")[1].split("\n")[0])
    for word in ("learn", "ask", "cfg", "weights", "out"):
        parser.add_argument(word)
    parser.add_argument("--recipe", required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--runs", type=int, default=1000)
    card = Card(parser.parse_args())
    card.copy()
    card.calibrate()
    card.measure()
    card.page()


if __name__ == "__main__":
    main()
