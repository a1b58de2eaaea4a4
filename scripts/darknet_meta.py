"""Classifiers from a handful of images: a meta-trained network, adapted to labelled images in memory.

    import darknet_meta
    model = darknet_meta.load("daml-4conv.cfg", "daml-4conv_final.weights")
    classifier = model.adapt(images, [0, 0, 0, 1, 1, 1])        # six arrays (height, width, 3)
    print(classifier.predict(others))                           # (images, classes), rows add up to 1

One file over libdarknet-meta.so by ctypes and NumPy. An image is an array (height, width, 3), red, green and blue, or, for a network of
one channel, (height, width) or (height, width, 1):

    uint8             0 to 255, of any size: shrunk until its shorter side fits, and its middle taken, as `darknet meta predict` does with a
                      file. OpenCV's imread gives blue, green, red: hand on image[:, :, ::-1]. Turn it upright as its EXIF data say
    float32, float64  0 to 1, of exactly the network's size

Several images are a sequence of such arrays, which may differ in size and kind, or one array (images, height, width, channels). Arrays are
read where they are if their rows are contiguous (uint8), or their channels are planes of float32; else they are copied. Nothing is kept.

Whatever fails raises darknet_meta.Error with the library's line. Calls let other threads run, and any number of threads may use one model
and its classifiers. Both are freed with their last reference, by close(), or at the end of a with block; a classifier outlives its model.

DARKNET_META_LIBRARY names the library where it lies in no folder above this file and is not found as libdarknet-meta.so.1;
DARKNET_PLUGIN_PATH names folders of more plugins. `man libdarknet-meta` says more about each call.
"""
from __future__ import annotations

import ctypes
import dataclasses
import os
import threading
import weakref
from typing import Optional, Sequence, Union

import numpy as np

__all__ = ["Classifier", "Error", "Evaluation", "LAST_LAYER", "Model", "auc", "evaluate", "load", "open", "version"]

Images = Union[np.ndarray, Sequence[np.ndarray]]

LAST_LAYER = -1     # the layer whose output the last [connected] reads
_STATISTICS = {"support": 0, "running": 1, "batch": 2}
_STEPS = -1         # as many as the .cfg's test_steps


class Error(Exception):
    """Something that the library, or this file, refuses or fails at: one line for a person."""

    def __init__(self, text: str):
        super().__init__(" ".join(line.strip() for line in text.splitlines()))


# ---- the library ----------------------------------------------------------------------------------

class _ErrorText(ctypes.Structure):
    _fields_ = [("text", ctypes.c_char * 480)]


class _Image(ctypes.Structure):
    _fields_ = [("kind", ctypes.c_int), ("width", ctypes.c_int), ("height", ctypes.c_int), ("channels", ctypes.c_int),
                ("pixels", ctypes.c_void_p)]


class _Support(ctypes.Structure):
    _fields_ = [("images", ctypes.POINTER(_Image)), ("labels", ctypes.c_void_p), ("count", ctypes.c_int), ("classes", ctypes.c_int)]


class _Layer(ctypes.Structure):
    _fields_ = [("number", ctypes.c_int), ("statistics", ctypes.c_int)]


class _Interval(ctypes.Structure):
    _fields_ = [("value", ctypes.c_double), ("low", ctypes.c_double), ("high", ctypes.c_double)]


def _declare(library: ctypes.CDLL) -> None:
    pointer, text, number, images = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int, ctypes.POINTER(_Image)
    out, why, size = ctypes.POINTER(pointer), ctypes.POINTER(_ErrorText), ctypes.POINTER(number)
    functions = {
        "load": (number, [out, text, text, why]),
        "free": (None, [pointer]),
        "width": (number, [pointer]),
        "height": (number, [pointer]),
        "channels": (number, [pointer]),
        "most_classes": (number, [pointer]),
        "adapt": (number, [out, pointer, ctypes.POINTER(_Support), number, why]),
        "classifier_free": (None, [pointer]),
        "classes": (number, [pointer]),
        "losses": (None, [pointer, ctypes.POINTER(ctypes.c_double), ctypes.POINTER(ctypes.c_double)]),
        "predict": (number, [pointer, images, number, number, pointer, why]),
        "log_odds": (number, [pointer, images, number, number, pointer, why]),
        "save": (number, [pointer, text, number, why]),
        "open": (number, [out, text, text, why]),
        "feature_size": (number, [pointer, number, size, why]),
        "classifier_feature_size": (number, [pointer, number, size, why]),
        "features": (number, [pointer, ctypes.POINTER(_Layer), images, number, pointer, why]),
        "classifier_features": (number, [pointer, ctypes.POINTER(_Layer), images, number, pointer, why]),
        "auc": (number, [pointer, pointer, pointer, number, ctypes.POINTER(_Interval), why]),
    }
    for name, (result, arguments) in functions.items():
        function = getattr(library, "darknet_meta_" + name)
        function.restype, function.argtypes = result, arguments


def _find() -> ctypes.CDLL:
    name, folder = "libdarknet-meta.so.1", os.path.dirname(os.path.realpath(__file__))
    above = [os.path.join(folder, *[".."] * up, name) for up in (1, 2, 3)]
    path = os.environ.get("DARKNET_META_LIBRARY") or next((os.path.normpath(p) for p in above if os.path.exists(p)), name)
    try:
        library = ctypes.CDLL(path)
        found = library.darknet_meta_version()
    except (OSError, AttributeError) as error:
        raise Error(f"{path}: can't be used: {error}: DARKNET_META_LIBRARY may name another") from None
    if not 1001 <= found < 2000:
        raise Error(f"{path}: is version {found // 1000}.{found % 1000}: must be 1.1 or a later one of 1")
    _declare(library)
    return library


_library: Optional[ctypes.CDLL] = None
_library_lock = threading.Lock()


def _lib() -> ctypes.CDLL:
    global _library
    with _library_lock:
        if _library is None:
            _library = _find()
    return _library


def _call(name: str, *arguments: object) -> None:
    """Calls a function that can fail, with a place for its line behind the arguments."""
    why = _ErrorText()
    try:
        failed = getattr(_lib(), "darknet_meta_" + name)(*arguments, ctypes.byref(why))
    except ctypes.ArgumentError as error:
        raise Error(f"{name}: {error}") from None
    if failed:
        raise Error(why.text.decode("utf-8", "replace"))


def _path(path: Union[str, os.PathLike]) -> bytes:
    try:
        encoded = os.fsencode(path)
    except (TypeError, ValueError) as error:
        raise Error(f"a path: {error}") from None
    if b"\0" in encoded:
        raise Error(f"{os.fsdecode(encoded)!r}: a path must have no zero byte")
    return encoded


def version() -> str:
    """The version of the library that is used, such as "1.1"."""
    number = _lib().darknet_meta_version()
    return f"{number // 1000}.{number % 1000}"


# ---- what is handed over ----------------------------------------------------------------------------

def _statistics(name: str) -> int:
    if not isinstance(name, str) or name not in _STATISTICS:
        raise Error(f"statistics {name!r}: must be 'support', 'running' or 'batch'")
    return _STATISTICS[name]


def _whole(name: str, value: int) -> int:
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, np.integer)) or not -2**31 <= value < 2**31:
        raise Error(f"{name} {value!r}: must be a whole number of 32 bits")
    return int(value)


def _one_image(index: int, image: np.ndarray) -> tuple[_Image, np.ndarray]:
    """The library's view of an image, and the array that must live as long."""
    array = np.asarray(image)
    if array.ndim == 2:
        array = array[:, :, np.newaxis]
    if array.ndim != 3 or array.dtype not in (np.uint8, np.float32, np.float64):
        raise Error(f"image {index}: is {array.dtype} {np.shape(image)}: must be uint8, float32 or float64 of (height, width, channels)")
    height, width, channels = array.shape
    if max(array.shape) >= 2**31:
        raise Error(f"image {index}: {width}x{height} pixels: more than the library takes")
    if array.dtype == np.uint8:
        array, kind = np.ascontiguousarray(array), 0
    else:
        array, kind = np.ascontiguousarray(array.transpose(2, 0, 1), dtype=np.float32), 1
    return _Image(kind, width, height, channels, array.ctypes.data), array


class _Images:
    """Images as the library takes them; holds the arrays that it points to."""

    def __init__(self, images: Images):
        if isinstance(images, np.ndarray) and images.ndim < 3:
            raise Error("images: must be a sequence of arrays, or one array (images, height, width, channels)")
        try:
            pairs = [_one_image(i, image) for i, image in enumerate(images)]
        except (TypeError, ValueError) as error:
            raise Error(f"images: {error}: must be a sequence of arrays") from None
        self.count = len(pairs)
        self.array = (_Image * max(1, self.count))(*[pair[0] for pair in pairs])
        self.kept = [pair[1] for pair in pairs]


def _labels(labels: Sequence[int], count: int, name: str = "labels") -> np.ndarray:
    """int32, as the library takes them."""
    try:
        array = np.asarray(labels)
    except ValueError as error:
        raise Error(f"{name}: {error}") from None
    if array.size and array.dtype != np.bool_ and not np.issubdtype(array.dtype, np.integer):
        raise Error(f"{name}: are {array.dtype}: must be whole numbers")
    if array.ndim != 1 or array.size != count:
        raise Error(f"{name}: have the shape {array.shape}: must be one for each of {count} images")
    if array.size and not (-2**31 <= int(array.min()) and int(array.max()) < 2**31):
        raise Error(f"{name}: must be of 32 bits")
    return np.ascontiguousarray(array, dtype=np.int32)


class _Handle:
    """A pointer of the library's, freed once: when it is closed and no call uses it any more, or nothing refers to it."""

    def __init__(self, make: str, free: str, *arguments: object):
        pointer = ctypes.c_void_p()
        _call(make, ctypes.byref(pointer), *arguments)
        self._pointer, self._users, self._closed, self._lock = pointer, 0, False, threading.Lock()
        self._free = weakref.finalize(self, getattr(_lib(), "darknet_meta_" + free), pointer)
        self._free.atexit = False       # a thread that Python does not wait for may be in a call then

    def __enter__(self) -> ctypes.c_void_p:
        with self._lock:
            if self._closed:
                raise Error("is closed: must not be used any more")
            self._users += 1
        return self._pointer

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._users -= 1
            last = self._closed and not self._users
        if last:
            self._free()

    def close(self) -> None:
        with self._lock:
            self._closed = True
            last = not self._users
        if last:
            self._free()


def _size(name: str, what: str) -> property:
    """A property that a function of the library gives of the object's pointer."""
    def ask(self: "_Closing") -> int:
        with self._handle as pointer:
            return getattr(_lib(), "darknet_meta_" + name)(pointer)
    return property(ask, doc=what)


class _Closing:
    """What a model and a classifier have in common."""

    _handle: _Handle
    _prefix = ""

    def close(self) -> None:
        """Frees it, once calls of other threads have ended. May be called again."""
        self._handle.close()

    def __enter__(self):
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def feature_size(self, layer: int = LAST_LAYER) -> int:
        """How many numbers features() gives for an image."""
        size = ctypes.c_int()
        with self._handle as pointer:
            _call(self._prefix + "feature_size", pointer, _whole("layer", layer), ctypes.byref(size))
        return size.value

    def _features(self, images: Images, layer: int, statistics: str) -> np.ndarray:
        kind, given = _Layer(_whole("layer", layer), _statistics(statistics)), _Images(images)
        features = np.empty((given.count, self.feature_size(layer)), np.float32)
        with self._handle as pointer:
            _call(self._prefix + "features", pointer, ctypes.byref(kind), given.array, given.count, features.ctypes.data)
        return features


# ---- models and classifiers ---------------------------------------------------------------------------

class Model(_Closing):
    """A meta-trained network: the .cfg of `darknet meta train` and the .weights that it wrote."""

    def __init__(self, cfg: Union[str, os.PathLike], weights: Union[str, os.PathLike]):
        self._handle = _Handle("load", "free", _path(cfg), _path(weights))

    width: int = _size("width", "Of the network's input, in pixels.")
    height: int = _size("height", "Of the network's input, in pixels.")
    channels: int = _size("channels", "Of the network's input: 3 (red, green, blue) or 1 (gray).")
    most_classes: int = _size("most_classes", "The most classes that it can be adapted to.")

    def adapt(self, images: Images, labels: Sequence[int], steps: Optional[int] = None, classes: Optional[int] = None) -> "Classifier":
        """Adapts to labelled images. labels are 0 to classes-1, with an image of each; classes is one more than the largest where it is
        not given. steps are the gradient steps, or None for the .cfg's test_steps. Each class counts the same, however many images
        it has. The same images give the same classifier, bit for bit."""
        given = _Images(images)
        array = _labels(labels, given.count)
        if classes is None:
            classes = min(int(array.max()) + 1, 2**31 - 1) if array.size else 0
        if steps is not None and _whole("steps", steps) == _STEPS:
            raise Error(f"{steps} steps: must be at least 0")
        support = _Support(given.array, array.ctypes.data, given.count, _whole("classes", classes))
        with self._handle as pointer:
            return Classifier(_Handle("adapt", "classifier_free", pointer, ctypes.byref(support), _STEPS if steps is None else int(steps)))

    def features(self, images: Images, layer: int = LAST_LAYER, statistics: str = "running") -> np.ndarray:
        """What a layer gives for each image, float32 (images, numbers of the layer), planar as (channels, height, width). layer is counted
        from 0 in the .cfg without [net]; LAST_LAYER is the one that the last [connected] reads. statistics: 'running', or 'batch' to
        normalise the images together."""
        return self._features(images, layer, statistics)


class Classifier(_Closing):
    """A network that tells the classes of some labelled images apart: what Model.adapt() and open() make."""

    _prefix = "classifier_"

    def __init__(self, handle: _Handle):
        self._handle = handle

    classes: int = _size("classes", "How many it tells apart.")

    @property
    def losses(self) -> tuple[float, float]:
        """The loss of the images that it was adapted to, before and after: the mean over the classes of the mean cross-entropy of each
        one's images, without the temperature that predict() has. NaN for one that was opened."""
        before, after = ctypes.c_double(), ctypes.c_double()
        with self._handle as pointer:
            _lib().darknet_meta_losses(pointer, ctypes.byref(before), ctypes.byref(after))
        return before.value, after.value

    def _ask(self, name: str, images: Images, statistics: str, kind: type) -> np.ndarray:
        number, given = _statistics(statistics), _Images(images)
        answers = np.empty((given.count, self.classes), kind)
        with self._handle as pointer:
            _call(name, pointer, given.array, given.count, number, answers.ctypes.data)
        return answers

    def predict(self, images: Images, statistics: str = "support") -> np.ndarray:
        """Probabilities, float32 (images, classes); those of an image add up to 1. statistics say what normalises images: 'support',
        those that it was adapted to, 'running', those of the meta-training, or 'batch', the images of the call together."""
        return self._ask("predict", images, statistics, np.float32)

    def log_odds(self, images: Images, statistics: str = "support") -> np.ndarray:
        """The same prediction as log(p / (1 - p)), float64 (images, classes): ranks images where a probability has rounded to 1."""
        return self._ask("log_odds", images, statistics, np.float64)

    def features(self, images: Images, layer: int = LAST_LAYER, statistics: str = "support") -> np.ndarray:
        """As Model.features(), of the adapted network."""
        return self._features(images, layer, statistics)

    def save(self, name: Union[str, os.PathLike], statistics: str = "support") -> None:
        """Writes NAME.weights and NAME.cfg, both or neither: a plain Darknet network, as `darknet meta adapt` writes it."""
        with self._handle as pointer:
            _call("save", pointer, _path(name), _statistics(statistics))


def load(cfg: Union[str, os.PathLike], weights: Union[str, os.PathLike]) -> Model:
    """Reads a meta-trained network, with the .temperature and .rates that lie beside its weights."""
    return Model(cfg, weights)


def open(cfg: Union[str, os.PathLike], weights: Union[str, os.PathLike]) -> Classifier:
    """Reads what Classifier.save() or `darknet meta adapt` wrote (NAME.cfg has its own NAME.weights), or another of known layers."""
    return Classifier(_Handle("open", "classifier_free", _path(cfg), _path(weights)))


# ---- how good answers are -------------------------------------------------------------------------------

def auc(scores: Sequence[float], labels: Sequence[int], groups: Optional[Sequence[int]] = None) -> tuple[float, float, float]:
    """The area under the ROC curve, the chance that an image labelled 1 scores above one labelled 0, a tie counting half, and the ends of
    its 95% interval (DeLong, over groups: Obuchowski 1997), NaN where there is none. Images of other labels do not count. groups are
    numbers, equal ones for images that belong together, such as a patient's."""
    try:
        values = np.ascontiguousarray(scores, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise Error(f"scores: {error}") from None
    if values.ndim != 1:
        raise Error(f"scores: have the shape {values.shape}: must be one for each image")
    array, area = _labels(labels, values.size), _Interval()
    together = None if groups is None else _labels(groups, values.size, "groups")
    _call("auc", values.ctypes.data, array.ctypes.data, None if together is None else together.ctypes.data, values.size, ctypes.byref(area))
    return area.value, area.low, area.high


@dataclasses.dataclass(frozen=True)
class Evaluation:
    """What evaluate() finds."""

    images: int
    auc: float                      #: of two classes that of class 1; of more the mean of auc_of_class
    auc_of_class: np.ndarray        #: (classes, 3) each against the rest, and the ends of its 95% interval; NaN where there is none
    auc_of_pair: np.ndarray         #: (classes, classes) the images of two classes alone (Hand and Till); NaN on the diagonal
    accuracy: float                 #: the share of images whose own class is the most likely
    balanced_accuracy: float        #: the mean of `recall`, of the classes that have images; NaN of one class alone
    recall: np.ndarray              #: (classes) the share of each class's images that are told as it; NaN without any
    confusion: np.ndarray           #: (classes, classes) images by their class (row) and by the most likely one (column)
    log_loss: float                 #: the mean of -log(probability of the image's class); NaN for scores that are no probabilities
    brier: float                    #: of two classes the mean squared error of class 1's probability, of more of their sum; likewise


def _pair(scores: np.ndarray, labels: np.ndarray, a: int, b: int) -> float:
    """The mean of the AUC of a's score and of b's among the images of the two (Hand and Till, Machine Learning 45, 2001)."""
    if not (labels == a).any() or not (labels == b).any():
        return float("nan")
    chosen = (labels == a) | (labels == b)
    own = labels[chosen]
    return (auc(scores[chosen, a], own == a)[0] + auc(scores[chosen, b], own == b)[0]) / 2


def evaluate(probabilities: np.ndarray, labels: Sequence[int], groups: Optional[Sequence[int]] = None) -> Evaluation:
    """How good answers (images, classes) are, of predict() or log_odds(), by the images' true classes, 0 to classes-1. Of equal scores
    the first counts as the highest, as in Darknet. groups are as for auc(). Log-odds have no log_loss and no brier."""
    try:
        p = np.asarray(probabilities, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise Error(f"probabilities: {error}") from None
    if p.ndim != 2 or p.shape[0] < 1 or p.shape[1] < 2:
        raise Error(f"probabilities: have the shape {p.shape}: must be (images, classes), of at least 1 image and 2 classes")
    count, classes = p.shape
    own = _labels(labels, count)
    if own.min() < 0 or own.max() >= classes:
        raise Error(f"labels: {own.min()} to {own.max()}: must be 0 to {classes - 1}")
    if np.isnan(p).any():
        raise Error(f"probabilities: that of image {int(np.isnan(p).any(axis=1).argmax())} is not a number")
    confusion = np.zeros((classes, classes), np.int64)
    np.add.at(confusion, (own, p.argmax(axis=1)), 1)
    known = confusion.sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        recall = np.diag(confusion) / known
        alone = p[np.arange(count), own]
        proper = bool((p >= 0).all() and np.allclose(p.sum(axis=1), 1, atol=1e-4))
        log_loss = float(-np.log(alone).mean()) if proper else float("nan")
    off = (p - np.eye(classes)[own])[:, int(classes == 2):]     # of two classes class 1 alone, as `darknet meta evaluate` has it
    rest = np.array([auc(p[:, k], own == k, groups) if 0 < known[k] < count else (np.nan,) * 3 for k in range(classes)])
    pairs = np.array([[_pair(p, own, a, b) if a != b else np.nan for b in range(classes)] for a in range(classes)])
    there = known > 0
    return Evaluation(images=count, auc=float(rest[1, 0] if classes == 2 else rest[there, 0].mean()), auc_of_class=rest, auc_of_pair=pairs,
                      accuracy=float(np.diag(confusion).sum() / count), balanced_accuracy=float(recall[there].mean()) if there.sum() > 1 else float("nan"), recall=recall,
                      confusion=confusion, log_loss=log_loss, brier=float((off ** 2).sum(axis=1).mean()) if proper else float("nan"))
