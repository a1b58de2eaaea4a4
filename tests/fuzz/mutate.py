#!/usr/bin/python3
"""Has the program decode damaged files of each kind of image, and says what came of them: how many were read, how many refused, and whether
the program died, took more than its time or more memory than is allowed, or said anything but a line a file that names it.

    tests/fuzz/mutate.py [COUNT [SEED]]      BUILD: where make has built tests/image_values

COUNT damaged files (1000) of each kind are made of those of tests/image_formats.py and tests/image_dicom.py: bits and bytes are changed,
numbers set to their extremes, blocks moved, doubled or cut. None is kept: what a decoder dies of may be an error of an outside library, and is an
error of that file to the program. Ends with 1 when anything else happened."""
import glob
import os
import random
import resource
import subprocess
import sys
import tempfile
import time

count, seed = (int(sys.argv[i]) if len(sys.argv) > i else usual for i, usual in ((1, 1000), (2, 1)))
KINDS = 'tif', 'webp', 'jp2', 'j2k', 'dcm'
SECONDS, MEGABYTES, BATCH = 300, 3000, 50   # a batch's time and the program's memory; its decoder has limits of its own
program = os.environ['BUILD'] + '/tests/image_values'
sanitized = b'__asan_init' in open(program, 'rb').read()


def damage(data, chance):
    data = bytearray(data)
    ways = 7 if chance.randrange(4) == 0 else 4         # most files keep their length: else few would get past the first check
    for _ in range(chance.choice((1, 1, 2, 3, 8, 30))):
        at, way = chance.randrange(len(data)), chance.randrange(ways)
        near = chance.randrange(min(len(data), 600))    # headers lie in front
        if way == 0:
            data[at] ^= 1 << chance.randrange(8)
        elif way == 1:
            data[near] = chance.randrange(256)
        elif way == 2:
            near = min(near, len(data) - 4)
            extreme = chance.choice((b'\0' * 4, b'\xff' * 4, b'\x7f\xff\xff\xff', b'\0\0\xff\xff', b'\x80\0\0\0', b'\1\0\0\0'))
            data[near:near + len(extreme)] = extreme
        elif way == 4 and len(data) > 40:
            del data[at:at + chance.randrange(1, 40)]
        elif way == 5:
            data[at:at] = data[near:near + chance.randrange(1, 40)]
        elif way == 3:
            n = min(chance.randrange(1, 40), len(data) - at)
            data[at:at + n] = bytes(chance.randrange(256) for _ in range(n))
        elif chance.randrange(4) == 0 and len(data) > 40:
            del data[chance.randrange(30, len(data)):]
    return bytes(data)


def limits():
    if not sanitized:
        resource.setrlimit(resource.RLIMIT_AS, (MEGABYTES << 20, MEGABYTES << 20))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def decode(paths, work):
    """What went wrong, the lines that the program said, and its seconds."""
    start = time.time()
    given = ''.join('%s\t%s/out\n' % (p, work) for p in paths).encode()
    process = subprocess.Popen([program, '3'], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, preexec_fn=limits)
    try:
        told = process.communicate(given, timeout=SECONDS)[1]
    except subprocess.TimeoutExpired:
        process.kill()
        return 'took more than %d s' % SECONDS, [], time.time() - start
    lines = told.decode('latin-1').splitlines()
    foreign = [line for line in lines if not any(line.startswith(p + ': ') for p in paths)]
    what = '' if process.returncode in (0, 1) and not foreign else 'ended with %s: %s' % (process.returncode, foreign[:3])
    return what, lines, time.time() - start


bad = 0
here = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..')
with tempfile.TemporaryDirectory(dir='/dev/shm' if os.access('/dev/shm', os.W_OK) else None) as work:
    folder = work + '/good'
    os.mkdir(folder)
    for script in 'image_formats.py', 'image_dicom.py':
        subprocess.run(['/usr/bin/python3', '%s/%s' % (here, script), folder, 'files'], check=True)
    for kind in KINDS:
        chance = random.Random('%s %d' % (kind, seed))
        seeds = [p for p in sorted(glob.glob('%s/*.%s' % (folder, kind))) if 100 < os.path.getsize(p) < 60000]
        refused = died = done = 0
        worst = 0
        while seeds and done < count:
            paths = ['%s/%d.%s' % (work, i, kind) for i in range(min(BATCH, count - done))]
            for path in paths:
                open(path, 'wb').write(damage(open(chance.choice(seeds), 'rb').read(), chance))
            what, lines, seconds = decode(paths, work)
            ended = [line for line in lines if 'its decoder ended' in line or 'seconds to decode' in line]
            done, refused, died, worst = done + len(paths), refused + len(lines), died + len(ended), max(worst, seconds)
            if what:
                bad += 1
                print('%s: a batch of %d: the program %s' % (kind, len(paths), what))
        print('%-5s %6d damaged files of %d good ones: %d refused, of which %d by the end of the decoder; at most %.1f s for %d'
              % (kind, done, len(seeds), refused, died, worst, BATCH), flush=True)
sys.exit(bad > 0)
