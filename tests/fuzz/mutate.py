#!/usr/bin/python3
"""Has the program decode damaged files of each kind of image, and says what came of them: how many were read, how many refused, and
whether a process died, took more than its time, or more memory than is allowed.

    tests/fuzz/mutate.py FOLDER [COUNT [SEED]]      BUILD: where make has built tests/image_values

FOLDER has good files, as tests/image_formats.py and tests/image_dicom.py leave them. COUNT damaged ones (1000) of each kind are made of
them in memory's file system, with bytes changed, blocks moved, doubled or cut, numbers set to their extremes. A damaged file that a
process dies of is not kept: it may be an error of an outside library. Ends with 1 when there was one."""
import glob
import os
import random
import resource
import subprocess
import sys
import tempfile
import time

folder, count, seed = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 1000, int(sys.argv[3]) if len(sys.argv) > 3 else 1
KINDS = 'tif', 'webp', 'jp2', 'j2k', 'dcm'
SECONDS, MEGABYTES, BATCH = 20, 3000, 50
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
    """Status, refusals, seconds, and the most memory of a process that decodes these files."""
    start = time.time()
    with tempfile.TemporaryFile() as told:
        process = subprocess.Popen([program, '3'], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=told, preexec_fn=limits)
        try:
            process.stdin.write(''.join('%s\t%s/out\n' % (p, work) for p in paths).encode())
            process.stdin.close()
        except BrokenPipeError:
            pass
        while time.time() - start < SECONDS * (1 + len(paths) / BATCH):
            pid, status, usage = os.wait4(process.pid, os.WNOHANG)
            if pid:
                break
            time.sleep(.01)
        else:
            process.kill()
            os.wait4(process.pid, 0)
            process.returncode = -9
            return 'took more than its time', 0, time.time() - start, 0
        process.returncode = os.waitstatus_to_exitcode(status)
        told.seek(0)
        lines = told.read().decode('latin-1').splitlines()
    foreign = [line for line in lines if not any(line.startswith(p) for p in paths)]
    what = '' if process.returncode in (0, 1) and not foreign else 'ended with %s: %s' % (process.returncode, foreign[:3])
    return what, len(lines), time.time() - start, usage.ru_maxrss >> 10


bad = 0
with tempfile.TemporaryDirectory(dir='/dev/shm' if os.access('/dev/shm', os.W_OK) else None) as work:
    for kind in KINDS:
        chance = random.Random('%s %d' % (kind, seed))
        seeds = [p for p in sorted(glob.glob('%s/*.%s' % (folder, kind))) if 100 < os.path.getsize(p) < 60000]
        refused = most = worst = done = 0
        while seeds and done < count:
            paths = []
            for i in range(min(BATCH, count - done)):
                paths.append('%s/%d.%s' % (work, i, kind))
                open(paths[-1], 'wb').write(damage(open(chance.choice(seeds), 'rb').read(), chance))
            what, told, seconds, memory = decode(paths, work)
            done, refused, worst, most = done + len(paths), refused + told, max(worst, seconds), max(most, memory)
            if what:
                bad += 1
                print('%s: a batch of %d %s' % (kind, len(paths), what))
                for path in paths:
                    what, told, seconds, memory = decode([path], work)
                    if what:
                        print('    %s of %d bytes %s, %.1f s' % (os.path.basename(path), os.path.getsize(path), what, seconds))
                        if os.environ.get('KEEP'):
                            os.link(path, '%s/%s-%d-%d' % (os.environ['KEEP'], kind, done, os.path.getsize(path))) if 0 else open('%s/%d-%s' % (os.environ['KEEP'], done, os.path.basename(path)), 'wb').write(open(path, 'rb').read())
        print('%-5s %6d damaged files of %d good ones: %d refused; at most %d MB, %.1f s for %d' % (kind, done, len(seeds), refused, most, worst, BATCH))
sys.exit(bad > 0)
