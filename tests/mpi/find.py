"""Looks in recorded bytes for what belongs to a site.

    find.py IMAGES WORDS RECORD...

IMAGES is a folder of PGM files, WORDS a file of words, one a line. Fails, and says what, where the bytes have one of the words, or 32 bytes in a
row of an image: of its file, of its pixels as bytes, and as floats and doubles from 0 to 1 and from 0 to 255. Runs of one byte count for nothing."""
import array
import pathlib
import sys

RUN = 32
runs = {}


def add(what, data):
    for i in range(len(data) - RUN + 1):
        run = data[i:i + RUN]
        if len(set(run)) > 1:
            runs.setdefault(run, what)


images, words, records = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), sys.argv[3:]
files = sorted(images.glob('*.pgm'))
for file in files:
    data = file.read_bytes()
    pixels = data[-144:]
    add(f'{file.name}, its file', data)
    for code in 'fd':
        for white in 1, 255:
            add(f'{file.name}, its pixels as {code}', array.array(code, [p * white / 255 for p in pixels]).tobytes())
if not files or not records:
    sys.exit('find.py: no images, or no records')
found = 0
for name in records:
    data = pathlib.Path(name).read_bytes()
    for word in words.read_bytes().split():
        if word in data:
            print(f'{name}: has {word}')
            found = 1
    for i in range(len(data) - RUN + 1):
        if data[i:i + RUN] in runs:
            print(f'{name}: byte {i}: has 32 bytes of {runs[data[i:i + RUN]]}')
            found = 1
            break
print(f'{len(records)} records, {len(runs)} runs of {len(files)} images')
sys.exit(found)
