"""What a Darknet script in Python does: load_network, load_image_color and network_predict of libdarknet.so, through ctypes.

    binding_predict.py LIBRARY CFG WEIGHTS CLASSES IMAGE...      prints a line an image, each class's probability
"""
import ctypes
import sys

library, cfg, weights, classes = sys.argv[1], sys.argv[2].encode(), sys.argv[3].encode(), int(sys.argv[4])


class Image(ctypes.Structure):
    _fields_ = [("w", ctypes.c_int), ("h", ctypes.c_int), ("c", ctypes.c_int), ("data", ctypes.POINTER(ctypes.c_float))]


darknet = ctypes.CDLL(library, ctypes.RTLD_GLOBAL)
darknet.load_network.restype = ctypes.c_void_p
darknet.load_network.argtypes = [ctypes.c_char_p, ctypes.c_char_p, ctypes.c_int]
darknet.set_batch_network.argtypes = [ctypes.c_void_p, ctypes.c_int]
darknet.load_image_color.restype = Image
darknet.load_image_color.argtypes = [ctypes.c_char_p, ctypes.c_int, ctypes.c_int]
darknet.network_predict.restype = ctypes.POINTER(ctypes.c_float)
darknet.network_predict.argtypes = [ctypes.c_void_p, ctypes.POINTER(ctypes.c_float)]

network = darknet.load_network(cfg, weights, 0)
darknet.set_batch_network(network, 1)
for path in sys.argv[5:]:
    image = darknet.load_image_color(path.encode(), 0, 0)
    scores = darknet.network_predict(network, image.data)
    print(" ".join("%.7f" % scores[k] for k in range(classes)))
