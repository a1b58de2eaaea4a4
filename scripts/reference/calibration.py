#!/usr/bin/python3
"""Writes tests/oracle/calibration.txt: logits of random tasks, and what NumPy, SciPy and scikit-learn make of them in float64.

    /usr/bin/python3 scripts/reference/calibration.py        (Debian: python3-numpy python3-scipy python3-sklearn)

For tests/unit/test_calibration.c. A case is a line "case WAYS TASKS IMAGES", then

    figures NLL BRIER ECE           over all images: log_loss; brier_score_loss, or with more classes the sum of squares; 15 bins
    bin COUNT CONFIDENCE CORRECT    fifteen lines
    temperature T NLL               of the least negative log-likelihood, by scipy.optimize.brentq on its derivative
    image LABEL LOGIT...            a line an image, task by task
"""
import numpy as np
from scipy.optimize import brentq
from scipy.special import log_softmax
from sklearn.metrics import brier_score_loss, log_loss

BINS = 15


def bins_of(p, labels):
    top, right = p.max(1), p.argmax(1) == labels
    edges = np.arange(1, BINS) / BINS
    place = np.digitize(top, edges, right=True)  # edges[i-1] < top <= edges[i]
    return [(np.sum(place == b), np.sum(top[place == b]), np.sum(right[place == b])) for b in range(BINS)]


def nll(z, labels, beta):
    return -log_softmax(beta * z, axis=1)[np.arange(len(labels)), labels].mean()


def slope(z, labels, beta):
    p = np.exp(log_softmax(beta * z, axis=1))
    return ((p * z).sum(1) - z[np.arange(len(labels)), labels]).mean()


def case(out, rng, ways, tasks, queries, scale):
    labels = np.tile(np.repeat(np.arange(ways), queries), tasks)
    z = rng.normal(size=(len(labels), ways))
    z[np.arange(len(labels)), labels] += 1
    z = np.round(scale * z, 4)
    p = np.exp(log_softmax(z, axis=1))
    loss = log_loss(labels, p, labels=range(ways), eps=1e-300)
    brier = brier_score_loss(labels, p[:, 1]) if ways == 2 else ((p - np.eye(ways)[labels]) ** 2).sum(1).mean()
    bins = bins_of(p, labels)
    ece = sum(abs(c - r) for _, c, r in bins) / len(labels)
    beta = brentq(lambda b: slope(z, labels, b), 1e-3, 1e3, xtol=1e-15, rtol=1e-15)
    out.write(f"case {ways} {tasks} {len(labels) // tasks}\nfigures {loss!r} {brier!r} {ece!r}\n")
    for count, confidence, correct in bins:
        out.write(f"bin {count} {float(confidence)!r} {correct}\n")
    out.write(f"temperature {1 / beta!r} {nll(z, labels, beta)!r}\n")
    for label, row in zip(labels, z):
        out.write("image %d %s\n" % (label, " ".join(repr(float(x)) for x in row)))


if __name__ == "__main__":
    rng = np.random.default_rng(20)
    with open("tests/oracle/calibration.txt", "w") as out:
        case(out, rng, 2, 4, 6, 3.)
        case(out, rng, 2, 3, 5, .25)
        case(out, rng, 3, 5, 4, 8.)
