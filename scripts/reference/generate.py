#!/usr/bin/python3
"""Writes the reference cases of tests/oracle: run by hand, from the project's root, with Debian's python3-torch.

    scripts/reference/generate.py [-only CASE] [-seed FIRST] [-check]

A case is a folder:

    net.cfg               the network and the method's settings
    initial.weights.gz    phi, a .weights file
    episode.txt           the task, paths from the project's root
    gradient.f64.gz       d DA(L)/d phi in .weights order, without a header (f32: 4-byte numbers, where 8 would be large)
    initial.rates         of a case with learned inner rates: these, and
    rates.f64.gz          the derivative by them, in the order of that file
    figures.json          {"iteration": N, "support_loss": [...], "query_loss": ..., "meta_loss": ..., "weight": ...}

Everything follows from the seeds below. Where a pre-activation lies within float rounding of a ReLU's kink, or two pixels of a pooling
window are that close to each other, the two sides' derivatives differ and float and double may take different ones: no error of either.
Where an array of the gradient is what is left of a sum that cancels, rounding shows in it. So each case takes the first seed whose smallest
distance from any kink is MARGIN or more and whose gradient, each array by itself, answers a relative change of SHAKE in every parameter with
less than ANSWER. Of the full model, with its twelve million pooling windows, that can't be asked: there, MARGIN_FULL is asked of all layers
but the first block, whose nine million are each too small a part of the gradient to show. -check also compares each second-order gradient
with central differences.
"""
import argparse
import gzip
import json
import os
import struct
import sys
import zlib

import numpy as np
import torch

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import meta_gradient as m

OUT = "tests/oracle"
MARGIN = 2e-5       # of a layer's deviation; float's rounding in these networks is some 1e-6
MARGIN_FULL = 3e-6
SHAKE = 1e-7        # float's rounding
ANSWER = 1e-5

# ---- images: smooth blobs, whose place and colour tell the class, and noise ----------------------------------------------------

SETS = {  # name: (classes, images a class, channels, side, step between grey levels)
    "rgb": (3, 9, 3, 14, 1), "gray": (2, 8, 1, 15, 1), "large": (2, 20, 3, 84, 12),
}


def write_png(path, image):
    h, w, c = image.shape
    rows = b"".join(b"\0" + row.tobytes() for row in image)
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", w, h, 8, 2 if c == 3 else 0, 0, 0, 0)), (b"IDAT", zlib.compress(rows, 9)), (b"IEND", b"")]
    with open(path, "wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n")
        for kind, data in chunks:
            file.write(struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)))


def draw_image(rng, label, channels, side):
    y, x = np.mgrid[0:side, 0:side] / side
    image = np.full((side, side, channels), 110.)
    for blob in range(3):
        cy, cx = .5 + .28 * np.cos(2.1 * label + 2 * blob) + rng.normal(0, .08), .5 + .28 * np.sin(2.1 * label + blob) + rng.normal(0, .08)
        colour = np.array([np.cos(label + k + blob) for k in range(channels)]) * 60 + rng.normal(0, 15, channels)
        image += np.exp(-((y - cy) ** 2 + (x - cx) ** 2) / (2 * (.09 + .03 * label) ** 2))[:, :, None] * colour
    return image + rng.normal(0, 14, image.shape)


def draw_set(name):
    classes, count, channels, side, step = SETS[name]
    rng = np.random.Generator(np.random.PCG64([7, list(SETS).index(name)]))
    for label in range(classes):
        for i in range(count):
            image = np.clip(draw_image(rng, label, channels, side), 0, 255)
            path = "%s/images/%s_class%d_%02d.png" % (OUT, name, label, i)
            write_png(path, (image // step * step).astype(np.uint8))


# ---- cases ------------------------------------------------------------------------------------------------------------------------

CONV = "[convolutional]\nbatch_normalize=1\nfilters={}\nsize={}\nstride={}\npad=1\nactivation={}\n"
BARE = "[convolutional]\nfilters={}\nsize={}\nstride={}\npad={}\nactivation={}\n"
POOL = "[maxpool]\nsize={}\nstride={}\n"
TAIL = "[connected]\noutput={}\nactivation=linear\n[softmax]\n"


def conv(filters, size=3, stride=1, activation="relu"):
    return CONV.format(filters, size, stride, activation)


def turns(*of_conv, **options):
    return conv(*of_conv, **options) + "rotations=4\n"


PLAIN = conv(6) + POOL.format(2, 2) + conv(8) + POOL.format(2, 2) + TAIL.format(2)

# name: set, layers, settings. Settings: steps gamma order type adapt rates multi_step eta epsilon start iteration ways shots queries flip (the query labels
# are shifted by one: a loss above 1) loud (the last layer's weights are that much larger) quiet (the last normalised layer's outputs are:
# 1600 features of deviation 1 would make steps of 0.01 overshoot) dim (taken off the biases of all but the first normalised layer, so that
# fewer windows light up and can be close to a kink)
CASES = {
    "order1":      ("rgb", PLAIN, dict(order=1, eta=3)),
    "order2":      ("rgb", PLAIN, dict(eta=3)),
    "eta1":        ("rgb", PLAIN, dict(eta=1, steps=2)),
    "eta5":        ("rgb", PLAIN, dict(eta=5, steps=2)),
    "high_loss":   ("rgb", PLAIN, dict(eta=5, steps=2, epsilon=.001, flip=1, loud=3)),
    "high_order1": ("rgb", PLAIN, dict(eta=3, steps=2, order=1, flip=1, loud=3)),
    "mean":        ("rgb", PLAIN, dict(type="mean", steps=2)),
    "before":      ("rgb", PLAIN, dict(eta=3, steps=1, start=150, iteration=149)),
    "start":       ("rgb", PLAIN, dict(eta=3, steps=1, start=150, iteration=150)),
    "steps0":      ("rgb", PLAIN, dict(eta=3, steps=0)),
    "steps5":      ("rgb", PLAIN, dict(eta=1, steps=5, gamma=.02)),
    "head":        ("rgb", PLAIN, dict(eta=3, adapt="head")),
    "head_order1": ("rgb", PLAIN, dict(eta=3, adapt="head", order=1)),
    "head_deep":   ("rgb", conv(6, activation="leaky") + POOL.format(2, 2) + conv(7, 3, 2)
                    + "[convolutional]\nbatch_normalize=1\nfilters=2\nsize=3\nstride=2\npad=1\nactivation=leaky\n[avgpool]\n[softmax]\n",
                    dict(eta=2, adapt="head", steps=4, gamma=.2)),
    "layer_rates": ("rgb", PLAIN, dict(eta=3, rates="layer")),
    "layer_rates_order1": ("rgb", PLAIN, dict(eta=3, rates="layer", order=1)),
    "parameter_rates": ("rgb", PLAIN, dict(eta=3, rates="parameter")),
    "head_rates":  ("rgb", BARE.format(6, 3, 2, 1, "leaky") + "[connected]\noutput=11\nbatch_normalize=1\nactivation=leaky\n"
                    "[connected]\noutput=2\nbatch_normalize=1\nactivation=linear\n[softmax]\n", dict(eta=2, rates="parameter", adapt="head", order=1)),
    "multi_step":  ("rgb", PLAIN, dict(eta=3, multi_step=400, steps=4)),
    "multi_step_order1": ("rgb", PLAIN, dict(eta=2, multi_step=1000, iteration=1, order=1, rates="layer")),
    "reptile":     ("rgb", PLAIN, dict(eta=2, order=0)),
    "uneven":      ("rgb", PLAIN, dict(eta=3, shots=[4, 1], queries=[2, 4])),
    "three_ways":  ("rgb", conv(7) + POOL.format(3, 2) + conv(5, 1) + "[avgpool]\n" + TAIL.format(3), dict(eta=3, ways=3, steps=4, gamma=.3, queries=3)),
    "leaky_odd":   ("rgb", conv(5, activation="leaky") + POOL.format(3, 2) + conv(17, 1, activation="leaky") + "[maxpool]\nsize=2\nstride=2\npadding=0\n"
                    + conv(33, 3, 2, "leaky") + "[avgpool]\n" + TAIL.format(2), dict(eta=5)),
    "one_channel": ("gray", conv(3, 5) + conv(1, 3) + "[maxpool]\nsize=2\nstride=2\npadding=0\n" + conv(4, activation="leaky") + TAIL.format(2),
                    dict(eta=1, gamma=.05)),
    "shortcut":    ("rgb", conv(6, activation="leaky") + conv(6, activation="linear") + "[shortcut]\nfrom=-2\nactivation=leaky\nalpha=.7\nbeta=1.3\n"
                    + conv(4, 3, 2) + conv(9, 1, 1, "leaky") + "[shortcut]\nfrom=0\nbeta=.6\nactivation=relu\n" + POOL.format(2, 2)
                    + "[shortcut]\nfrom=-3\nalpha=.5\nactivation=linear\n" + TAIL.format(2), dict(eta=3)),
    "upward":      ("rgb", conv(5, activation="leaky") + conv(6, 3, 2, "leaky") + "[route]\nlayers=0\n[shortcut]\nfrom=1\nalpha=.8\nactivation=leaky\n"
                    + conv(5, 3, 2) + "[route]\nlayers=-1,1\n[avgpool]\n" + TAIL.format(2), dict(eta=3, steps=2)),
    "route":       ("rgb", conv(5) + conv(4, 5, 2, "leaky") + "[route]\nlayers=0\n" + BARE.format(3, 3, 2, 0, "leaky")
                    + "[route]\nlayers=1\n" + BARE.format(4, 2, 1, 0, "relu") + "[route]\nlayers=-1,-3\n" + conv(6, 1) + POOL.format(2, 2) + TAIL.format(2), dict(eta=3)),
    "connected_bn": ("rgb", BARE.format(6, 3, 2, 1, "leaky") + "[connected]\noutput=11\nbatch_normalize=1\nactivation=leaky\n"
                     "[connected]\noutput=5\nbatch_normalize=1\nactivation=logistic\n" + TAIL.format(2), dict(eta=3, gamma=.05)),
    "logistic":    ("rgb", BARE.format(6, 5, 3, 0, "logistic") + "[activation]\nactivation=logistic\n" + conv(7, 3, 1, "linear")
                    + "[activation]\nactivation=leaky\n[maxpool]\nsize=3\nstride=1\n" + conv(4, 3, 1, "logistic") + "[connected]\noutput=2\nactivation=linear\n"
                    "[softmax]\ntemperature=1.7\n", dict(eta=3, gamma=.2)),
    "no_bn":       ("rgb", BARE.format(5, 3, 1, 1, "leaky") + POOL.format(2, 2) + BARE.format(8, 3, 2, 0, "linear") + "[activation]\nactivation=relu\n[avgpool]\n" + TAIL.format(2),
                    dict(eta=3, gamma=.1)),
    "map_softmax": ("rgb", conv(6, 3, 2, "leaky") + BARE.format(2, 1, 1, 0, "linear") + "[avgpool]\n[softmax]\n", dict(eta=1, gamma=.1)),
    "groups":      ("rgb", "[convolutional]\nbatch_normalize=1\nfilters=12\nsize=3\nstride=1\npad=1\nactivation=swish\ngroups=3\n"
                    "[convolutional]\nbatch_normalize=1\nfilters=12\nsize=3\nstride=2\npad=1\nactivation=mish\ngroups=12\n" + POOL.format(2, 2)
                    + "[convolutional]\nfilters=20\nsize=3\nstride=1\npad=1\nactivation=tanh\ngroups=4\n[avgpool]\n" + TAIL.format(2), dict(eta=3)),
    "squeeze":     ("rgb", conv(6, activation="gelu") + conv(7, 3, 2, "swish") + "[avgpool]\n" + BARE.format(3, 1, 1, 0, "swish") + BARE.format(7, 1, 1, 0, "logistic")
                    + "[scale_channels]\nfrom=1\n" + conv(7, 3, 1, "linear") + "[shortcut]\nfrom=-2\nactivation=mish\n" + TAIL.format(2), dict(eta=3, steps=2)),
    "moved":       ("rgb", "[crop]\ncrop_width=12\ncrop_height=12\nflip=1\n" + conv(8, activation="loggy") + "[reorg]\nstride=2\n" + conv(8, 1, 1, "tanh")
                    + "[reorg]\nstride=2\nreverse=1\n" + conv(4, 3, 2, "gelu") + "[reorg]\nflatten=1\n" + TAIL.format(2), dict(eta=3, steps=2)),
    "extra":       ("gray", conv(5, 3, 2, "elu") + BARE.format(1, 8, 1, 0, "linear") + "[reorg]\nextra=1\n[softmax]\n", dict(eta=3, gamma=.05)),
    "dilated":     ("rgb", "[convolutional]\nbatch_normalize=1\nfilters=8\nsize=3\nstride=1\npad=1\nactivation=leaky\ndilation=2\n" + POOL.format(2, 2)
                    + "[convolutional]\nbatch_normalize=1\nfilters=12\nsize=3\nstride=2\npad=1\nactivation=mish\ndilation=2\ngroups=4\n"
                    + "[upsample]\nstride=2\nscale=.8\n[convolutional]\nfilters=6\nsize=2\nstride=1\npadding=1\nactivation=elu\ndilation=3\n[avgpool]\n" + TAIL.format(2), dict(eta=3)),
    "local":       ("rgb", conv(4, 3, 2, "leaky") + POOL.format(2, 2) + "[local]\nfilters=3\nsize=3\nstride=1\npad=1\nactivation=swish\n"
                    + "[local]\nfilters=4\nsize=2\nstride=2\nactivation=leaky\n" + TAIL.format(2), dict(eta=3, steps=2)),
    "relation":    ("rgb", conv(6, activation="leaky") + POOL.format(2, 2) + conv(17, activation="leaky") + "[relation]\n" + conv(9, activation="leaky")
                    + POOL.format(3, 2) + "[connected]\noutput=6\nactivation=leaky\n[connected]\noutput=1\nactivation=logistic\n[cost]\n",
                    dict(eta=2, steps=0, order=1, ways=3, shots=[1, 3, 2], queries=[3, 2, 4])),
    "imprinted":   ("rgb", PLAIN + "temperature=30\n", dict(eta=3, gamma=.2, start_head="imprinted", shots=[4, 2])),
    "imprinted_order1": ("rgb", PLAIN + "temperature=30\n", dict(eta=3, gamma=.2, start_head="imprinted", order=1)),
    "imprinted_alone": ("rgb", conv(7, activation="leaky") + POOL.format(2, 2) + conv(5, 3, 2, "leaky") + "[connected]\noutput=3\nactivation=linear\n[softmax]\ntemperature=20\n",
                        dict(eta=3, steps=0, start_head="imprinted", ways=3, shots=[1, 3, 2])),
    "imprinted_head": ("rgb", conv(6, activation="gelu") + POOL.format(2, 2) + conv(8, 3, 2, "leaky") + "[connected]\noutput=2\nactivation=linear\n[softmax]\ntemperature=9\n",
                       dict(eta=2, adapt="head", gamma=.1, start_head="imprinted")),
    "rotations":   ("rgb", turns(8, activation="leaky") + POOL.format(2, 2) + turns(20, 3, 2, "swish") + turns(16, 1)
                    + "[connected]\noutput=2\nactivation=linear\nrotations=4\n[softmax]\n", dict(eta=3)),
    "prototype":   ("rgb", conv(6, activation="leaky") + POOL.format(2, 2) + conv(17, 3, 2, "leaky") + "[prototype]\n[softmax]\ntemperature=40\n",
                    dict(eta=3, steps=0, order=1, ways=3, shots=[1, 3, 2], queries=[3, 2, 4])),
    "affine":      ("rgb", conv(6, activation="leaky") + POOL.format(2, 2) + "[affine]\n" + conv(17, 3, 2, "leaky") + "[avgpool]\n[affine]\nscale=.5\n" + TAIL.format(2),
                    dict(eta=3)),
    "prelu":       ("rgb", BARE.format(6, 3, 2, 1, "linear") + "[prelu]\n" + conv(18, 3, 2, "linear") + POOL.format(2, 2) + "[prelu]\nslope=.1\nshared=1\n" + TAIL.format(2),
                    dict(eta=3, rates="parameter")),
    "film":        ("rgb", conv(6, activation="leaky") + POOL.format(2, 2) + "[film]\ncontext=3\n" + conv(17, 3, 2, "leaky") + "[avgpool]\n[film]\ncontext=2\n" + TAIL.format(2),
                    dict(eta=3, rates="layer")),
    "momentum":    ("rgb", PLAIN, dict(eta=3, steps=4, gamma=.05, heavy="momentum=0.7 decay=0.1")),
    "momentum_order1": ("rgb", PLAIN, dict(eta=2, order=1, gamma=.05, multi_step=1000, iteration=200, heavy="momentum=0.5 decay=0.2")),
    "momentum_film": ("rgb", conv(6, activation="leaky") + POOL.format(2, 2) + "[film]\ncontext=3\n" + conv(17, 3, 2, "leaky") + "[avgpool]\n[film]\ncontext=2\n" + TAIL.format(2),
                      dict(eta=3, gamma=.3, heavy="momentum=0.5 only=film")),
    "daml_4conv":  ("large", (conv(64) + "[maxpool]\nsize=2\nstride=2\npadding=0\n") * 4 + TAIL.format(2),
                    dict(eta=5, steps=5, gamma=.01, shots=5, queries=15, quiet=.25, dim=2)),
}


def settings(case):
    s = dict(steps=3, gamma=.1, order=2, type="difficulty", adapt="all", rates="fixed", multi_step=0, start_head="learned", heavy="", eta=5, epsilon=1e-6, start=0, iteration=300, ways=2, shots=3, queries=4, flip=0, loud=1, quiet=1, dim=0)
    s.update(case[2])
    return s


def write_cfg(path, case):
    s, (_, _, channels, side, _) = settings(case), SETS[case[0]]
    text = "[net]\nwidth=%d\nheight=%d\nchannels=%d\nmax_batches=300\n" % (side, side, channels)
    text += "[episode]\nways=%d\nshots=5\nqueries=15\ntasks=4\n" % s["ways"] + case[1]
    text += "[inner_loop]\nsteps=%(steps)d\nlearning_rate=%(gamma)g\norder=%(order)d\n" % s + ("test_steps=0\n" if any("[%s]" % kind in case[1] for kind in m.PAIRING) else "")
    text = text.replace("[inner_loop]", "[momentum]\n" + s["heavy"].replace(" ", "\n")) if s["heavy"] else text
    text += "adapt=head\n" * (s["adapt"] == "head") + "rates=%s\n" % s["rates"] * (s["rates"] != "fixed")
    text += "multi_step=%d\n" % s["multi_step"] * (s["multi_step"] > 0)
    text += "head=imprinted\n" * (s["start_head"] == "imprinted")
    text += "[meta_loss]\ntype=%(type)s\neta=%(eta)g\nepsilon=%(epsilon)g\nstart=%(start)d\n" % s
    with open(path, "w") as file:
        file.write(text.replace("\n[", "\n\n["))


def write_episode(path, case):
    s, at = settings(case), {}
    counts = {name: s[name] if isinstance(s[name], list) else [s[name]] * s["ways"] for name in ("shots", "queries")}
    with open(path, "w") as file:
        for word, name in (("support", "shots"), ("query", "queries")):
            for label in range(s["ways"]):
                for _ in range(counts[name][label]):
                    told = (label + s["flip"]) % s["ways"] if word == "query" else label
                    file.write("%s %d %s/images/%s_class%d_%02d.png\n" % (word, told, OUT, case[0], label, at.get(label, 0)))
                    at[label] = at.get(label, 0) + 1


def draw_weights(network, seed, loud, quiet, dim):
    """The large arrays are rounded to few bits, so that they pack well. Not the first layer's: its products with bytes would lie on a
    grid, and pixels of a pooling window would often be equal. The statistics are no part of the gradient and must not matter."""
    rng = np.random.Generator(np.random.PCG64(seed))
    out = np.zeros(network.size, "<f4")
    last = max(at for name, at, _, _ in network.tensors if name == "weights")
    factors = {last: loud}
    normalised = [tensors for _, _, tensors in network.layers if "mean" in tensors]
    for tensors in normalised[-1:]:
        factors.update({network.tensors[tensors[name]][1]: quiet for name in ("biases", "scales")})
    dimmed = [network.tensors[tensors["biases"]][1] for tensors in normalised[1:]]
    for name, at, shape, _ in network.tensors:
        n, fan = int(np.prod(shape)), int(np.prod(shape[1:]))
        values = {"shifts": lambda: rng.normal(0, .2, n), "slopes": lambda: rng.normal(.25, .1, n), "context": lambda: rng.normal(0, .5, n), "biases": lambda: rng.normal(0, .2, n), "scales": lambda: rng.normal(1, .2, n), "mean": lambda: rng.normal(0, 1, n),
                  "variance": lambda: rng.uniform(.5, 2, n), "weights": lambda: rng.normal(0, np.sqrt(2 / fan), n)}[name]()
        values = (values - dim * (at in dimmed)) * factors.get(at, 1)
        out[at:at + n] = np.round(values * 512) / 512 if n > 2000 else values
    tied = network.tie(network.split(torch.from_numpy(out)))
    return np.concatenate([array.numpy().ravel() for array in tied])


def write_rates(path, network, method, gamma):
    """Rates about gamma, of which a few are negative."""
    if method.rates == "fixed":
        return []
    layers = [(i, sorted(tensors.values())) for i, (_, _, tensors) in enumerate(network.layers) if tensors][-1 if method.head else 0:]
    counts = ["%d:%d" % (i, sum(int(np.prod(network.tensors[k][2])) for k in tensors if network.tensors[k][3])) for i, tensors in layers]
    numbers = method.steps * len(layers) if method.rates == "layer" else sum(int(c.split(":")[1]) for c in counts)
    rates = np.random.Generator(np.random.PCG64(11)).normal(gamma, gamma / 2, numbers).astype("<f4")
    with open(path, "w") as file:
        file.write("darknet meta rates 1\nrates=%s %slayers=%s\n" % (method.rates, "steps=%d " % method.steps * (method.rates == "layer"), ",".join(counts)))
        file.write("".join("%.9g\n" % rate for rate in rates) + "end\n")
    return method.read_rates(network, path)


def answer_to_rounding(method, network, weights, task, gradient, rates):
    """Largest relative change of any array of the gradient when every parameter is changed by SHAKE of itself."""
    rng = np.random.Generator(np.random.PCG64(99))
    worst = 0.
    for _ in range(1 if network.size > 50000 else 3):
        shaken = weights * (1 + SHAKE * rng.normal(size=weights.shape))
        other, _, _ = method.differentiate(network, network.split(torch.from_numpy(shaken)), *task, rates)
        for _, at, shape, learned in network.tensors:
            array = slice(at, at + int(np.prod(shape)))
            if learned and gradient[array].any():
                worst = max(worst, np.linalg.norm(other[array] - gradient[array]) / np.linalg.norm(gradient[array]))
    return worst


def write_zipped(path, data):
    with open(path, "wb") as file, gzip.GzipFile("", "wb", 9, file, 0) as packed:
        packed.write(data)


def generate(name, first_seed, with_check):
    case, folder = CASES[name], "%s/%s" % (OUT, name)
    s, full = settings(case), name == "daml_4conv"
    os.makedirs(folder, exist_ok=True)
    write_cfg(folder + "/net.cfg", case)
    write_episode(folder + "/episode.txt", case)
    sections = m.read_cfg(folder + "/net.cfg")
    network, method, first = m.Network(sections), m.Method(sections, s["iteration"]), m.Method(sections, s["iteration"])
    first.order = min(1, s["order"])        # the same losses and kinks, in less time
    sets = m.read_episode(folder + "/episode.txt")
    task = [m.load_images(sets[k], network.input) for k in ("support", "query")]
    rates = write_rates(folder + "/initial.rates", network, method, s["gamma"])
    for seed in range(first_seed, first_seed + 400):
        weights = draw_weights(network, seed, s["loud"], s["quiet"], s["dim"])
        values = network.split(torch.from_numpy(weights.astype(np.float64)))
        network.watch_kinks()
        _, figures, _ = first.differentiate(network, values, *task, rates)
        kinks = min([distance for layer, distance in network.kinks if layer > 1 or not full] + [1])
        network.kinks = None
        wanted = figures["query_loss"] > 1.1 if s["flip"] else .05 < figures["query_loss"] < .85
        if full:
            print("seed %d: L %.4f, kinks %.1e" % (seed, figures["query_loss"], kinks), flush=True)
        if not wanted or kinks < (MARGIN_FULL if full else MARGIN):
            continue
        gradient, figures, by_rates = method.differentiate(network, values, *task, rates)
        answer = answer_to_rounding(method, network, weights.astype(np.float64), task, gradient, rates)
        if answer < ANSWER * (10 if full else 1):
            break
    else:
        raise SystemExit("%s: no seed is well-conditioned" % name)
    write_zipped(folder + "/initial.weights.gz", struct.pack("<iiiQ", 0, 2, 0, 12345) + weights.tobytes())
    write_zipped(folder + "/gradient.%s.gz" % ("f32" if full else "f64"), gradient.astype("<f4" if full else "<f8").tobytes())
    if rates:
        write_zipped(folder + "/rates.f64.gz", by_rates.astype("<f8").tobytes())
    with open(folder + "/figures.json", "w") as file:
        json.dump(dict(iteration=s["iteration"], **figures), file)
        file.write("\n")
    told = "%-12s seed %3d  L %.4f  w %9.4f  |g| %.4f  kinks %.0e  answer %.0e" % (name, seed, figures["query_loss"], figures["weight"], np.linalg.norm(gradient), kinks, answer)
    if with_check and s["order"] == 2:
        told += "  differences %.0e" % m.check(method, network, values, *task, gradient, 2 if full else 6, rates, by_rates)
    print(told, flush=True)


def main():
    parser = argparse.ArgumentParser(description="Writes the reference cases of tests/oracle.")
    parser.add_argument("-only", metavar="CASE")
    parser.add_argument("-seed", type=int, default=1, help="the first one tried")
    parser.add_argument("-check", action="store_true")
    options = parser.parse_args()
    os.makedirs(OUT + "/images", exist_ok=True)
    if not options.only:
        for name in SETS:
            draw_set(name)
        with open(OUT + "/labels.list", "w") as file:
            file.write("class0\nclass1\nclass2\n")
        with open(OUT + "/oracle.data", "w") as file:
            file.write("classes=3\nlabels=%s/labels.list\n" % OUT)
    for name in [options.only] if options.only else CASES:
        generate(name, options.seed, options.check)


if __name__ == "__main__":
    main()
