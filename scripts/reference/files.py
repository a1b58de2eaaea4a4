"""Reads what the program reads: .cfg files, PNG images, episodes. Debian's PyTorch comes with neither."""
import struct
import zlib

import numpy as np
import torch


def read_cfg(path):
    """[(section name, {key: value})]"""
    sections = []
    with open(path) as file:
        for line in file:
            line = line.split("#")[0].split(";")[0].strip()
            if line.startswith("["):
                sections.append((line.strip("[]"), {}))
            elif line:
                key, value = line.split("=", 1)
                sections[-1][1][key.strip()] = value.strip()
    return sections


def read_png(path):
    """(h, w, c) bytes of an 8-bit gray or RGB PNG, not interlaced."""
    with open(path, "rb") as file:
        data = file.read()
    at, packed = 8, b""
    while at < len(data):
        size, kind = struct.unpack(">I4s", data[at:at + 8])
        if kind == b"IHDR":
            w, h, depth, colour, _, _, interlace = struct.unpack(">IIBBBBB", data[at + 8:at + 21])
            assert depth == 8 and colour in (0, 2) and not interlace, path
        if kind == b"IDAT":
            packed += data[at + 8:at + 8 + size]
        at += size + 12
    c = 3 if colour == 2 else 1
    rows = np.frombuffer(zlib.decompress(packed), np.uint8).reshape(h, 1 + w * c)
    image = np.zeros((h, w, c), np.uint8)
    above = np.zeros(w * c, np.uint8)
    for y, row in enumerate(rows):
        image[y] = undo_filter(row[0], row[1:], above, c).reshape(w, c)
        above = image[y].reshape(-1)
    return image


def undo_filter(kind, row, above, c):
    out = np.zeros(len(row), np.uint8)
    for i, value in enumerate(row.tolist()):
        a = int(out[i - c]) if i >= c else 0
        b = int(above[i])
        d = int(above[i - c]) if i >= c else 0
        paeth = min((abs(b - d), 0, a), (abs(a - d), 1, b), (abs(a + b - 2 * d), 2, d))[2]
        out[i] = (value + (0, a, b, (a + b) // 2, paeth)[kind]) & 255
    return out


def read_episode(path):
    """{"support": [(label, path)], "query": ...}"""
    episode = {"support": [], "query": []}
    with open(path) as file:
        for line in file:
            words = line.split(None, 2)
            if words and not words[0].startswith("#"):
                episode[words[0]].append((int(words[1]), words[2].strip()))
    return episode


def load_images(items, shape):
    """(n, c, h, w) in [0, 1] and labels (n)"""
    images = [read_png(path) for _, path in items]
    assert all(image.shape == (shape[1], shape[2], shape[0]) for image in images), "images must have the network's size"
    pixels = (np.stack(images) / np.float32(255)).transpose(0, 3, 1, 2)     # floats, as in Darknet
    return torch.from_numpy(pixels.astype(np.float64)), torch.tensor([label for label, _ in items])
