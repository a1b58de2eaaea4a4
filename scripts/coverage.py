#!/usr/bin/env python3
"""How often the intervals of `meta test` and `meta compare` hold the truth, by simulation.

    scripts/coverage.py [-groups G] [-images N] [-common RHO] [-classes K] [-shots S] [-queries Q] [-runs T] [-trials R]
                        [-seed S] [DARKNET]

Each trial draws a data set anew: K classes (at most 8) of G groups, such as lesions, of N images each. An image is 8 numbers,
normal around its class's middle; images of a group have a share RHO of the variance in common. The network begins at 0 and
takes one step, which makes it the nearest mean: its errors come from the support images as much as from the query images. It
is compared with one that sees half of the numbers. The truth, the mean AUC over tasks of new groups, is the mean over all
trials, which is unbiased. Prints for each interval how often it holds the truth, and the ratio of the standard error to the
scatter between trials. Needs python3-numpy.
"""
import argparse, json, os, re, shutil, struct, subprocess, sys, tempfile
import numpy as np

NUMBERS = 8

CFG = """[net]
width=4
height=2
channels=1
max_batches=1
[episode]
ways=2
shots={shots}
queries={queries}
tasks=1
[connected]
output=8
activation=linear
[connected]
output=2
activation=linear
[softmax]
[inner_loop]
steps=1
test_steps=1
learning_rate=1
"""


def arguments():
    p = argparse.ArgumentParser(allow_abbrev=False, description=__doc__.split("\n", 1)[0])
    for name, value in (("groups", 100), ("images", 1), ("classes", 2), ("shots", 5), ("queries", 15), ("runs", 1000),
                        ("trials", 200), ("seed", 1)):
        p.add_argument("-" + name, type=int, default=value)
    p.add_argument("-common", type=float, default=0.)
    p.add_argument("darknet", nargs="?", default="./darknet")
    return p.parse_args()


def write_data(folder, rng, a):
    paths, groups = [], ["image,group"]
    os.mkdir(folder + "/images")
    for k in range(a.classes):
        middle = np.zeros(NUMBERS)
        middle[k % NUMBERS] = 1.1
        common, own = rng.normal(size=(a.groups, 1, NUMBERS)), rng.normal(size=(a.groups, a.images, NUMBERS))
        x = middle + np.sqrt(a.common) * common + np.sqrt(1 - a.common) * own
        pixels = np.clip(np.rint(128 + 24 * x), 0, 255).astype(np.uint8)
        for g in range(a.groups):
            for i in range(a.images):
                name = f"k{k}_{g}_{i}"
                paths.append(f"{folder}/images/{name}.pgm")
                groups.append(f"{name},k{k}_{g}")
                with open(paths[-1], "wb") as f:
                    f.write(b"P5 4 2 255\n" + pixels[g, i].tobytes())
    for name, lines in (("list", paths), ("groups.csv", groups), ("labels", [f"/k{k}_" for k in range(a.classes)]),
                        ("data", [f"classes={a.classes}", f"labels={folder}/labels", f"test={folder}/list",
                                  f"groups={folder}/groups.csv"])):
        with open(f"{folder}/{name}", "w") as f:
            f.write("\n".join(lines) + "\n")


def write_weights(path, seen):
    """The first [connected] hands on the first `seen` numbers and, as the second is 0, does not change in one step."""
    with open(path, "wb") as f:
        first = np.diag((np.arange(NUMBERS) < seen).astype("<f4"))
        f.write(struct.pack("<iiiq", 0, 2, 0, 0) + bytes(4 * NUMBERS) + first.tobytes() + bytes(4 * (2 + 2 * NUMBERS)))


def call(words):
    done = subprocess.run(words, capture_output=True, text=True)
    if done.returncode:
        sys.exit("scripts/coverage.py: " + done.stderr.strip())
    return done.stdout


def trial(a, number, folder):
    """(mean, standard error or half the interval, low, high) of the figures of main."""
    write_data(folder, np.random.default_rng([a.seed, number]), a)
    with open(folder + "/cfg", "w") as f:
        f.write(CFG.format(shots=a.shots, queries=a.queries))
    for name, seen in (("half", NUMBERS // 2), ("all", NUMBERS)):
        write_weights(f"{folder}/{name}.weights", seen)
        call([a.darknet, "meta", "test", folder + "/data", folder + "/cfg", f"{folder}/{name}.weights", "-runs", str(a.runs),
              "-threads", "1", "-out", f"{folder}/{name}.json"])
    with open(folder + "/all.json") as f:
        result = json.load(f)
    tasks, other = result["auc_after"], result["other_groups"]
    text = call([a.darknet, "meta", "compare", folder + "/half.json", folder + "/all.json"])
    mean, low, high = map(float, re.search(r"^B - A +(\S+), 95% interval (\S+) to (\S+)", text, re.M).groups())
    wide = tuple(map(float, re.search(r"of other groups: (\S+) to (\S+)", text).groups()))
    return [(tasks["mean"], tasks["standard_error"], tasks["low"], tasks["high"]),
            (tasks["mean"], other["standard_error"], other["low"], other["high"]),
            (mean, (high - low) / 3.92, low, high), (mean, (wide[1] - wide[0]) / 3.92, *wide)]


def main():
    a = arguments()
    rows = []
    for number in range(a.trials):
        folder = tempfile.mkdtemp(prefix="coverage.")
        try:
            rows.append(trial(a, number, folder))
        finally:
            shutil.rmtree(folder)
    rows = np.array(rows)
    print(f"{a.classes} classes of {a.groups} groups of {a.images}, share in common {a.common:g}, {a.shots} shots, "
          f"{a.queries} queries, {a.runs} tasks; {a.trials} trials")
    for k, what in enumerate(("AUC, tasks", "AUC, other groups", "difference, tasks", "difference, other groups")):
        mean, error, low, high = rows[:, k].T
        held = 100 * ((low <= mean.mean()) & (mean.mean() <= high)).mean()
        print(f"    {what:24}  {mean.mean():.4f}, scatter {mean.std(ddof=1):.4f}, error / scatter "
              f"{np.sqrt((error ** 2).mean()) / mean.std(ddof=1):.2f}, holds the truth {held:.1f} in 100")


main()
