"""What scripts/darknet_meta.py must do (tests/cli/python_module.sh): python_module.py FOLDER

FOLDER has toy.cfg and toy.weights of a 12x12 colour network of two classes, images as PPM files, few.cfg and few.weights that `darknet meta
adapt` made of six of them, and predicted.csv of `darknet meta predict` and evaluated.json of `darknet
meta evaluate` for the others. Prints "ok - " or "not ok - " for each thing.
"""
import csv
import ctypes
import gc
import json
import math
import os
import sys
import threading

import numpy as np

import darknet_meta

failures = 0
names = [f"i{k}_{i}.ppm" for k in (6, 7) for i in range(3)]
asked = [f"i{k}_{i}.ppm" for k in (6, 7) for i in (3, 4)]
labels = [0, 0, 0, 1, 1, 1]


def say(holds, what):
    global failures
    print(("ok - " if holds else "not ok - ") + what)
    failures += not holds


def refuses(line, call, *arguments, **named):
    """Says whether the call raises Error with that line."""
    try:
        call(*arguments, **named)
        said = "nothing"
    except darknet_meta.Error as error:
        said = str(error)
    say(said == line, "error: " + line)
    if said != line:
        print("    | " + said)


def read(name):
    """A binary PPM of 8 bits as (height, width, 3)."""
    with open(name, "rb") as file:
        data = file.read()
    _, width, height, _ = data.split(maxsplit=4)[:4]
    return np.frombuffer(data, np.uint8, offset=len(data) - 3 * int(width) * int(height)).reshape(int(height), int(width), 3)


def bytes_of(name):
    with open(name, "rb") as file:
        return file.read()


def refuses_all(kind, call, *arguments):
    """Says whether what would be such an exception is an Error, in a line of NumPy's or Python's own."""
    try:
        call(*arguments)
        say(False, f"{kind.__name__} is an error")
    except darknet_meta.Error as error:
        say("\n" not in str(error), f"{kind.__name__} is an error: {str(error).encode('ascii', 'replace').decode()[:60]}")


def planes(count, seed=3):
    """Floats of the network's size whose channels are planes already, seen as (height, width, 3)."""
    return [plane.transpose(1, 2, 0) for plane in np.random.default_rng(seed).random((count, 3, 12, 12), np.float32)]


def walk_through(model):
    classifier = model.adapt([read(name) for name in names], labels)
    classifier.save("py")
    say(bytes_of("py.weights") == bytes_of("few.weights"), "adapt and save write the bytes of `meta adapt`")
    text = [line for line in bytes_of("few.cfg").splitlines() if not line.startswith(b"#")]
    notes = [line for line in bytes_of("few.cfg").splitlines() if line.startswith(b"# weights ")]
    first, note, *own = bytes_of("py.cfg").splitlines()
    say(text == own and [note] == notes and first == b"# toy.cfg, adapted to images by libdarknet-meta", "save writes the .cfg of `meta adapt`, with a comment of its own")
    classifier.save("py")
    say(text == bytes_of("py.cfg").splitlines()[2:], "save writes over what it has saved")
    with open("predicted.csv", newline="") as file:
        rows = list(csv.reader(file))[1:]
    opened = darknet_meta.open("py.cfg", "py.weights")
    same = [[float(x) for x in row[4:]] == list(opened.log_odds([read(row[0])])[0]) for row in rows]
    say(len(same) == 4 and all(same), "log-odds have the bits of those that `meta predict` prints")
    p = classifier.predict([read(name) for name in asked])
    say(p.shape == (4, 2) and p.dtype == np.float32 and np.allclose(p.sum(axis=1), 1, atol=1e-6), "predict gives rows of probabilities")
    say(np.allclose(p, [[float(x) for x in row[2:4]] for row in rows], atol=1e-5), "predict gives the probabilities of `meta predict`")
    say(np.allclose(1 / (1 + np.exp(-classifier.log_odds([read(name) for name in asked]))), p, atol=1e-6), "log_odds are of the probabilities")
    many = planes(20)
    alone = np.concatenate([classifier.log_odds([image]) for image in many])
    say(np.abs(classifier.log_odds(many) - alone).max() < 5e-6, "an image's answer is that of it alone, but for rounding")
    with open("evaluated.json") as file:
        evaluated = json.load(file)
    of_python = darknet_meta.evaluate(p, [0, 0, 1, 1])
    for name, value in ("brier", of_python.brier), ("nll", of_python.log_loss), ("accuracy", of_python.accuracy):
        say(math.isclose(value, evaluated[name]["value"], rel_tol=1e-4), f"evaluate has the {name} of `meta evaluate`")
    before, after = classifier.losses
    say(0 < after < before and all(map(math.isnan, opened.losses)), "losses are before and after adaptation")
    say(classifier.classes == 2 and (model.width, model.height, model.channels, model.most_classes) == (12, 12, 3, 2), "sizes are the network's")
    again = model.adapt([read(name) for name in names], np.array(labels, np.uint8), steps=3, classes=2)
    say(np.array_equal(again.predict(planes(2)), classifier.predict(planes(2))), "labels of any whole type, and steps and classes, are taken")


def features(model):
    images = [read(name) for name in asked]
    f = model.features(images)
    say(f.shape == (4, 144) and f.dtype == np.float32 and model.feature_size() == 144 and model.feature_size(0) == 576, "features have the size of their layer")
    from_file = np.load("features.npy")
    say(from_file.shape == f.shape and np.allclose(from_file, f, atol=1e-5), "features are those that `meta features` writes, and NumPy reads")
    c = model.adapt(planes(2), [0, 1], steps=0)
    say(np.array_equal(c.features(images, statistics="running"), f) and not np.array_equal(c.features(images), f), "a classifier that took no steps has the model's features by running statistics")
    say(not np.allclose(model.features(images, statistics="batch"), f), "the batch's statistics give other features")
    logits = model.features(images, 3)
    d = c.log_odds(images, "running")
    say(np.allclose(logits[:, 0] - logits[:, 1], d[:, 0], atol=1e-5), "the last layer's features are the logits")


def arrays(model):
    c = model.adapt(planes(4), [0, 1, 0, 1])
    image = read(asked[0])
    say(darknet_meta._one_image(0, image)[1] is image or np.shares_memory(darknet_meta._one_image(0, image)[1], image), "contiguous bytes are not copied")
    floats = planes(1)[0]
    say(np.shares_memory(darknet_meta._one_image(0, floats)[1], floats), "floats in planes are not copied")
    square = np.ascontiguousarray(image[:12, :12])
    say(np.array_equal(c.predict([square]), c.predict([square / np.float32(255)])), "bytes and floats of one image get one answer")
    say(np.array_equal(c.predict([square]), c.predict([np.asfortranarray(square)])) and np.array_equal(c.predict([square]), c.predict([square[:, :, ::-1][:, :, ::-1]])), "strided arrays are read as contiguous ones are")
    say(np.allclose(c.predict([square / 255.0]), c.predict([square])), "float64 is taken")
    say(not np.array_equal(c.predict([square]), c.predict([square[:, :, ::-1]])), "the order of the channels counts")
    many = np.stack(planes(5))
    say(np.array_equal(c.predict(many), c.predict(list(many))), "one array of images is a sequence of them")


def errors(model, classifier):
    image, good = planes(1)[0], planes(4)
    refuses("none.cfg: No such file or directory", darknet_meta.load, "none.cfg", "toy.weights")
    refuses("none.weights: No such file or directory", darknet_meta.load, "toy.cfg", "none.weights")
    refuses("the name of the .cfg is empty", darknet_meta.load, "", "toy.weights")
    refuses("'a\\x00b': a path must have no zero byte", darknet_meta.load, "a\0b", "toy.weights")
    refuses("a path: expected str, bytes or os.PathLike object, not int", darknet_meta.load, 7, "toy.weights")
    refuses(open_line, darknet_meta.open, "toy.cfg", "toy.weights")
    refuses("the name of the files is empty", classifier.save, "")
    for end in ".data", ".names", ".onnx":
        open("py" + end, "w").close()
        refuses(f"py: would leave py{end}, which is of another classifier: must be another name", classifier.save, "py")
        os.unlink("py" + end)
    refuses("toy: would overwrite toy.cfg, which is not of an adapted network: must be another name", classifier.save, "toy")
    os.mkfifo("pipe.cfg")
    refuses("pipe: would overwrite pipe.cfg, which is not of an adapted network: must be another name", classifier.save, "pipe")
    refuses("x: can't hold a batch's statistics: must be DARKNET_META_SUPPORT or DARKNET_META_RUNNING", classifier.save, "x", "batch")
    refuses("0 images: must be at least one of each class", model.adapt, [], [])
    refuses("labels: have the shape (3,): must be one for each of 4 images", model.adapt, good, [0, 1, 0])
    refuses("labels: are float64: must be whole numbers", model.adapt, good, [0, 1.5, 0, 1])
    refuses("1 images of 2 classes: must be at least one of each", model.adapt, good[:1], [1])
    refuses("1 classes: must be 2, which the network tells apart", model.adapt, good, [0, 0, 0, 0])
    refuses("3 classes: must be 2, which the network tells apart", model.adapt, good, [0, 1, 2, 0])
    refuses("images 1 and 3 are the same, of classes 1 and 0: must be of one", model.adapt, [good[0], good[1], good[2], good[1]], [0, 1, 0, 0])
    for name in (".", "x/.."):
        refuses("%s: is a folder: must be the name of the files in it" % name, classifier.save, name)
    refuses("label -1 of image 3: must be 0 to 1", model.adapt, good, [0, 1, 0, -1])
    refuses("class 0 has no image: must have at least one", model.adapt, good, [1, 1, 1, 1])
    refuses("-1 steps: must be at least 0", model.adapt, good, [0, 1, 0, 1], -1)
    refuses("1001 steps: must be at most 1000", model.adapt, good, [0, 1, 0, 1], 1001)
    refuses("steps 1.5: must be a whole number of 32 bits", model.adapt, good, [0, 1, 0, 1], 1.5)
    refuses("steps array([1, 2]): must be a whole number of 32 bits", model.adapt, good, [0, 1, 0, 1], np.array([1, 2]))
    refuses("steps array([[1, 2], [3, 4]]): must be a whole number of 32 bits", model.adapt, good, [0, 1, 0, 1], np.array([[1, 2], [3, 4]]))
    refuses("statistics ['support']: must be 'support', 'running' or 'batch'", classifier.predict, good, ["support"])
    refuses("statistics array(['a', 'b'], dtype='<U1'): must be 'support', 'running' or 'batch'", classifier.save, "x", np.array(["a", "b"]))
    refuses_all(ValueError, classifier.predict, [[[1, 2], [3]]])
    refuses_all(ValueError, darknet_meta.load, "\ud800", "x")
    refuses("0 images: must be at least 1", classifier.predict, [])
    refuses("1 images: must be at least 2, which are normalised together", classifier.predict, [image], "batch")
    refuses("statistics 'none': must be 'support', 'running' or 'batch'", classifier.predict, [image], "none")
    refuses("image 0: 11x12 floats: must be the network's 12x12", classifier.predict, [image[:, :11]])
    refuses("image 0: 1 channels: must be the network's 3", classifier.predict, [image[:, :, 0]])
    refuses("image 1: has the value nan: must be 0 to 1", classifier.predict, [image, image * np.float32("nan")])
    refuses("image 0: has the value 255: must be 0 to 1", classifier.predict, [np.full((12, 12, 3), 255.0)])
    refuses("image 0: 0x12 pixels: must have 1 to 100000000", classifier.predict, [np.zeros((12, 0, 3), np.uint8)])
    refuses("image 0: is int64 (12, 12, 3): must be uint8, float32 or float64 of (height, width, channels)", classifier.predict, [np.zeros((12, 12, 3), np.int64)])
    refuses("images: must be a sequence of arrays, or one array (images, height, width, channels)", classifier.predict, image[:, :, 0])
    refuses("layer 4: must be 0 to 3, the layers before [softmax]", model.features, [image], 4)
    refuses("layer -2: must be 0 to 3, the layers before [softmax]", model.feature_size, -2)
    refuses("a model that is not adapted has no support images: must be DARKNET_META_RUNNING or DARKNET_META_BATCH", model.features, [image], 0, "support")
    refuses("2 scores labelled 1 and 0 labelled 0: must be at least one of each, which they tell apart", darknet_meta.auc, [1, 2], [1, 1])
    refuses("groups: have the shape (1,): must be one for each of 2 images", darknet_meta.auc, [1, 2], [0, 1], [1])
    refuses("score 1 is not a number", darknet_meta.auc, [1, float("nan")], [0, 1])
    refuses("labels: 0 to 2: must be 0 to 1", darknet_meta.evaluate, [[.5, .5], [.1, .9]], [0, 2])
    refuses("probabilities: that of image 1 is not a number", darknet_meta.evaluate, [[.5, .5], [.1, float("nan")]], [0, 1])
    closed = model.adapt(good, [0, 1, 0, 1])
    closed.close()
    closed.close()
    refuses("is closed: must not be used any more", closed.predict, [image])


open_line = ("toy.cfg:18: [episode]: the network learns its 2 classes from images of each task, its outputs are none yet: must be adapted by "
             "darknet_meta_adapt, which may take 0 steps")


def lifetimes():
    with darknet_meta.load("toy.cfg", "toy.weights") as model:
        classifier = model.adapt(planes(2), [0, 1])
    want = classifier.predict(planes(3))
    refuses("is closed: must not be used any more", model.adapt, planes(2), [0, 1])
    del model
    gc.collect()
    say(np.array_equal(classifier.predict(planes(3)), want), "a classifier outlives its model")
    alive = classifier._handle._free
    del classifier
    gc.collect()
    say(not alive.alive, "what nothing refers to any more is freed")


def threads(model):
    want = model.adapt(planes(4), [0, 1, 0, 1]).predict(planes(6))
    differ = []

    def work():
        for _ in range(10):
            with model.adapt(planes(4), [0, 1, 0, 1]) as c:
                differ.append(not np.array_equal(c.predict(planes(6)), want))
    all_threads = [threading.Thread(target=work) for _ in range(4)]
    for t in all_threads:
        t.start()
    for t in all_threads:
        t.join()
    say(len(differ) == 40 and not any(differ), "four threads share a model, and get the bits of one")
    say(type(darknet_meta._lib()) is ctypes.CDLL, "calls let other threads run: ctypes.CDLL gives the lock of Python away")
    c = model.adapt(planes(4), [0, 1, 0, 1])
    with c._handle:                                    # as a call of another thread
        c.close()
        say(c._handle._free.alive, "close waits for a call that is under way")
    say(not c._handle._free.alive, "and frees when that has ended")


def evaluation():
    p = np.array([[.8, .1, .1], [.3, .6, .1], [.2, .5, .3], [.4, .4, .2], [.1, .2, .7], [.6, .1, .3]])
    e = darknet_meta.evaluate(p, [0, 0, 1, 1, 2, 2])
    # By hand: against the rest classes 0 and 1 win 6 of 8 comparisons, class 2, with a tie, 7.5
    say(np.allclose(e.auc_of_class[:, 0], [6 / 8, 6 / 8, 7.5 / 8]) and math.isclose(e.auc, 19.5 / 24), "AUCs against the rest are those counted by hand")
    one, together = darknet_meta.auc(np.arange(40) % 17, np.arange(40) % 2), darknet_meta.auc(np.arange(40) % 17, np.arange(40) % 2, np.arange(40) // 4)
    say(one[0] == together[0] and one[1] < one[0] < one[2] and together[1] < together[0] < together[2] and one[1:] != together[1:], "an AUC has an interval, and over groups another one")
    say(np.allclose(e.auc_of_pair[0], [float("nan"), pair_01, pair_02], equal_nan=True), "AUCs of pairs are those counted by hand")
    say(np.array_equal(e.confusion, [[1, 1, 0], [1, 1, 0], [1, 0, 1]]) and e.accuracy == .5 and np.allclose(e.recall, .5) and e.balanced_accuracy == .5, "of equal probabilities the first class is told")
    alone = darknet_meta.evaluate(p[:2], [0, 0])
    say(math.isnan(alone.auc) and math.isnan(alone.balanced_accuracy) and alone.accuracy == .5, "images of one class alone have no AUC and no balanced accuracy")
    say(math.isclose(e.log_loss, -np.log([.8, .3, .5, .4, .7, .3]).mean()) and math.isclose(e.brier, ((p - np.eye(3)[[0, 0, 1, 1, 2, 2]]) ** 2).sum() / 6), "log loss and Brier score are their definitions")
    say(math.isclose(darknet_meta.evaluate([[.9, .1], [.2, .8], [.3, .7]], [0, 1, 0]).brier, (.1 ** 2 + .2 ** 2 + .7 ** 2) / 3), "of two classes the Brier score is of the second's probability")
    say(math.isclose(darknet_meta.evaluate([[.9, .1], [.2, .8], [.3, .7]], [0, 1, 0]).auc, 1.0) and math.isnan(darknet_meta.evaluate([[3, -3], [-1, 1.]], [0, 1]).log_loss), "two classes have the AUC of the second; log-odds have no log loss")


# Classes 0 and 1: scores of 0 are .8, .3 against .2, .4: 3 of 4; of 1 .5, .4 against .1, .6: 2 of 4. Classes 0 and 2: of 0 .8, .3
# against .1, .6: 3 of 4; of 2 .7, .3 against .1, .1: 4 of 4
pair_01, pair_02 = (3 / 4 + 2 / 4) / 2, (3 / 4 + 4 / 4) / 2


def main():
    os.chdir(sys.argv[1])
    model = darknet_meta.load("toy.cfg", "toy.weights")
    say(darknet_meta.version() == sys.argv[2], "version is the header's: " + darknet_meta.version())
    walk_through(model)
    features(model)
    arrays(model)
    errors(model, model.adapt(planes(4), [0, 1, 0, 1]))
    lifetimes()
    threads(model)
    evaluation()
    return failures > 0


sys.exit(main())
