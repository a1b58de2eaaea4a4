#!/usr/bin/python3
"""Writes tests/oracle/colour.txt: what scikit-learn's LogisticRegression (its own C, 1) makes of small sets of points, and OpenCV's
COLOR_RGB2Lab of a few colours as floats.

    /usr/bin/python3 scripts/reference/colour.py        (Debian: python3-numpy python3-sklearn python3-opencv)

For tests/unit/test_regression.c. Lines are

    lab R G B L A B                                        OpenCV, float32
    case CLASSES POINTS SIZE
    point LABEL NUMBER...
    vector NUMBER... BIAS                                  one of two classes, else one a class
    ask NUMBER... LOGIT...                                 decision_function, with two classes the second's
"""
import warnings

import cv2
import numpy as np
from sklearn.linear_model import LogisticRegression


def text(numbers):
    return " ".join(repr(float(x)) for x in numbers)


def labs(out):
    grid = [(0, 0, 0), (1, 1, 1), (1, 0, 0), (0, 1, 0), (0, 0, 1), (.5, .5, .5), (.02, .01, .03), (.8, .6, .5), (.35, .2, .15)]
    lab = cv2.cvtColor(np.array([grid], np.float32), cv2.COLOR_RGB2Lab)[0]
    for rgb, own in zip(grid, lab):
        out.write(f"lab {text(rgb)} {text(own)}\n")


def case(out, rng, classes, each, size, spread):
    labels = np.repeat(np.arange(classes), each)
    x = np.round(spread * rng.random((len(labels), size)) + .3 * labels[:, None] * rng.random(size), 4)
    model = LogisticRegression(solver="newton-cg", tol=1e-9, max_iter=10000).fit(x, labels)
    ask = np.round(rng.random((3, size)), 4)
    logits = model.decision_function(ask).reshape(3, -1)
    out.write(f"case {classes} {len(labels)} {size}\n")
    for label, row in zip(labels, x):
        out.write(f"point {label} {text(row)}\n")
    for w, b in zip(model.coef_, model.intercept_):
        out.write(f"vector {text(w)} {float(b)!r}\n")
    for row, own in zip(ask, logits):
        out.write(f"ask {text(row)} {text(own)}\n")


if __name__ == "__main__":
    warnings.simplefilter("ignore")  # its line search ends where numbers round, and says that it did not converge
    rng = np.random.default_rng(5)
    with open("tests/oracle/colour.txt", "w") as out:
        labs(out)
        case(out, rng, 2, 5, 4, 1.)
        case(out, rng, 2, 1, 6, 3.)
        case(out, rng, 3, 4, 5, 2.)
