"""What Darknet's Python binding does, through ctypes: loads a network, predicts, prints every output's bits.

    host_predict.py LIBRARY global|local CFG WEIGHTS|- INPUTS OUTPUTS
"""
import ctypes
import struct
import sys

path, mode, cfg, weights = sys.argv[1:5]
inputs, outputs = int(sys.argv[5]), int(sys.argv[6])
library = ctypes.CDLL(path, ctypes.RTLD_GLOBAL if mode == "global" else ctypes.RTLD_LOCAL)
library.load_network.restype = ctypes.c_void_p
library.load_network.argtypes = [ctypes.c_char_p, ctypes.c_char_p, ctypes.c_int]
library.network_predict.restype = ctypes.POINTER(ctypes.c_float)
library.network_predict.argtypes = [ctypes.c_void_p, ctypes.POINTER(ctypes.c_float)]
library.free_network.argtypes = [ctypes.c_void_p]

network = library.load_network(cfg.encode(), None if weights == "-" else weights.encode(), 0)
for shift in range(5):
    image = [((i + shift) * 7919 % 1000) / 1000 for i in range(inputs)]
    scores = library.network_predict(network, (ctypes.c_float * inputs)(*image))
    print(" ".join(struct.pack(">f", scores[i]).hex() for i in range(outputs)), scores[0])
library.free_network(network)
