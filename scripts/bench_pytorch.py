#!/usr/bin/python3
"""How fast PyTorch does what `darknet meta bench` measures: the same .cfg's network, batch, steps and orders, in float32.

    bench_pytorch.py CFG [-threads N] [-batch N] [-seconds S] [-as FILE.json]

Prints one JSON document: the gradient of a batch on one thread and on N, and whole meta-iterations of order 1 and 2 with whichever of
both thread counts is faster. Each is timed in a fresh process, so that its peak memory is its own, with planar (NCHW) and with
channels-last tensors; the faster counts. -as takes these choices from an earlier run instead. First, in float64 on few images, its
meta-gradient is compared with that of scripts/reference/meta_gradient.py, which `darknet meta grad` is tested against.

Needs Debian's python3-torch, and no compiled extension: F.conv2d, F.batch_norm, F.max_pool2d and autograd (create_graph=True under order 2).
"""
import argparse
import json
import os
import subprocess
import sys
import time

LAYOUTS = ("planar", "channels_last")
LIMIT = 1e-3        # F.batch_norm can't add Darknet's 1e-6 to the deviation, and float64 shows it; a mistake is of the order of 1


# ---- the work: these processes alone load PyTorch, so that the one that starts them stays small -----------------------------------------

def load():
    """(meta_gradient.py, the class of networks to time)"""
    sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "reference"))
    import torch.nn.functional as F
    import meta_gradient

    class Network(meta_gradient.Network):
        """The reference's layers, on PyTorch's own fused operations where there are any."""

        def apply(self, i, x, earlier, values):
            kind, o, tensors = self.layers[i]
            tensor = {name: values[k] for name, k in tensors.items()}
            size = int(o.get("size", o.get("stride", 1)))
            bias = None if "scales" in tensor else tensor.get("biases")
            if kind == "maxpool" and int(o.get("padding", size - 1)) == 0:
                return F.max_pool2d(x, size, int(o.get("stride", 1)))
            if kind == "convolutional":
                pad = size // 2 if int(o.get("pad", 0)) else int(o.get("padding", 0))
                x = F.conv2d(x, tensor["weights"], bias, stride=int(o.get("stride", 1)), padding=pad)
            elif kind == "connected":
                x = F.linear(x.reshape(len(x), -1), tensor["weights"], bias).reshape(len(x), -1, 1, 1)
            else:
                return super().apply(i, x, earlier, values)
            if "scales" in tensor:
                n = x.numel() // x.shape[1]         # Darknet's variance is over n-1
                x = F.batch_norm(x, None, None, tensor["scales"] * ((n - 1) / n) ** .5, tensor["biases"], training=True, eps=1e-12)
            return self.activate(i, o.get("activation", "logistic"), x)

    return meta_gradient, Network


class Work:
    def __init__(self, options, dtype, layout):
        self.m, network = load()
        import torch
        self.torch, self.format = torch, torch.channels_last if layout == "channels_last" else torch.contiguous_format
        torch.set_default_dtype(dtype)
        torch.manual_seed(1)
        sections = self.m.read_cfg(options.cfg)
        episode = dict(next((o for kind, o in sections if kind == "episode"), {}))
        self.ways, self.shots, self.queries, self.tasks = (int(episode.get(k, v)) for k, v in
                                                           (("ways", 2), ("shots", 5), ("queries", 15), ("tasks", 4)))
        self.rate = float(sections[0][1].get("learning_rate", .001))
        self.reference, self.network, self.method = self.m.Network(sections), network(sections), self.m.Method(sections)
        self.learned = [k for k, tensor in enumerate(self.network.tensors) if tensor[3]]
        self.phi = [self.lay_out(self.draw(name, shape)).requires_grad_(learned) for name, _, shape, learned in self.network.tensors]

    def lay_out(self, x):
        return x.contiguous(memory_format=self.format) if x.dim() == 4 else x

    def draw(self, name, shape):
        """Darknet's initial weights."""
        if name == "weights":
            return self.torch.randn(shape) * (2 / self.torch.Size(shape[1:]).numel()) ** .5
        return self.torch.ones(shape) if name in ("scales", "variance") else self.torch.zeros(shape)

    def images(self, count):
        return self.lay_out(self.torch.rand((count,) + self.network.input)), self.torch.arange(count) % self.ways

    def gradient(self, batch):
        return self.torch.autograd.grad(self.network.loss(self.phi, *batch), [self.phi[k] for k in self.learned])

    def task(self, support, query, order):
        """The meta-gradient of one task."""
        theta = self.phi
        for _ in range(self.method.steps):
            loss = self.network.loss(theta, *support)
            gradients = self.torch.autograd.grad(loss, [theta[k] for k in self.learned], create_graph=order == 2)
            theta = list(theta)
            for k, g in zip(self.learned, gradients):
                theta[k] = theta[k] - self.method.gamma * g if order == 2 else (theta[k] - self.method.gamma * g).detach().requires_grad_()
        meta = self.method.value(self.network.loss(theta, *query))
        return self.torch.autograd.grad(meta, [(self.phi if order == 2 else theta)[k] for k in self.learned])

    def iteration(self, tasks, order, optimiser):
        sums = None
        for support, query in tasks:
            gradients = self.task(support, query, order)
            sums = [a + b for a, b in zip(sums, gradients)] if sums else gradients
        for k, g in zip(self.learned, sums):
            self.phi[k].grad = g / len(tasks)
        optimiser.step()


def median(x):
    x = sorted(x)
    return (x[(len(x) - 1) // 2] + x[len(x) // 2]) / 2


def repeat(work, seconds, least):
    """Wall and processor seconds of each run."""
    wall, processor = [], []
    while len(wall) < least or sum(wall) < seconds:
        begun, used = time.monotonic(), time.process_time()
        work()
        wall.append(time.monotonic() - begun)
        processor.append(time.process_time() - used)
    return wall, processor


def peak_memory():
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith("VmHWM"))


def measure(options):
    """In a process of its own: {"seconds": [...], ...}"""
    import torch
    torch.set_num_threads(options.threads)
    w = Work(options, torch.float32, options.layout)
    batch = options.batch or w.ways * (w.shots + w.queries)
    if options.child == "gradient":
        data, images = w.images(batch), batch
        w.gradient(data)
        wall, processor = repeat(lambda: w.gradient(data), options.seconds, options.least)
    else:
        order = int(options.child)
        tasks = [(w.images(w.ways * w.shots), w.images(w.ways * w.queries)) for _ in range(w.tasks)]
        batch, images = w.ways * (w.shots + w.queries), w.ways * (w.shots + w.queries) * w.tasks
        # at rate 0 the optimiser does all its work and changes nothing: every run is the same
        optimiser = torch.optim.Adam([w.phi[k] for k in w.learned], lr=0.)
        w.task(*tasks[0], order)
        wall, processor = repeat(lambda: w.iteration(tasks, order, optimiser), options.seconds, options.least)
    return {"seconds": wall, "processor": processor, "batch": batch, "images": images, "process_bytes": peak_memory(), "torch": torch.__version__}


def check(options):
    """Relative distances of the loss and of both orders' meta-gradients from the reference's."""
    import numpy as np
    import torch
    w = Work(options, torch.float64, "planar")
    support, query = w.images(2 * w.ways), w.images(3 * w.ways)
    with torch.no_grad():
        ours, theirs = (n.loss(w.phi, *query).item() for n in (w.network, w.reference))
    found = {"loss": abs(ours - theirs) / theirs}
    for order in (1, 2):
        w.method.order = order
        wanted, _ = w.method.run(w.reference, w.phi, support, query)
        packed = dict(zip(w.learned, w.task(support, query, order)))
        got = w.network.pack([packed.get(k, torch.zeros(0)) for k in range(len(w.phi))])
        found["order %d" % order] = float(np.linalg.norm(got - wanted) / np.linalg.norm(wanted))
    return found


# ---- the processes ---------------------------------------------------------------------------------------------------------------

def fail(text):
    print("bench_pytorch.py: " + text, file=sys.stderr)
    sys.exit(1)


def child(options, what, threads=1, layout="planar", seconds=0., least=1):
    command = [sys.executable, os.path.abspath(__file__), options.cfg, "-child", what, "-threads", str(threads), "-layout", layout,
               "-batch", str(options.batch), "-seconds", str(seconds), "-least", str(least)]
    done = subprocess.run(command, capture_output=True, text=True, env=dict(os.environ, OMP_NUM_THREADS=str(threads)))
    if done.returncode:
        fail("%s: %s" % (what, (done.stderr.strip().splitlines() or ["ended with status %d" % done.returncode])[-1]))
    return json.loads(done.stdout)


def spread(x):
    return {"median": median(x), "least": min(x), "most": max(x)}


def row(options, name, order, choices, earlier):
    """The fastest of (threads, layout), or what an earlier run chose."""
    what = str(order or name)
    for r in earlier:
        if (r["name"], r["order"]) == (name, order) and (r["threads"], r["layout"]) in choices:
            choices = [(r["threads"], r["layout"])]
    tried = {}
    if len(choices) > 1:
        for threads, layout in choices:
            tried[threads, layout] = median(child(options, what, threads, layout, 0, 1 if order else 3)["seconds"])
    threads, layout = min(tried, key=tried.get) if tried else choices[0]
    found = child(options, what, threads, layout, options.seconds, 3)
    return {"name": name, "order": order, "threads": threads, "layout": layout, "batch": found["batch"], "images": found["images"],
            "images_per_second": found["images"] / median(found["seconds"]), "seconds": spread(found["seconds"]),
            "processor_seconds": spread(found["processor"]), "process_bytes": found["process_bytes"],
            "tried": [{"threads": t, "layout": l, "seconds": s} for (t, l), s in tried.items()]}, found["torch"]


def main():
    cores = len(os.sched_getaffinity(0))
    parser = argparse.ArgumentParser(description="How fast PyTorch does what `darknet meta bench` measures; JSON on standard output.")
    parser.add_argument("cfg")
    parser.add_argument("-threads", type=int, default=cores, help="the most (the cores)")
    parser.add_argument("-batch", type=int, default=0, help="images of the gradient (those of a task)")
    parser.add_argument("-seconds", type=float, default=2., help="for which each thing is timed, at least three times (2)")
    parser.add_argument("-as", dest="earlier", metavar="FILE.json", help="an earlier result, whose choices of layout and threads hold")
    for hidden, kind in (("-child", str), ("-layout", str), ("-least", int)):
        parser.add_argument(hidden, type=kind, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.threads < 1 or options.batch < 0 or not options.seconds >= 0:
        fail("-threads must be at least 1, -batch and -seconds at least 0")
    if options.child:
        print(json.dumps(check(options) if options.child == "check" else measure(options)))
        return
    if not os.path.exists(options.cfg):
        fail(options.cfg + ": No such file or directory")
    earlier = json.load(open(options.earlier))["rows"] if options.earlier else []
    checked = child(options, "check")
    for what, error in checked.items():
        if not error <= LIMIT:
            fail("%s: apart from the reference's by %.1e, more than %.0e" % (what, error, LIMIT))
    counts = sorted({1, options.threads})
    wanted = [("gradient", None, [(n, layout) for layout in LAYOUTS]) for n in counts]
    wanted += [("meta-iteration", order, [(n, layout) for n in counts for layout in LAYOUTS]) for order in (1, 2)]
    rows = [row(options, name, order, choices, earlier) for name, order, choices in wanted]
    print(json.dumps({"program": "bench_pytorch.py", "format": 1, "cfg": options.cfg, "torch": rows[0][1], "threads": options.threads,
                      "seconds": options.seconds, "check": checked, "rows": [r for r, _ in rows]}, indent=1))


if __name__ == "__main__":
    main()
