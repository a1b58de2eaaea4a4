#!/usr/bin/python3
"""The meta-gradient of one task in float64 PyTorch: what `darknet meta grad` is compared with.

    meta_gradient.py CFG WEIGHTS EPISODE -out FILE [-iteration N] [-float32] [-check DIRECTIONS]

Reads a Darknet .cfg, a .weights file and an episode (lines `support LABEL PATH` and `query LABEL PATH`; PNG images of exactly the
network's size), differentiates DA(L) through the inner steps by autograd, writes the gradient in the order of a .weights file and prints
one line of JSON. -check compares it with central differences along random directions.

Needs Debian's python3-torch. Nothing here shares code with the program: the forward passes follow Darknet's documented behaviour, the
derivatives are PyTorch's.
"""
import argparse
import json
import math
import os
import struct
import sys

import numpy as np
import torch
import torch.nn.functional as F

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from files import load_images, read_cfg, read_episode
from layers import FALLING, HELD, PAIRING, PLUGINS, activate, crop, normalise, pad_for_pool, reorg, shortcut, turned_filters, turned_maps

torch.set_default_dtype(torch.float64)


# ---- the network -------------------------------------------------------------------------------------------------------------


class Network:
    """The layers of a .cfg, and where each parameter lies in a .weights file after the header."""

    def __init__(self, sections):
        net = sections[0][1]
        self.input = (int(net.get("channels", 3)), int(net["height"]), int(net["width"]))
        self.layers = []         # (kind, options, indices of its tensors by name)
        self.tensors = []        # (name, offset, shape, learned)
        self.size = 0
        self.temperature = 1.
        self.kinks = None        # a list: collects (layer, distance) in `apply`
        self.tied_maps = {}      # of a [connected] with rotations=4: the shape of its input
        self.pairs = None        # of a network that pairs: (labels of the support images, classes)
        layers = [s for s in sections[1:] if s[0] not in ("episode", "inner_loop", "momentum", "meta_loss")]
        pairing = any(kind in PAIRING for kind, _ in layers)
        assert layers[-1][0] in (("cost", "softmax") if pairing else ("softmax",))
        if pairing:              # two classes of one support image each, for the shapes alone
            self.pairs = torch.tensor([0, 1]), 2
        shapes = []
        for kind, options in layers:
            here = torch.zeros((4,) + (shapes[-1] if shapes else self.input))
            if kind == "connected" and int(options.get("rotations", 1)) == 4:
                self.tied_maps[len(shapes)] = here.shape[1:]
            tensors = self.place(kind, options, here)
            self.layers.append((kind, options, tensors))
            shapes.append(tuple(self.apply(len(shapes), here, [torch.zeros((4,) + s) for s in shapes], self.blank()).shape[1:]))
        self.outputs = shapes[-1][0]

    def tied(self, i, name, value):
        """With rotations=4 a layer's arrays are made of every fourth of a convolution's, or of a [connected] layer's maps."""
        kind, o, _ = self.layers[i]
        if int(o.get("rotations", 1)) != 4 or name in ("mean", "variance"):
            return value
        if kind == "connected":
            maps = self.tied_maps[i]
            return value if name != "weights" else turned_maps(value.reshape(len(value), *maps)[:, ::4])
        if name != "weights":
            return value[::4].repeat_interleave(4)
        return turned_filters(value[::4], i > 0)

    def tie(self, arrays):
        """Of all tensors: what is learned once stands there in every turn."""
        for i, (_, _, tensors) in enumerate(self.layers):
            for name, k in tensors.items():
                arrays[k] = self.tied(i, name, arrays[k])
        return arrays

    def blank(self):
        return [torch.ones(shape) for _, _, shape, _ in self.tensors]

    def place_local(self, o, x):
        n, size, pad = int(o.get("filters", 1)), int(o.get("size", 1)), int(o.get("pad", 0))
        h, w = ((side + 2 * pad - size) // int(o.get("stride", 1)) + 1 for side in x.shape[2:])
        return self.place_all([("biases", (n, h, w), True), ("weights", (h * w, n, x.shape[1] * size ** 2), True)])

    def place(self, kind, o, x):
        if kind in PLUGINS:
            return self.place_all([(name, shape, True) for name, shape in PLUGINS[kind][1](x.shape[1], o)])
        if kind == "local":
            return self.place_local(o, x)
        if kind not in ("convolutional", "connected"):
            return {}
        n = int(o.get("filters" if kind == "convolutional" else "output", 1))
        size = int(o.get("size", 1))
        weights = (n, x.shape[1] // int(o.get("groups", 1)), size, size) if kind == "convolutional" else (n, x[0].numel())
        normalised = [("scales", (n,), True), ("mean", (n,), False), ("variance", (n,), False)] if int(o.get("batch_normalize", 0)) else []
        order = [("biases", (n,), True)]
        order += normalised + [("weights", weights, True)] if kind == "convolutional" else [("weights", weights, True)] + normalised
        return self.place_all(order)

    def place_all(self, order):
        placed = {}
        for name, shape, learned in order:
            placed[name] = len(self.tensors)
            self.tensors.append((name, self.size, shape, learned))
            self.size += math.prod(shape)
        return placed

    def apply(self, i, x, earlier, values):
        kind, o, tensors = self.layers[i]
        tensor = {name: self.tied(i, name, values[k]) for name, k in tensors.items()}
        rotations = int(o.get("rotations", 1)) == 4 and kind == "convolutional"
        if kind in ("convolutional", "connected"):
            if kind == "convolutional":
                size = int(o.get("size", 1))
                dilation = int(o.get("dilation", 1)) if size > 1 else 1
                pad = (size // 2 if int(o.get("pad", 0)) else int(o.get("padding", 0))) * dilation
                x = F.conv2d(x, tensor["weights"], stride=int(o.get("stride", 1)), padding=pad, dilation=dilation, groups=int(o.get("groups", 1)))
            else:
                x = (x.reshape(len(x), -1) @ tensor["weights"].T).reshape(len(x), -1, 1, 1)
            if "mean" in tensor and rotations:      # a filter's turns are normalised together
                shape = x.shape
                x = normalise(x.reshape(len(x), -1, 4 * shape[2], shape[3]), tensor["scales"][::4]).reshape(shape)
            elif "mean" in tensor:
                x = normalise(x, tensor["scales"])
            return self.activate(i, o.get("activation", "logistic"), x + tensor["biases"].view(1, -1, 1, 1))
        if kind == "maxpool":
            size, stride = int(o.get("size", o.get("stride", 1))), int(o.get("stride", 1))
            padding = int(o.get("padding", size - 1))
            if self.kinks is not None:
                self.watch_pool(i, *self.inputs.get(i - 1, ("linear", x)), size, stride, padding)
            return F.max_pool2d(pad_for_pool(x, size, stride, padding), size, stride)
        if kind == "avgpool":
            return x.mean((2, 3), keepdim=True)
        if kind == "activation":
            return self.activate(i, o.get("activation", "linear"), x)
        if kind == "shortcut":
            x = shortcut(x, earlier[self.earlier(i, o["from"])], float(o.get("alpha", 1)), float(o.get("beta", 1)))
            return self.activate(i, o.get("activation", "linear"), x)
        if kind == "route":
            return torch.cat([earlier[self.earlier(i, k)] for k in o["layers"].split(",")], 1)
        if kind == "scale_channels":
            return x * earlier[self.earlier(i, o["from"])]
        if kind == "crop":
            return crop(x, int(o["crop_height"]), int(o["crop_width"]), not int(o.get("noadjust", 0)))
        if kind == "local":
            columns = F.unfold(x, int(o.get("size", 1)), padding=int(o.get("pad", 0)), stride=int(o.get("stride", 1)))
            x = torch.einsum("pok,bkp->bop", tensor["weights"], columns).reshape(-1, *tensor["biases"].shape) + tensor["biases"]
            return self.activate(i, o.get("activation", "logistic"), x)
        if kind == "upsample":
            return float(o.get("scale", 1)) * F.interpolate(x, scale_factor=int(o.get("stride", 2)), mode="nearest")
        if kind == "reorg":
            return reorg(x, *(int(o.get(key, default)) for key, default in (("stride", 1), ("reverse", 0), ("flatten", 0), ("extra", 0))))
        if kind in PLUGINS:
            if self.kinks is not None and kind == "prelu":
                self.kinks.append((i, float(x.detach().abs().min() / x.detach().std())))
            return PLUGINS[kind][0](x, tensor)
        if kind in PAIRING:
            return PAIRING[kind](x, *self.pairs)
        if kind == "cost":
            return x
        if kind == "softmax":
            self.temperature = float(o.get("temperature", 1))
            return x.reshape(len(x), -1, 1, 1)
        raise ValueError("[%s] has no reference" % kind)

    def activate(self, i, name, x):
        if self.kinks is not None:
            if name not in FALLING:
                self.inputs[i] = (name, x.detach())
            if name in ("relu", "leaky") and self.layers[i + 1][0] != "maxpool":
                self.kinks.append((i, float(x.detach().abs().min() / x.detach().std())))
        return activate(name, x)

    def watch_pool(self, i, name, x, size, stride, padding):
        """x: before the activation. Only a window's largest pixel meets the activation's kink; below a ReLU's, none of them counts."""
        padded = pad_for_pool(x.detach(), size, stride, padding)
        top = padded.unfold(2, size, stride).unfold(3, size, stride).flatten(4).topk(min(2, size * size)).values
        apart = (top[..., 0] - top[..., -1])[(top[..., 0] > 0) | torch.tensor(name != "relu")]
        found = [apart.min()] if size > 1 and len(apart) else []
        if name in ("relu", "leaky"):
            found.append(top[..., 0].abs().min())
        self.kinks += [(i, float(distance / x.detach().std())) for distance in found]

    def watch_kinks(self):
        """From now on collects each layer's distances from a kink, in units of its deviation: of a pre-activation from 0, and of the two
        largest pixels of a pooling window from each other."""
        self.kinks, self.inputs = [], {}

    @staticmethod
    def earlier(i, text):
        return int(text) if int(text) >= 0 else i + int(text)

    def loss(self, values, images, labels):
        """Mean cross-entropy."""
        return F.cross_entropy(self.forward(values, images).flatten(1) / self.temperature, labels)

    def forward(self, values, images):
        x, outputs = images, []
        for i in range(len(self.layers)):
            x = self.apply(i, x, outputs, values)
            outputs.append(x)
        return x

    def features(self, values, images):
        """What the last layer before the softmax is given."""
        x, outputs = images, []
        for i in range(len(self.layers) - 2):
            x = self.apply(i, x, outputs, values)
            outputs.append(x)
        return x

    def pairing_loss(self, values, support, query, ways):
        """Of the scores of all pairs: cross-entropy of their softmax, or with [cost] the mean squared error, 1 for the right class, 0 for
        the others."""
        self.pairs = support[1], ways
        scores = self.forward(values, torch.cat([support[0], query[0]])).reshape(-1, ways)
        if self.layers[-1][0] == "softmax":
            return F.cross_entropy(scores / self.temperature, query[1])
        return F.mse_loss(scores, F.one_hot(query[1], ways).to(scores.dtype))

    def read_weights(self, path):
        with open(path, "rb") as file:
            data = file.read()
        assert struct.unpack("<iii", data[:12]) == (0, 2, 0) and len(data) == 20 + 4 * self.size, path
        return self.split(torch.from_numpy(np.frombuffer(data[20:], "<f4").astype(np.float64)))

    def split(self, numbers):
        return [numbers[at:at + math.prod(shape)].reshape(shape) for _, at, shape, _ in self.tensors]

    def pack(self, values):
        """One vector in .weights order; what is not learned is 0."""
        out = np.zeros(self.size)
        for (_, at, shape, learned), value in zip(self.tensors, values):
            if learned:
                out[at:at + math.prod(shape)] = value.detach().reshape(-1).numpy()
        return out


# ---- the method ----------------------------------------------------------------------------------------------------------------

class Method:
    def __init__(self, sections, iteration=None):
        net = sections[0][1]
        inner = dict(next((o for kind, o in sections if kind in ("inner_loop", "momentum")), {}))
        heavy = any(kind == "momentum" for kind, _ in sections)
        self.momentum, self.decay = float(inner.get("momentum", .9)) if heavy else 0, float(inner.get("decay", 0))
        self.only = inner.get("only")
        loss = dict(next((o for kind, o in sections if kind == "meta_loss"), {}))
        self.steps, self.gamma = int(inner["steps"]), float(inner["learning_rate"])
        self.order = int(inner.get("order", 2))
        self.head = inner.get("adapt", "all") == "head"
        self.imprinted = inner.get("head", "learned") == "imprinted"
        self.rates = inner.get("rates", "fixed")
        self.multi_step = int(inner.get("multi_step", 0))
        self.ways = int(dict(next((o for kind, o in sections if kind == "episode"), {})).get("ways", 2))
        self.pairing = any(kind in PAIRING for kind, _ in sections)
        assert not self.pairing or not self.steps
        self.eta, self.epsilon = float(loss.get("eta", 5)), float(loss.get("epsilon", 1e-6))
        iteration = int(net["max_batches"]) if iteration is None else iteration
        self.iteration = iteration
        self.difficulty = loss.get("type", "difficulty") == "difficulty" and iteration >= int(loss.get("start", 0))

    def value(self, loss):
        if not self.difficulty:
            return loss
        return -loss ** self.eta * torch.log(torch.clamp(1 - loss, min=self.epsilon))

    def weight(self, loss):
        loss = loss.detach().requires_grad_()
        return torch.autograd.grad(self.value(loss), loss)[0]

    def moved(self, network):
        """The tensors that the inner steps move."""
        layers = [(kind, tensors) for kind, _, tensors in network.layers if tensors][-1 if self.head else 0:]
        layers = [(kind, tensors) for kind, tensors in layers if self.only in (None, kind)]
        return sorted(k for kind, tensors in layers for name, k in tensors.items() if network.tensors[k][3] and name not in HELD.get(kind, ()))

    def read_rates(self, network, path):
        """What a step multiplies each moved tensor's gradient by: a list of tensors, empty when learning_rate is all. rates=layer: (steps,
        layers that move); rates=parameter: a vector, in the order of a .weights file."""
        if self.rates == "fixed":
            return []
        with open(path) as file:
            lines = file.read().split("\n")
        assert lines[0] == "darknet meta rates 1" and lines[-2:] == ["end", ""], path
        numbers = torch.from_numpy(np.array(lines[2:-2], "<f4").astype(np.float64))
        return [numbers.reshape(self.steps, -1) if self.rates == "layer" else numbers]

    def rate(self, network, moved, rates, s):
        """The rate of each moved tensor at step s."""
        if not rates:
            return [self.gamma] * len(moved)
        if self.rates == "parameter":
            sizes = [math.prod(network.tensors[k][2]) for k in moved]
            return [part.reshape(network.tensors[k][2]) for k, part in zip(moved, rates[0].split(sizes))]
        layers = [sorted(tensors.values()) for _, _, tensors in network.layers if tensors][-1 if self.head else 0:]
        return [rates[0][s, next(i for i, layer in enumerate(layers) if k in layer)] for k in moved]

    def shares(self):
        """What the query loss after each step counts: equally much at first, the last alone from iteration multi_step + 1 on."""
        done = min(1, max(0, self.iteration - 1) / self.multi_step) if self.multi_step else 1
        early = [(1 - done) / self.steps] * (self.steps - 1) if self.steps else []
        return early + [1 - sum(early)]

    def query_loss(self, network, path, query):
        """(the mean over the steps, the last one)"""
        shares = self.shares()
        losses = [network.loss(phi, *query) if share else 0 for share, phi in zip(shares, path[-len(shares):])]
        return sum(share * loss for share, loss in zip(shares, losses)), losses[-1]

    def imprint(self, network, phi, support):
        """phi with the last layer made of the mean features c of each class: 2c, and the bias -|c|^2 (Proto-MAML)"""
        features = network.features(phi, support[0]).flatten(1)
        means = torch.stack([features[support[1] == k].mean(0) for k in range(self.ways)])
        last, phi = network.layers[-2][2], [value * 1 for value in phi]      # a step's gradient does not see what the means are made of
        phi[last["weights"]], phi[last["biases"]] = 2 * means, -(means ** 2).sum(1)
        return phi

    def adapt(self, network, phi, support, create_graph, rates=()):
        """(phi after each step, from phi_0 on; the support loss before each)"""
        moved = self.moved(network)
        phi = self.imprint(network, phi, support) if self.imprinted else phi
        losses, path, memory = [], [phi], {}
        for s in range(self.steps):
            loss = network.loss(phi, *support)
            gradients = torch.autograd.grad(loss, [phi[k] for k in moved], create_graph=create_graph)
            phi = list(phi)
            for k, g, rate in zip(moved, gradients, self.rate(network, moved, rates, s)):
                memory[k] = self.momentum * memory.get(k, 0) + g
                phi[k] = phi[k] - rate * (memory[k] + self.decay * phi[k])
            path.append(phi)
            losses.append(loss.item())
        return path, losses

    def run(self, network, values, support, query):
        """(gradient in .weights order, the figures that `darknet meta grad` prints)"""
        return self.differentiate(network, values, support, query)[:2]

    def differentiate(self, network, values, support, query, rates=()):
        """(gradient in .weights order, the figures that `darknet meta grad` prints, the gradient by the rates)"""
        learned = [k for k, tensor in enumerate(network.tensors) if tensor[3]]
        phi = [value.detach().clone().requires_grad_(tensor[3]) for value, tensor in zip(values, network.tensors)]
        rates = [value.detach().clone().requires_grad_() for value in rates]
        path, losses = self.adapt(network, phi, support, self.order == 2, rates)     # without order 2, the steps' gradients are constants
        if self.pairing:
            loss = last = network.pairing_loss(phi, support, query, self.ways)
        else:
            loss, last = self.query_loss(network, path, query)
        meta = self.value(loss)
        if self.order == 0:                      # Reptile
            found = [self.weight(loss) * (phi[k] - path[-1][k]) / self.gamma for k in learned]
        else:
            found = torch.autograd.grad(meta, [phi[k] for k in learned] + rates, allow_unused=self.imprinted)
            found = [torch.zeros_like(phi[k]) if g is None else g for k, g in zip(learned, found)] + list(found[len(learned):])
        gradients = dict(zip(learned, found))
        by_rates = torch.cat([g.reshape(-1) for g in found[len(learned):]] or [torch.zeros(0)]).numpy()
        packed = network.pack(network.tie([gradients.get(k, torch.zeros(0)) for k in range(len(phi))]))
        return packed, {"support_loss": losses, "query_loss": last.item(), "meta_loss": meta.item(), "weight": self.weight(loss).item()}, by_rates

    def meta_loss(self, network, values, support, query, rates=()):
        phi = [value.detach().requires_grad_(tensor[3]) for value, tensor in zip(values, network.tensors)]
        assert not self.pairing
        return self.value(self.query_loss(network, self.adapt(network, phi, support, False, rates)[0], query)[0]).item()


def check(method, network, values, support, query, gradient, directions, rates=(), by_rates=()):
    """Largest relative difference between the gradient and central differences of the meta-loss along random directions of length 1.
    Of order 2 alone: the first-order gradient is no gradient of anything. A kink between the two points spoils a difference, and the
    smaller the step the fewer do: the best of a few steps counts."""
    generator, worst = torch.Generator().manual_seed(0), 0.
    for _ in range(directions):
        v = [torch.randn(shape, generator=generator) * learned for _, _, shape, learned in network.tensors]
        length = np.linalg.norm(network.pack(v))
        v = [a / length for a in v]
        w = [torch.randn(rate.shape, generator=generator) / math.sqrt(rate.numel()) for rate in rates]
        exact, best = float(gradient @ network.pack(v)), math.inf
        exact += sum(float(by_rates @ b.reshape(-1).numpy()) for b in w)
        for h in (1e-5, 1e-6, 1e-7):
            sides = [method.meta_loss(network, [a + sign * h * b for a, b in zip(values, v)], support, query,
                                      [a + sign * h * b for a, b in zip(rates, w)]) for sign in (1, -1)]
            best = min(best, abs((sides[0] - sides[1]) / (2 * h) - exact) / abs(exact))
            if best < 1e-7:
                break
        worst = max(worst, best)
    return worst


def reference(cfg, weights, episode, iteration=None):
    sections = read_cfg(cfg)
    network, method = Network(sections), Method(sections, iteration)
    sets = read_episode(episode)
    task = [load_images(sets[name], network.input) for name in ("support", "query")]
    values = network.read_weights(weights)
    rates = method.read_rates(network, weights.removesuffix(".weights") + ".rates")
    gradient, figures, by_rates = method.differentiate(network, values, *task, rates)
    return network, method, values, task, gradient, figures, rates, by_rates


def main():
    parser = argparse.ArgumentParser(description="The meta-gradient of one task in float64 PyTorch.")
    for name in ("cfg", "weights", "episode"):
        parser.add_argument(name)
    parser.add_argument("-out", required=True)
    parser.add_argument("-iteration", type=int)
    parser.add_argument("-float32", action="store_true", help="write 4-byte numbers")
    parser.add_argument("-check", type=int, default=0, metavar="DIRECTIONS")
    options = parser.parse_args()
    network, method, values, task, gradient, figures, rates, by_rates = reference(options.cfg, options.weights, options.episode, options.iteration)
    gradient.astype("<f4" if options.float32 else "<f8").tofile(options.out)
    if len(by_rates):
        figures["rates"] = by_rates.tolist()
    print(json.dumps(figures))
    if options.check:
        print("differences: %.1e" % check(method, network, values, *task, gradient, options.check, rates, by_rates), file=sys.stderr)


if __name__ == "__main__":
    main()
