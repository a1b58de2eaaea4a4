#!/usr/bin/python3
"""The meta-gradient of an iteration of several tasks in float64 PyTorch: run by hand, from the project's root.

    scripts/reference/iteration.py

Writes tests/oracle/normalise: iteration.cfg, the network of tests/oracle/eta5 with normalise=1; task1.txt, task2.txt..., the tasks,
on the weights of eta5; gradient.f64.gz, the mean of their gradients, each times its weight divided by the mean weight, in .weights order;
and figures.json, {"meta_loss": the mean of DA(L), "query_loss": the mean of L, "weights": [w of each task, undivided]}.

The sum of the tasks' losses L, each times its divided weight as a constant, is differentiated through the inner steps by autograd; the
weights are autograd's derivative of DA. Like generate.py it takes no task with a pre-activation or pooling window at a kink.
"""
import gzip
import json
import os
import sys
import tempfile

import numpy as np
import torch

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import generate as g
import meta_gradient as m

FROM, OUT, TASKS, SHOTS, QUERIES = g.OUT + "/eta5", g.OUT + "/normalise", 4, 3, 4


def write_task(path, rng):
    """Two of the three classes, and other images on each side; in the third task a query image is called by the wrong label."""
    classes = rng.permutation(3)[:2]
    lines = {"support": [], "query": []}
    for label, k in enumerate(classes):
        images = rng.permutation(9)[:SHOTS + QUERIES]
        for at, i in enumerate(images):
            word = "support" if at < SHOTS else "query"
            wrong = "task3" in path and at >= len(images) - 2
            lines[word].append("%s %d %s/images/rgb_class%d_%02d.png\n" % (word, 1 - label if wrong else label, g.OUT, k, i))
    with open(path, "w") as file:
        file.write("".join(lines["support"] + lines["query"]))


def main():
    os.makedirs(OUT, exist_ok=True)
    with open(FROM + "/net.cfg") as file:
        text = file.read().replace("shots=5", "shots=%d" % SHOTS).replace("queries=15", "queries=%d" % QUERIES)
    with open(OUT + "/iteration.cfg", "w") as file:
        file.write(text.rstrip("\n") + "\nnormalise=1\n")
    sections = m.read_cfg(OUT + "/iteration.cfg")
    network, method, plain = m.Network(sections), m.Method(sections), m.Method(sections)
    plain.difficulty = False
    with gzip.open(FROM + "/initial.weights.gz") as packed, tempfile.NamedTemporaryFile() as plain_file:
        plain_file.write(packed.read())
        plain_file.flush()
        values = network.read_weights(plain_file.name)
    gradients, losses, rng = [], [], np.random.Generator(np.random.PCG64(5))
    for k in range(1, TASKS + 1):
        path = "%s/task%d.txt" % (OUT, k)
        while True:
            write_task(path, rng)
            sets = m.read_episode(path)
            task = [m.load_images(sets[name], network.input) for name in ("support", "query")]
            network.watch_kinks()
            gradient, figures = plain.run(network, values, *task)
            kinks = min(distance for _, distance in network.kinks)
            network.kinks = None
            if kinks >= g.MARGIN and .05 < figures["query_loss"] < .95:
                break
        gradients.append(gradient)
        losses.append(figures["query_loss"])
    weights = [method.weight(torch.tensor(loss)).item() for loss in losses]
    shares = [w / (sum(weights) / TASKS) for w in weights]
    whole = sum(share * gradient for share, gradient in zip(shares, gradients)) / TASKS
    g.write_zipped(OUT + "/gradient.f64.gz", whole.astype("<f8").tobytes())
    with open(OUT + "/figures.json", "w") as file:
        json.dump({"query_loss": float(np.mean(losses)), "meta_loss": float(np.mean([method.value(torch.tensor(loss)).item() for loss in losses])),
                   "weights": weights}, file)
        file.write("\n")
    print("losses", ["%.3f" % loss for loss in losses], "shares", ["%.3f" % share for share in shares])


if __name__ == "__main__":
    main()
