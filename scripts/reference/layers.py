"""The layers of Darknet and of this project in PyTorch, as functions of their inputs."""
import math

import torch
import torch.nn.functional as F


def activate(name, x):
    return {"linear": lambda: x, "relu": lambda: F.relu(x), "leaky": lambda: F.leaky_relu(x, .1),
            "logistic": lambda: torch.sigmoid(x), "relie": lambda: F.leaky_relu(x, .01), "ramp": lambda: F.relu(x) + .1 * x,
            "tanh": lambda: torch.tanh(x), "elu": lambda: F.elu(x), "selu": lambda: 1.0507 * torch.where(x >= 0, x, 1.6732 * (torch.exp(x.clamp(max=0)) - 1)),
            "loggy": lambda: 2 * torch.sigmoid(x) - 1, "hardtan": lambda: F.hardtanh(x), "relu6": lambda: F.relu6(x),
            "swish": lambda: F.silu(x), "mish": lambda: F.mish(x), "hard_mish": lambda: x / 2 * (x + 2).clamp(0, 2),
            "gelu": lambda: x / 2 * (1 + torch.tanh(.797885 * x + .035677 * x ** 3))}[name]()


FALLING = ("swish", "mish", "hard_mish", "gelu")       # activations that a max-pool can't be exchanged with


def crop(x, h, w, adjust):
    """The middle, from [0,1] to [-1,1] with adjust."""
    top, left = (x.shape[2] - h) // 2, (x.shape[3] - w) // 2
    x = x[:, :, top:top + h, left:left + w]
    return 2 * x - 1 if adjust else x


def reorg(x, stride, reverse, flatten, extra):
    """Darknet's: also on the way down the input is taken for the maps whose channels are the pixels of cells."""
    n, c, h, w = x.shape
    maps = c // stride ** 2
    if extra:
        return F.pad(x.reshape(n, -1), (0, extra)).reshape(n, -1, 1, 1)
    if flatten:
        y = x.reshape(n, h * w, c).transpose(1, 2) if reverse else x.reshape(n, c, h * w).transpose(1, 2)
    elif reverse:
        y = x.reshape(n, stride, stride, maps, h, w).permute(0, 3, 4, 1, 5, 2)
    else:
        y = x.reshape(n, maps, h, stride, w, stride).permute(0, 3, 5, 1, 2, 4)
    if reverse:
        return y.reshape(n, maps, h * stride, w * stride)
    return y.reshape(n, c * stride ** 2, h // stride, w // stride)


def normalise(x, scales):
    """Batch statistics, variance over N-1, the small number added to the deviation."""
    axes = [0] + list(range(2, x.dim()))
    shape = [1, -1] + [1] * (x.dim() - 2)
    mean = x.mean(axes, keepdim=True)
    deviation = torch.sqrt(((x - mean) ** 2).sum(axes, keepdim=True) / (x.numel() // x.shape[1] - 1))
    return (x - mean) / (deviation + 1e-6) * scales.view(shape)


def pad_for_pool(x, size, stride, padding):
    """`padding` is the total; half of it, rounded down, lies before the first pixel."""
    def edges(n):
        out = (n + padding - size) // stride + 1
        return padding // 2, max(0, (out - 1) * stride + size - n - padding // 2), out
    top, bottom, h = edges(x.shape[2])
    left, right, w = edges(x.shape[3])
    return F.pad(x, (left, right, top, bottom), value=-math.inf)[:, :, :(h - 1) * stride + size, :(w - 1) * stride + size]


def shortcut(here, other, alpha, beta):
    """alpha*here + beta*other over the channels and pixels that both have; the rest of `here` stays as it is."""
    stride, sample = max(1, other.shape[3] // here.shape[3]), max(1, here.shape[3] // other.shape[3])
    c, h, w = (min(here.shape[i], other.shape[i]) for i in (1, 2, 3))
    there = other[:, :c, :h * stride:stride, :w * stride:stride]
    h, w = there.shape[2:]
    out = here.clone()
    at = (slice(None), slice(0, c), slice(0, h * sample, sample), slice(0, w * sample, sample))
    out[at] = alpha * here[at] + beta * there
    return out


def relation(x, labels, ways):
    """x: a task's maps, support first. Each query image's map behind the sum of each class's: (query * ways, 2c, h, w)"""
    classes = torch.stack([x[:len(labels)][labels == k].sum(0) for k in range(ways)])
    query = x[len(labels):]
    return torch.cat([classes.repeat(len(query), 1, 1, 1), query.repeat_interleave(ways, 0)], 1)


def prototype(x, labels, ways):
    """x: a task's features, support first. Minus each query image's squared distance to each class's mean: (query * ways, 1, 1, 1)"""
    x = x.flatten(1)
    means = torch.stack([x[:len(labels)][labels == k].mean(0) for k in range(ways)])
    return -((x[len(labels):].unsqueeze(1) - means.unsqueeze(0)) ** 2).sum(2).reshape(-1, 1, 1, 1)


def turned_filters(base, turned_in):
    """rotations=4: filters (f, c, k, k) in their quarter turns (4f, c, k, k), as Cohen and Welling (ICML 2016) have them for the group p4:
    over maps that come in fours the turned filter's channels are shifted too."""
    turns = []
    for r in range(4):
        turn = torch.rot90(base, r, (2, 3))
        if turned_in:
            turn = turn.reshape(len(base), -1, 4, *base.shape[2:]).roll(r, 2).reshape(turn.shape)
        turns.append(turn)
    return torch.stack(turns, 1).reshape(-1, *base.shape[1:])


def turned_maps(base):
    """rotations=4 of [connected]: weights of maps (o, g, h, w) as those of the maps in their four turns, (o, 4ghw)"""
    return torch.stack([torch.rot90(base, s, (2, 3)) for s in range(4)], 2).flatten(1)


def by_channel(x, values):
    """values: (c), or one number for all channels"""
    return values.reshape(1, -1, 1, 1)


def affine(x, t):
    return by_channel(x, t["scales"]) * x + by_channel(x, t["shifts"])


def prelu(x, t):
    return torch.where(x > 0, x, by_channel(x, t["slopes"]) * x)


def film(x, t):
    """(g, b) = W context; (1 + g) x + b"""
    g, b = (t["weights"] @ t["context"]).split(x.shape[1])
    return (1 + by_channel(x, g)) * x + by_channel(x, b)


# Of plugins' layers: the function of the input and the arrays, and the arrays in the order of a .weights file, by input and options
PLUGINS = {
    "affine": (affine, lambda c, o: [("scales", (c,)), ("shifts", (c,))]),
    "prelu": (prelu, lambda c, o: [("slopes", (1 if int(o.get("shared", 0)) else c,))]),
    "film": (film, lambda c, o: [("context", (int(o.get("context", 8)),)), ("weights", (2 * c, int(o.get("context", 8))))]),
}
HELD = {"film": ("weights",)}                          # arrays that inner steps leave as they are
PAIRING = {"relation": relation, "prototype": prototype}
