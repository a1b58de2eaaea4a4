#!/usr/bin/python3
"""Writes tests/oracle/evaluation.txt: answers to labelled images in groups, and what scikit-learn, SciPy and NumPy make of them.

    /usr/bin/python3 scripts/reference/evaluation.py        (Debian: python3-numpy python3-scipy python3-sklearn)

For tests/unit/test_assessment.c. Figures that scikit-learn has are its own; errors are written out from the matrix of all pairs (Obuchowski 1997),
and where no two images are of one group they are held to DeLong's, as numpy.cov gives it. A case is a line

    case CLASSES IMAGES GROUPS OTHERS SENSITIVITY

then lines "NAME VALUE ERROR LOW HIGH" (nan: there is none), a line "confusion ..." (rows: the truth), a line "thresholds ...", and

    image LABEL GROUP LOGIT...      a line an image
    other LABEL LOGIT...            a line an image that thresholds are chosen on
"""
import warnings

import numpy as np
from scipy.special import betaincinv, log_softmax
from scipy.stats import norm
from sklearn.metrics import (accuracy_score, balanced_accuracy_score, brier_score_loss, confusion_matrix, log_loss, recall_score, roc_auc_score,
                             roc_curve)

NAN = (np.nan,) * 4
Z = 1.959964  # as meta_share_interval has it


def student_point(degrees):
    """The 97.5% point; scipy.stats.t.ppf is off by 1e-9 at 49 degrees of freedom."""
    return np.sqrt(degrees * (1 / betaincinv(degrees / 2, .5, .05) - 1))


def log_odds(logits):
    """log(p / (1 - p)) of each class, without 1 - p."""
    out = np.empty_like(logits)
    for k in range(logits.shape[1]):
        others = np.delete(logits, k, axis=1)
        top = others.max(axis=1)
        out[:, k] = logits[:, k] - top - np.log(np.exp(others - top[:, None]).sum(axis=1))
    return out


def by_group(values, groups, count):
    return np.bincount(groups, values, count)


def placements(score, positive, negative):
    """(positives, negatives) 1, 1/2 or 0: whether a positive is above a negative."""
    a, b = score[positive][:, None], score[negative][None, :]
    return (a > b) + .5 * (a == b)


def auc_interval(auc, variance, fewest):
    if fewest < 2 or not 0 < auc < 1 or not variance > 0:
        return auc, np.nan, np.nan, np.nan
    error = np.sqrt(variance)
    half = student_point(fewest - 1) * error / (auc * (1 - auc))
    middle = np.log(auc / (1 - auc))
    return auc, error, 1 / (1 + np.exp(half - middle)), 1 / (1 + np.exp(-half - middle))


def freed(groups):
    """A mean of these groups leaves them a degree of freedom less."""
    return np.sqrt(groups / (groups - 1)) if groups > 1 else 1


def clustered_auc(score, positive, negative, groups, count):
    """The figure, what each group moves it, each part of a degree of freedom less, and the groups of the class with fewer."""
    m, n = positive.sum(), negative.sum()
    if not m or not n:
        return NAN, None, 0
    psi = placements(score, positive, negative)
    auc = roc_auc_score(np.r_[np.ones(m), np.zeros(n)], np.r_[score[positive], score[negative]])
    above = by_group(psi.mean(1) - auc, groups[positive], count)
    below = by_group(psi.mean(0) - auc, groups[negative], count)
    i10, i01 = len(np.unique(groups[positive])), len(np.unique(groups[negative]))
    both = np.unique(groups[positive | negative])
    fewest = min(i10, i01)
    variance = np.nan
    if fewest > 1:
        s10 = i10 / ((i10 - 1) * m) * (above ** 2).sum()
        s01 = i01 / ((i01 - 1) * n) * (below ** 2).sum()
        s11 = len(both) / (len(both) - 1) * (above * below).sum()
        variance = s10 / m + s01 / n + 2 * s11 / (m * n)
        if len(both) == m + n:  # DeLong's own
            assert np.isclose(variance, np.cov(psi.mean(1)) / m + np.cov(psi.mean(0)) / n, rtol=1e-12)
    return auc_interval(auc, variance, fewest), above / m * freed(i10) + below / n * freed(i01), fewest


def pair(scores, labels, a, b, groups, count):
    """Both classes' own scores on the images of the two, averaged pair by pair of images."""
    one, other = labels == a, labels == b
    if not one.any() or not other.any():
        return NAN
    psi = (placements(scores[:, a], one, other) + placements(scores[:, b], other, one).T) / 2
    m, n = psi.shape
    auc = psi.mean()
    two = [roc_auc_score(labels[one | other] == k, scores[one | other, k]) for k in (a, b)]
    assert np.isclose(auc, np.mean(two), rtol=1e-12)
    above, below = by_group(psi.mean(1) - auc, groups[one], count), by_group(psi.mean(0) - auc, groups[other], count)
    i10, i01, both = (len(np.unique(groups[x])) for x in (one, other, one | other))
    variance = np.nan
    if min(i10, i01) > 1:
        variance = (i10 / (i10 - 1) * (above ** 2).sum() / m ** 2 + i01 / (i01 - 1) * (below ** 2).sum() / n ** 2
                    + 2 * both / (both - 1) * (above * below).sum() / (m * n))
    return auc_interval(auc, variance, min(i10, i01))


def mean_of(figures, make):
    figures = [f for f in figures if f[1] is not None]
    if not figures:
        return NAN
    moved = sum(f[1] for f in figures) / len(figures)
    return make(np.mean([f[0][0] for f in figures]), (moved ** 2).sum(), min(f[2] for f in figures))


def wilson(share, cases):
    middle = share + Z * Z / (2 * cases)
    half = Z * np.sqrt(share * (1 - share) / cases + Z * Z / (4 * cases * cases))
    return (middle - half) / (1 + Z * Z / cases), (middle + half) / (1 + Z * Z / cases)


def share_interval(share, variance, groups, images=np.inf):
    if groups < 2:
        return share, np.nan, np.nan, np.nan
    cases = groups
    if 0 < share < 1 and variance > 0:  # Korn and Graubard 1998
        cases = min(share * (1 - share) / variance, images)
    return (share, np.sqrt(variance)) + wilson(share, cases * (norm.ppf(.975) / student_point(groups - 1)) ** 2)


def clustered_share(share, asked, right, groups, count):
    if not asked.any():
        return NAN, None, 0
    assert np.isclose(share, right[asked].mean(), rtol=1e-14)
    moved = by_group(right[asked] - share, groups[asked], count) / asked.sum()
    taking = np.unique(groups[asked])
    variance = len(taking) / (len(taking) - 1) * (moved ** 2).sum() if len(taking) > 1 else np.nan
    return share_interval(share, variance, len(taking), asked.sum()), moved * freed(len(taking)), len(taking)


def clustered_mean(value, x, groups, count):
    assert np.isclose(value, x.mean(), rtol=1e-12)
    error = np.sqrt(count / (count - 1) * (by_group(x - value, groups, count) ** 2).sum()) / len(x)
    times = np.exp(student_point(count - 1) * error / value)     # of its logarithm
    return value, error, value / times, value * times


def calibration(out, logits, labels, groups, count):
    logs = log_softmax(logits, axis=1)
    p, classes = np.exp(logs), logits.shape[1]
    own = -logs[np.arange(len(labels)), labels]
    if classes == 2:
        squares, brier = (p[:, 1] - labels) ** 2, brier_score_loss(labels, p[:, 1])
    else:
        squares = ((p - np.eye(classes)[labels]) ** 2).sum(1)
        brier = squares.mean()
    line(out, "nll", clustered_mean(log_loss(labels, p, labels=range(classes), eps=1e-300), own, groups, count))
    line(out, "brier", clustered_mean(brier, squares, groups, count))
    top, right = p.max(1), p.argmax(1) == labels
    place = np.digitize(top, np.arange(1, 15) / 15, right=True)
    ece = sum(abs(top[place == b].sum() - right[place == b].sum()) for b in range(15)) / len(labels)
    line(out, "ece", (ece, np.nan, np.nan, np.nan))


def line(out, name, values):
    out.write(name + " " + " ".join(repr(float(v)) for v in values) + "\n")


def case(out, rng, spec):
    classes, labels, groups, scale = spec["classes"], spec["labels"], spec["groups"], spec["scale"]
    count = groups.max() + 1
    logits = rng.normal(size=(len(labels), classes)) + spec.get("effect", 1) * rng.normal(size=(count, classes))[groups]
    logits[np.arange(len(labels)), labels] += 1.2
    logits = np.round(scale * logits, spec.get("digits", 3))
    others = rng.integers(0, classes, 40)
    other_logits = np.round(scale * (rng.normal(size=(40, classes)) + np.eye(classes)[others]), 3)
    sensitivity, scores, other_scores = spec["sensitivity"], log_odds(logits), log_odds(other_logits)
    answers = scores.argmax(1)
    out.write(f"case {classes} {len(labels)} {count} {len(others)} {sensitivity}\n")
    accuracy = clustered_share(accuracy_score(labels, answers), np.full(len(labels), True), answers == labels, groups, count)[0]
    line(out, "accuracy", accuracy)
    recalls, aucs, thresholds = [], [], []
    for k in range(classes):
        own = labels == k
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            recall = recall_score(labels, answers, labels=[k], average=None)[0]
        recalls.append(clustered_share(recall, own, answers == labels, groups, count))
        aucs.append(clustered_auc(scores[:, k], own, ~own, groups, count))
        line(out, "recall", recalls[-1][0])
        line(out, "auc", aucs[-1][0])
        # scikit-learn's curve has every threshold; the first that finds enough is the highest
        _, found, at = roc_curve(others == k, other_scores[:, k], drop_intermediate=False)
        thresholds.append(at[np.argmax(found >= sensitivity - 1e-12)])
        taken = scores[:, k] >= thresholds[-1]
        line(out, "sensitivity", clustered_share(taken[own].mean() if own.any() else 0, own, taken, groups, count)[0])
        line(out, "specificity", clustered_share((~taken)[~own].mean(), ~own, ~taken, groups, count)[0])
    balanced = mean_of(recalls, lambda mean, variance, fewest: share_interval(mean, variance, fewest))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert np.isclose(balanced[0], balanced_accuracy_score(labels, answers), rtol=1e-12)
    line(out, "balanced", balanced)
    line(out, "auc_mean", aucs[1][0] if classes == 2 else mean_of(aucs, auc_interval))
    for a in range(classes):
        for b in range(a + 1, classes):
            line(out, "pair", pair(scores, labels, a, b, groups, count))
    calibration(out, logits, labels, groups, count)
    out.write("confusion " + " ".join(str(x) for x in confusion_matrix(labels, answers, labels=range(classes)).ravel()) + "\n")
    out.write("thresholds " + " ".join(repr(float(x)) for x in thresholds) + "\n")
    for label, group, row in zip(labels, groups, logits):
        out.write("image %d %d %s\n" % (label, group, " ".join(repr(float(x)) for x in row)))
    for label, row in zip(others, other_logits):
        out.write("other %d %s\n" % (label, " ".join(repr(float(x)) for x in row)))


def dense(groups):
    return np.unique(groups, return_inverse=True)[1]


if __name__ == "__main__":
    rng = np.random.default_rng(22)
    with open("tests/oracle/evaluation.txt", "w") as out:
        # groups of one to four images, all of one class
        sizes = rng.integers(1, 5, 24)
        case(out, rng, dict(classes=2, labels=np.repeat(rng.integers(0, 2, 24), sizes), groups=np.repeat(np.arange(24), sizes), scale=1.5,
                            sensitivity=.95))
        # three classes, groups that have images of several of them, scores with ties
        labels = rng.choice(3, 70, p=[.5, .3, .2])
        case(out, rng, dict(classes=3, labels=labels, groups=dense(rng.integers(0, 30, 70)), scale=1., digits=0, sensitivity=.8))
        # each image alone
        labels = rng.choice(3, 50, p=[.4, .4, .2])
        case(out, rng, dict(classes=3, labels=labels, groups=np.arange(50), scale=3., effect=0, sensitivity=.5))
        # four classes, one without an image, one with a single one
        labels = np.r_[np.zeros(20, int), np.full(15, 2), 3]
        case(out, rng, dict(classes=4, labels=labels, groups=dense(np.arange(36) // 2), scale=1., sensitivity=.9))
