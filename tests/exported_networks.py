"""Small networks of every kind of layer that meta adapt exports: for tests/exported.py.

NETWORKS is a list of (name, (width, height, channels), layers), where a layer is (section, {option: value}). Weights and rolling
statistics are drawn by write_weights, so that the probabilities are not all 0 or 1.
"""
import array
import math
import random
import struct

# What the stock library reads otherwise than it is meant, so that meta predict says what is right: it ignores the stride and the padding of
# 1x1 convolutions, and a [dropout] that comes first writes past its memory.
STOCK_IS_WRONG = ("convolutional: padding=3 of 1x1", "convolutional: 1x1, stride 2", "convolutional: 1x1, stride 3, normalised",
                  "dropout of the image", "scale_channels", "scale_channels, then connected", "dilation", "dilation of groups, stride 2, no padding",
                  "activation: swish", "activation: mish", "activation: hard_mish", "activation: gelu",
                  "map: made of connected by scale_channels")
ACTIVATIONS = ("linear", "relu", "leaky", "logistic")
# relu6 is left out: up to 6, where these networks stay, it is relu in every program.
MORE_ACTIVATIONS = ("relie", "ramp", "tanh", "plse", "elu", "selu", "loggy", "stair", "hardtan", "lhtan", "swish", "mish", "hard_mish", "gelu")


def conv(filters, size=3, **options):
    return ("convolutional", {"filters": filters, "size": size, "activation": "leaky", **options})


def connected(output, **options):
    return ("connected", {"output": output, "activation": "linear", **options})


def layer(section, **options):
    return (section, {"from" if k == "source" else k: v for k, v in options.items()})


BN = {"batch_normalize": 1}
PAD = {"pad": 1}
HEAD = [connected(3), layer("softmax")]
POOLED = [conv(3, 1, activation="linear"), layer("avgpool"), layer("softmax")]
WIDE, GRAY = (11, 9, 3), (12, 12, 1)


def residual(**options):
    """Two convolutions, and the shortcut from the first to the second."""
    return [conv(6, **PAD, **BN), conv(6, activation="linear", **PAD, **BN), layer("shortcut", source=-2, **options)]


def block(filters, activation="relu"):
    return [conv(filters, activation=activation, **PAD, **BN), layer("maxpool", size=2, stride=2, padding=0)]


CONVOLUTIONS = [
    ("3x3", WIDE, [conv(6, **PAD)] + HEAD),
    ("1x1", WIDE, [conv(17, 1)] + HEAD),
    ("1x1, pad=1", WIDE, [conv(7, 1, **PAD)] + HEAD),
    ("5x5, stride 2", WIDE, [conv(5, 5, stride=2, **PAD)] + HEAD),
    ("no padding", WIDE, [conv(5, stride=2)] + HEAD),
    ("padding=1 of 3x3", WIDE, [conv(5, padding=1)] + HEAD),
    ("padding=2 of 3x3", WIDE, [conv(7, padding=2)] + HEAD),
    ("padding=1 of 5x5", WIDE, [conv(7, 5, padding=1)] + HEAD),
    ("padding=3 of 1x1", WIDE, [conv(4, 1, padding=3)] + HEAD),
    ("1x1, stride 2", WIDE, [conv(4, 1, stride=2)] + HEAD),
    ("1x1, stride 3, normalised", (10, 10, 3), [conv(4, 1, stride=3, **BN)] + HEAD),
    ("4x4, pad=1", WIDE, [conv(7, 4, stride=3, **PAD)] + HEAD),
    ("2x2, pad=1", WIDE, [conv(7, 2, **PAD)] + HEAD),
    ("defaults", (6, 6, 3), [layer("convolutional")] + HEAD),
    ("one filter", GRAY, [conv(1, **BN)] + HEAD),
] + [(f"{a}{', normalised' if n else ''}", WIDE, [conv(8, activation=a, **PAD, **n)] + POOLED) for a in ACTIVATIONS for n in ({}, BN)]

CONNECTED = [
    (f"{a}{', normalised' if n else ''}", (5, 4, 3), [connected(7, activation=a, **n)] + HEAD) for a in ACTIVATIONS for n in ({}, BN)
] + [
    ("three of them", (5, 4, 3), [connected(9, activation="leaky", **BN), connected(7, activation="relu", **BN)] + HEAD),
    ("of a column", (1, 9, 3), [conv(4, 1)] + HEAD),
    ("of a row", (9, 1, 3), [conv(4, 1)] + HEAD),
]

POOLS = [
    ("2/2", WIDE, [conv(5, **PAD), layer("maxpool", size=2, stride=2)] + HEAD),
    ("2/2, padding=0", WIDE, [conv(5, **PAD), layer("maxpool", size=2, stride=2, padding=0)] + HEAD),
    ("3/2", WIDE, [conv(5, **PAD), layer("maxpool", size=3, stride=2)] + HEAD),
    ("3/1", WIDE, [conv(5, **PAD), layer("maxpool", size=3, stride=1)] + HEAD),
    ("5/3 of the image", WIDE, [layer("maxpool", size=5, stride=3)] + HEAD),
    ("5/1, padding=1", (20, 12, 3), [conv(5, **PAD), layer("maxpool", size=5, stride=1, padding=1)] + HEAD),
    ("stride alone", WIDE, [conv(5, **PAD), layer("maxpool", stride=3)] + HEAD),
    ("4/2, padding=2", WIDE, [conv(5, **PAD), layer("maxpool", size=4, stride=2, padding=2)] + HEAD),
    ("mean, in the middle", WIDE, [conv(9, **BN), layer("avgpool")] + HEAD),
    ("mean of the image", WIDE, [layer("avgpool")] + HEAD),
    ("mean, then 1x1", WIDE, [conv(9), layer("avgpool"), conv(3, 1, activation="linear"), layer("softmax")]),
]

SOFTMAX = [
    ("temperature=.25", WIDE, [conv(6, **PAD), connected(3), layer("softmax", temperature=.25)]),
    ("temperature=3, a convolution", WIDE, [conv(3, 1, activation="linear"), layer("avgpool"), layer("softmax", temperature=3)]),
    ("temperature=2, leaky", WIDE, [conv(4), connected(3, activation="leaky"), layer("softmax", temperature=2)]),
    ("temperature=.5, logistic", WIDE, [conv(4), connected(3, activation="logistic"), layer("softmax", temperature=.5)]),
    ("temperature=2, dropout", WIDE, [conv(4), connected(3), layer("dropout", probability=.3), layer("softmax", temperature=2)]),
    ("temperature=2, a shortcut", WIDE, [conv(4), connected(3), connected(3), layer("shortcut", source=-2), layer("softmax", temperature=2)]),
    ("temperature=.5, normalised", WIDE, [conv(4), connected(3, **BN), layer("softmax", temperature=.5)]),
    ("of a map", (7, 5, 3), [conv(2, 5, stride=2, activation="linear"), layer("softmax")]),
    ("of a map, temperature=2", (7, 5, 3), [conv(2, 5, stride=2, activation="linear"), layer("softmax", temperature=2)]),
]

SHORTCUTS = [(f"{a}", WIDE, residual(activation=a) + HEAD) for a in ACTIVATIONS] + [
    ("alpha=.7", WIDE, residual(alpha=.7, activation="leaky") + HEAD),
    ("beta=1.3", WIDE, residual(beta=1.3, activation="relu") + HEAD),
    ("alpha=-.5, beta=2", WIDE, residual(alpha=-.5, beta=2, activation="logistic") + HEAD),
    ("beta=0", WIDE, residual(beta=0) + HEAD),
    ("from itself", WIDE, [conv(5, **PAD), layer("shortcut", source=-1, alpha=.5)] + HEAD),
    ("from what else is read", WIDE, [conv(5, **PAD), conv(5, activation="linear", **PAD), layer("shortcut", source=0, beta=.5),
                                      layer("route", layers="-1,0")] + HEAD),
    ("from more channels", WIDE, [conv(7, **PAD), conv(4, **PAD), layer("shortcut", source=0)] + HEAD),
    ("from more channels, alpha", WIDE, [conv(7, **PAD), conv(4, **PAD), layer("shortcut", source=0, alpha=.5)] + HEAD),
    ("from fewer channels", WIDE, [conv(4, **PAD), conv(7, **PAD), layer("shortcut", source=0)] + HEAD),
    ("from fewer channels, alpha", WIDE, [conv(4, **PAD), conv(7, **PAD), layer("shortcut", source=0, alpha=.5, beta=2)] + HEAD),
    ("from a larger map", (8, 8, 3), [conv(5, **PAD), conv(5, stride=2, **PAD), layer("shortcut", source=0, activation="relu")] + HEAD),
    ("from a larger map, 9 to 4", (9, 9, 3), [conv(5, **PAD), conv(5, stride=2), layer("shortcut", source=0)] + HEAD),
    ("from a larger map, oblong", (10, 6, 3), [conv(5, **PAD), conv(5, stride=2, **PAD), layer("shortcut", source=0)] + HEAD),
    ("from a larger map, 9x8 to 4x4", (9, 8, 3), [conv(5, **PAD), layer("maxpool", size=2, stride=2, padding=0),
                                                 layer("shortcut", source=0)] + HEAD),
    ("from a larger map of more channels", (8, 8, 3), [conv(7, **PAD), conv(4, stride=2, **PAD), layer("shortcut", source=0, alpha=.5)] + HEAD),
    ("from a smaller map", (8, 8, 3), [conv(5, **PAD), conv(5, stride=2, **PAD), layer("route", layers="0"), layer("shortcut", source=1)] + HEAD),
    ("from connected", WIDE, [connected(5, activation="leaky"), connected(5), layer("shortcut", source=0, alpha=.5)] + HEAD),
]

OTHERS = [
    ("route to one layer", WIDE, [conv(5, **PAD), conv(4, stride=2, **PAD), layer("route", layers="-2"), conv(3, stride=2, **PAD, **BN),
                                  layer("route", layers="-1,1"), layer("avgpool")] + HEAD),
    ("route to a larger map, then connected", (8, 8, 3), [conv(5, **PAD), conv(4, stride=2, **PAD), connected(4), layer("route", layers="0"),
                                                          connected(4), layer("route", layers="-1,2")] + HEAD),
    ("route to an oblong map, then connected", WIDE, [conv(5, **PAD), conv(4, stride=2, **PAD), connected(4), layer("route", layers="0"),
                                                      connected(4), layer("route", layers="-1,2")] + HEAD),
    ("route to two layers", WIDE, [conv(5, **PAD), conv(4, **PAD), layer("route", layers="-1,-2"), conv(3, **BN)] + HEAD),
    ("route to vectors", WIDE, [conv(5), layer("avgpool"), connected(4), layer("route", layers="-1,-2")] + HEAD),
    ("route to connected ones", WIDE, [connected(5), connected(4), layer("route", layers="0,1")] + HEAD),
    ("route back past connected", WIDE, [conv(5), connected(4), layer("route", layers="0"), conv(3), connected(4),
                                         layer("route", layers="1,4")] + HEAD),
    ("dropout", WIDE, [conv(5, **PAD), layer("dropout", probability=.4)] + HEAD),
    ("dropout of the image", WIDE, [layer("dropout", probability=.1), conv(5, **PAD)] + HEAD),
    ("route to dropout", WIDE, [conv(5, **PAD), layer("dropout", probability=.4), conv(5, **PAD), layer("route", layers="-1,-2")] + HEAD),
    ("convolution of connected", WIDE, [connected(12, activation="leaky"), conv(5, 1)] + HEAD),
    ("activation of a linear layer", WIDE, [conv(4, activation="linear"), layer("activation", activation="leaky")] + HEAD),
    ("activations, one after another", WIDE, [conv(4, activation="linear"), layer("activation", activation="relu"),
                                              layer("activation", activation="logistic")] + HEAD),
    ("activation of a pool", WIDE, [conv(4, activation="linear"), layer("maxpool", size=2, stride=2),
                                    layer("activation", activation="logistic")] + HEAD),
    ("activation of the image", WIDE, [layer("activation", activation="logistic"), conv(4)] + HEAD),
    ("activation of connected", WIDE, [connected(6), layer("activation", activation="relu")] + HEAD),
    ("activation of what else is read", WIDE, [conv(4, activation="linear", **PAD), layer("activation", activation="relu"), conv(4, **PAD),
                                               layer("shortcut", source=0)] + HEAD),
    ("activation before softmax", WIDE, [conv(4), connected(3), layer("activation", activation="leaky"), layer("softmax", temperature=2)]),
    ("the paper's", (42, 42, 3), block(8) + block(8) + block(8) + block(8) + HEAD),
    ("eight normalised layers", (24, 24, 3), [conv(8, **PAD, **BN) for _ in range(8)]
     + [conv(3, 1, activation="linear"), layer("avgpool"), layer("softmax", temperature=4)]),
    ("residual", (16, 16, 3), [conv(6, **PAD, **BN)] + residual(activation="leaky") + [conv(12, stride=2, **PAD, **BN)]
     + [conv(12, 1, **BN), conv(12, activation="linear", **PAD, **BN), layer("shortcut", source=-3, activation="leaky"), layer("avgpool")] + HEAD),
    ("dense", (16, 16, 3), [conv(6, **PAD, **BN), conv(4, **PAD, **BN), layer("route", layers="-1,-2"), conv(4, **PAD, **BN),
                            layer("route", layers="-1,-2"), layer("maxpool", size=2, stride=2), conv(8, 1, **BN), layer("avgpool")] + HEAD),
]

SQUEEZED = [conv(6, **PAD), layer("avgpool"), conv(6, 1, activation="logistic"), layer("scale_channels", source=0)]

CLASSIFIERS = [(f"activation: {a}", WIDE, [conv(8, activation=a, **PAD)] + POOLED) for a in MORE_ACTIVATIONS] + [
    ("groups", WIDE, [conv(12, **PAD), conv(8, groups=4, **PAD, **BN)] + HEAD),
    ("groups of the image", WIDE, [conv(6, groups=3, **PAD, **BN), layer("maxpool", size=2, stride=2)] + HEAD),
    ("a group a channel, stride 2", WIDE, [conv(6, **PAD), conv(6, groups=6, stride=2, **PAD, **BN)] + HEAD),
    ("groups of connected", WIDE, [connected(12, activation="leaky"), conv(4, 1, groups=2)] + HEAD),
    ("crop", (12, 10, 3), [layer("crop", crop_width=8, crop_height=6), conv(5, **PAD)] + HEAD),
    ("crop, noadjust", (12, 10, 3), [layer("crop", crop_width=9, crop_height=10, noadjust=1), conv(5, **PAD)] + HEAD),
    ("dilation", WIDE, [conv(6, dilation=2, **PAD, **BN), conv(6, dilation=3, **PAD)] + HEAD),
    ("dilation of groups, stride 2, no padding", (16, 14, 3), [conv(6, **PAD), conv(6, dilation=2, groups=3, stride=2)] + HEAD),
    ("local", (6, 5, 3), [conv(4, 5, **PAD, **BN), layer("local", filters=3, size=3, stride=1, pad=1, activation="leaky")] + HEAD),
    ("local, stride 2", (7, 6, 3), [conv(3, **PAD), layer("local", filters=4, size=2, stride=2, activation="tanh")] + HEAD),
    ("upsample", (6, 5, 3), [conv(6, **PAD, **BN), layer("upsample", stride=2), conv(5, **PAD)] + HEAD),
    ("upsample, scale", (6, 5, 3), [conv(6, **PAD), layer("upsample", stride=3, scale=.7), layer("avgpool")] + HEAD),
    ("reorg", (12, 8, 3), [conv(8, **PAD), layer("reorg", stride=2), conv(5, **PAD)] + HEAD),
    ("reorg, then connected", (12, 8, 3), [conv(8, **PAD), layer("reorg", stride=2)] + HEAD),
    ("reorg, reverse", (6, 4, 3), [conv(8, **PAD), layer("reorg", stride=2, reverse=1), conv(5, **PAD)] + HEAD),
    ("reorg, flatten", (6, 4, 3), [conv(8, **PAD), layer("reorg", stride=1, flatten=1), conv(5, **PAD)] + HEAD),
    ("reorg, extra", (6, 4, 3), [conv(1, **PAD), layer("reorg", stride=1, extra=1), layer("softmax")]),
    ("scale_channels", WIDE, SQUEEZED + POOLED),
    ("scale_channels, then connected", WIDE, SQUEEZED + [conv(4, **PAD)] + HEAD),
]

# Maps and vectors that the export must not take for each other, and a layer that more than its [activation] reads
MAPS = [
    ("made of connected by scale_channels", (8, 8, 3), [conv(6, **PAD), layer("avgpool"), connected(6, activation="logistic"),
                                                        layer("scale_channels", source=0), layer("activation", activation="tanh"),
                                                        layer("avgpool")] + HEAD),
    ("made of connected by upsample", (8, 8, 3), [conv(6, **PAD), layer("avgpool"), connected(5), layer("upsample", stride=3), conv(4)] + HEAD),
    ("made of connected by upsample, activation", (8, 8, 3), [conv(6), connected(5), layer("upsample", stride=2),
                                                              layer("activation", activation="leaky")] + HEAD),
    ("read behind a linear activation", WIDE, [conv(6, activation="linear", **PAD), layer("activation", activation="linear"),
                                               layer("activation", activation="tanh"), layer("shortcut", source=0)] + HEAD),
    ("of one pixel, normalised", WIDE, [connected(5), conv(4, 1, **BN)] + HEAD),
]

# Arrays of plugins' layers by channels and options: no Darknet reads these networks as they are
PLUGINS = {"affine": lambda c, o: 2 * c, "prelu": lambda c, o: 1 if o.get("shared") else c, "film": lambda c, o: o["context"] * (1 + 2 * c)}
OF_PLUGINS = [
    ("affine", WIDE, [conv(6, **PAD, **BN), layer("affine"), conv(4, stride=2)] + HEAD),
    ("affine of connected", WIDE, [connected(7, activation="leaky"), layer("affine"), connected(5), layer("affine")] + HEAD),
    ("affine of the image", WIDE, [layer("affine"), conv(4)] + HEAD),
    ("affine of a pool", WIDE, [conv(5), layer("avgpool"), layer("affine")] + HEAD),
    ("prelu", WIDE, [conv(6, activation="linear", **PAD, **BN), layer("prelu"), conv(4, stride=2)] + HEAD),
    ("prelu, shared, of connected", WIDE, [connected(7), layer("prelu", shared=1)] + HEAD),
    ("prelu, then a shortcut", WIDE, [conv(6, **PAD), layer("prelu"), conv(6, activation="linear", **PAD), layer("shortcut", source=1)] + HEAD),
    ("film", WIDE, [conv(6, **PAD, **BN), layer("film", context=3), layer("maxpool", size=2, stride=2, padding=0)] + HEAD),
]
STOCK_IS_WRONG += tuple(f"plugin: {name}" for name, _, _ in OF_PLUGINS)

NETWORKS = [(f"{kind}: {name}" if kind else name, shape, layers) for kind, group in (
    ("convolutional", CONVOLUTIONS), ("connected", CONNECTED), ("pool", POOLS), ("softmax", SOFTMAX), ("shortcut", SHORTCUTS),
    ("", OTHERS), ("", CLASSIFIERS), ("plugin", OF_PLUGINS), ("map", MAPS)) for name, shape, layers in group]


def shapes(shape, layers):
    """Each layer's input and output as (w, h, c)."""
    outs = []
    for i, (section, o) in enumerate(layers):
        w, h, c = came = outs[-1] if outs else shape
        if section in ("convolutional", "maxpool", "local"):
            stride = o.get("stride", 1)
            size, dilation = o.get("size", stride if section == "maxpool" else 1), o.get("dilation", 1)
            padding = o.get("padding", size - 1) if section == "maxpool" else 2 * (size // 2 if o.get("pad") else o.get("padding", 0)) * dilation
            size = (size - 1) * dilation + 1
            w, h = (w + padding - size) // stride + 1, (h + padding - size) // stride + 1
            c = c if section == "maxpool" else o.get("filters", 1)
        elif section == "connected":
            w, h, c = 1, 1, o["output"]
        elif section == "avgpool":
            w, h = 1, 1
        elif section == "softmax":
            w, h, c = 1, 1, w * h * c
        elif section == "crop":
            w, h = o["crop_width"], o["crop_height"]
        elif section == "upsample":
            w, h = w * o["stride"], h * o["stride"]
        elif section == "reorg":
            s = o["stride"]
            if o.get("extra"):
                w, h, c = 1, 1, w * h * c + o["extra"]
            else:
                w, h, c = (w * s, h * s, c // s ** 2) if o.get("reverse") else (w // s, h // s, c * s ** 2)
        elif section == "scale_channels":
            w, h, c = outs[o["from"]]
        elif section == "route":
            read = [outs[int(k) if int(k) >= 0 else i + int(k)] for k in o["layers"].split(",")]
            w, h, c = read[0][0], read[0][1], sum(s[2] for s in read)
        outs.append((w, h, c))
        yield came, outs[-1]


def classes(shape, layers):
    return list(shapes(shape, layers))[-1][1][2]


def write_cfg(path, shape, layers, meta):
    """Writes the network; with `meta` as one that meta adapt takes, else as a stock one."""
    with open(path, "w") as f:
        print("[net]\nbatch=1\nsubdivisions=1\nwidth=%d\nheight=%d\nchannels=%d" % shape, file=f)
        if meta:
            print(f"max_batches=1\n[episode]\nways={classes(shape, layers)}\nshots=1\nqueries=1", file=f)
        for section, options in layers:
            print(f"[{section}]", *(f"{k}={v}" for k, v in options.items()), sep="\n", file=f)
        if meta:
            print("[inner_loop]\nsteps=1\norder=1", file=f)


def write_weights(path, shape, layers, seed):
    """Draws weights. A normalised layer's channels have deviations from .001 to 1, as its rolling statistics say."""
    rng = random.Random(seed)
    numbers = array.array("f")
    for ((w, h, c), (out_w, out_h, filters)), (section, o) in zip(shapes(shape, layers), layers):
        if section in PLUGINS:
            numbers.extend(rng.gauss(.3, .5) for _ in range(PLUGINS[section](c, o)))
        if section == "local":
            inputs, pixels = c * o["size"] ** 2, out_w * out_h
            numbers.extend([rng.gauss(0, .3) for _ in range(filters * pixels)] + [rng.gauss(0, math.sqrt(1 / inputs)) for _ in range(filters * pixels * inputs)])
        if section not in ("convolutional", "connected"):
            continue
        inputs = c // o.get("groups", 1) * o.get("size", 1) ** 2 if section == "convolutional" else w * h * c
        normalised = o.get("batch_normalize")
        unit = [10 ** rng.uniform(-3, 0) if normalised else 1 for _ in range(filters)]
        weights = [unit[k] * rng.gauss(0, math.sqrt(1 / inputs)) for k in range(filters) for _ in range(inputs)]
        biases = [rng.gauss(0, .3) for _ in range(filters)]
        scales = [rng.gauss(1, .3) for _ in range(filters)]
        statistics = [u * rng.gauss(0, .3) for u in unit] + [u * u * rng.uniform(.2, 1) for u in unit]
        tail = scales + statistics if normalised else []
        numbers.extend(biases + (tail + weights if section == "convolutional" else weights + tail))
    with open(path, "wb") as f:
        f.write(struct.pack("<iiiq", 0, 2, 0, 10 ** 9))
        numbers.tofile(f)
