"""Image files and the pixels that are in them, for tests that compare readers: written here byte by byte, or by the tools of
the formats. A picture is (w, h, channels, samples), the samples in rows and interleaved."""
import os
import re
import struct
import subprocess
import zlib

W, H = 37, 29


def picture(channels, most=255, w=W, h=H, seed=1):
    """Smooth, with noise in the lower bits, and 0 and the largest value in it."""
    samples, state = [], seed
    for y in range(h):
        for x in range(w):
            for k in range(channels):
                state = (state * 1103515245 + 12345) & 0x7fffffff
                u = (x * (k + 1) + 2 * y * (3 - k)) % (2 * w) / (2 * w)
                samples.append(min(most, int(u * most) + (state >> 16) % (most // 8 + 1)))
    samples[0], samples[-1] = 0, most
    return w, h, channels, samples


def run(*words, env=None):
    done = subprocess.run([str(w) for w in words], env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode:
        raise SystemExit('%s: status %d: %s' % (' '.join(map(str, words)), done.returncode, done.stdout.decode('latin-1')))


def read_pnm(path):
    """A binary PGM, PPM or PAM file as a picture."""
    data = open(path, 'rb').read()
    if data[:2] == b'P7':
        head, body = data.split(b'ENDHDR\n', 1)
        words = dict(line.split(None, 1) for line in head.split(b'\n')[1:] if b' ' in line)
        w, h, n, most = (int(words[k]) for k in (b'WIDTH', b'HEIGHT', b'DEPTH', b'MAXVAL'))
    else:
        lines = [l for l in data.split(b'\n', 6)]
        words, at = [], 0
        while len(words) < 4:
            end = data.index(b'\n', at)
            words += data[at:end].split(b'#')[0].split()
            at = end + 1
        w, h, most, n, body = int(words[1]), int(words[2]), int(words[3]), 3 if words[0] == b'P6' else 1, data[at:]
    count = w * h * n
    return w, h, n, list(struct.unpack('>%d%s' % (count, 'H' if most > 255 else 'B'), body[:count * (2 if most > 255 else 1)]))


def write_pnm(path, p, most=255):
    w, h, n, s = p
    with open(path, 'wb') as f:
        f.write(b'P%d\n%d %d\n%d\n' % (6 if n == 3 else 5, w, h, most))
        f.write(struct.pack('>%d%s' % (len(s), 'H' if most > 255 else 'B'), *s))


def write_png(path, p, depth=8):
    w, h, n, s = p
    kind = {1: 0, 2: 4, 3: 2, 4: 6}[n]
    row = w * n
    raw = b''.join(b'\0' + struct.pack('>%d%s' % (row, 'H' if depth == 16 else 'B'), *s[y * row:(y + 1) * row]) for y in range(h))
    chunk = lambda t, d: struct.pack('>I', len(d)) + t + d + struct.pack('>I', zlib.crc32(t + d))
    open(path, 'wb').write(b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', struct.pack('>IIBBBBB', w, h, depth, kind, 0, 0, 0))
                           + chunk(b'IDAT', zlib.compress(raw)) + chunk(b'IEND', b''))


# ---- what the program makes of samples ----------------------------------------------------------------------------------------

def byte(v, most):
    """A sample as a byte: the upper 8 bits of 16, else in proportion."""
    return v if most == 255 else v >> 8 if most == 65535 else int((v * 510 + most) / (2 * most)) if most < 255 else int(v * 255 / most + .5)


def shown(p, most=255, inverted=False):
    """RGB bytes of a picture: alpha onto black, gray thrice."""
    w, h, n, s = p
    out = []
    for i in range(0, len(s), n):
        colours = s[i:i + (3 if n > 2 else 1)]
        if n in (2, 4):
            colours = [(c * s[i + n - 1] + most // 2) // most for c in colours]
        colours = [255 - byte(c, most) if inverted else byte(c, most) for c in colours]
        out += colours if len(colours) == 3 else colours * 3
    return w, h, 3, out


def gray(p):
    """Of shown pixels, as Rec. 601 weighs them."""
    w, h, n, s = p
    return w, h, 1, [(299 * s[i] + 587 * s[i + 1] + 114 * s[i + 2] + 500) // 1000 for i in range(0, len(s), 3)]


def turned(p, orientation):
    """What is upright of a picture that lies in its file as the orientation says."""
    w, h, n, s = p
    rows = [[s[(y * w + x) * n:(y * w + x + 1) * n] for x in range(w)] for y in range(h)]
    if orientation in (2, 3, 7, 8):
        rows = [r[::-1] for r in rows]
    if orientation in (3, 4, 6, 7):
        rows = rows[::-1]
    if orientation >= 5:
        rows = [list(r) for r in zip(*rows)]
    return len(rows[0]), len(rows), n, [v for r in rows for pixel in r for v in pixel]


def furthest(a, b):
    """The largest difference of two pictures; None where their sizes differ."""
    if a[:3] != b[:3] or len(a[3]) != len(b[3]):
        return None
    return max(abs(x - y) for x, y in zip(a[3], b[3]))


# ---- TIFF ---------------------------------------------------------------------------------------------------------------------

def tiff_page(p, bits, photometric, extra=None, tags=(), raw=None):
    """A page for tiff(): its tags and its one strip."""
    w, h, n, s = p
    if raw is None:
        if bits < 8:
            raw = b''
            for y in range(h):
                row = ''.join(format(v, '0%db' % bits) for v in s[y * w * n:(y + 1) * w * n])
                row += '0' * (-len(row) % 8)
                raw += bytes(int(row[i:i + 8], 2) for i in range(0, len(row), 8))
        else:
            raw = struct.pack('<%d%s' % (len(s), 'H' if bits == 16 else 'B'), *s)
    own = {256: (4, [w]), 257: (4, [h]), 258: (3, [bits] * n), 259: (3, [1]), 262: (3, [photometric]), 277: (3, [n]), 278: (4, [h])}
    if extra is not None:
        own[338] = (3, [extra])
    own.update(tags)
    return own, [raw]


def tiff_planes(p, bits, photometric, extra=None):
    """Likewise, of one strip a channel."""
    w, h, n, s = p
    own, _ = tiff_page(p, bits, photometric, extra, {284: (3, [2])})
    return own, [struct.pack('<%d%s' % (w * h, 'H' if bits == 16 else 'B'), *s[k::n]) for k in range(n)]


def tiff(path, *pages):
    """Little-endian, uncompressed."""
    size = {1: 1, 3: 2, 4: 4}
    out, link = bytearray(b'II*\0\0\0\0\0'), 4
    for own, strips in pages:
        own, starts = dict(own), []
        for strip in strips:
            starts.append(len(out))
            out += strip + b'\0' * (len(strip) % 2)
        own[273], own[279] = (4, starts), (4, [len(strip) for strip in strips])
        entries, behind = b'', {}
        for tag, (kind, values) in sorted(own.items()):
            data = struct.pack('<%d%s' % (len(values), {1: 'B', 3: 'H', 4: 'I'}[kind]), *values)
            if len(data) > 4:
                behind[tag] = len(out)
                out += data + b'\0' * (len(data) % 2)
                data = struct.pack('<I', behind[tag])
            entries += struct.pack('<HHI', tag, kind, len(values)) + data.ljust(4, b'\0')
        struct.pack_into('<I', out, link, len(out))
        out += struct.pack('<H', len(own)) + entries
        link = len(out)
        out += b'\0\0\0\0'
    open(path, 'wb').write(out)


# ---- the program --------------------------------------------------------------------------------------------------------------

class Reader:
    """Collects files and what must be in them; compare() asks the program for all of them at once."""

    def __init__(self, words):
        """words: of the command line: a folder, and `files` where these are wanted and nothing is to be asked."""
        self.folder, self.cases, self.failed, self.silent = words[1], [], 0, words[2:] == ['files']

    def path(self, name):
        return os.path.join(self.folder, name)

    def expect(self, title, path, pixels, within=0):
        """pixels: RGB, upright, a picture or the path of a PGM or PPM file of another reader."""
        self.cases.append((title, path, pixels, within))

    def say(self, good, title, why=''):
        print('%sok - %s' % ('' if good else 'not ', title))
        if not good:
            self.failed = 1
            print('    | %s' % why)

    def values(self, paths, *options):
        """The program's pixels of each path, and what it says on standard error."""
        lines = ''.join('%s\t%s/out-%d.pnm\n' % (p, self.folder, i) for i, p in enumerate(paths))
        for i in range(len(paths)):
            if os.path.exists('%s/out-%d.pnm' % (self.folder, i)):
                os.remove('%s/out-%d.pnm' % (self.folder, i))
        done = subprocess.run([os.environ['BUILD'] + '/tests/image_values', *options], input=lines.encode(), stderr=subprocess.PIPE)
        out = [read_pnm('%s/out-%d.pnm' % (self.folder, i)) if os.path.exists('%s/out-%d.pnm' % (self.folder, i)) else None
               for i in range(len(paths))]
        return out, done.stderr.decode('latin-1').splitlines(), done.returncode

    def compare(self):
        if self.silent:
            return
        paths = [c[1] for c in self.cases]
        coloured, told, status = self.values(paths, '3')
        grays, told_gray, _ = self.values(paths, '1')
        for (title, path, pixels, within), colour, plain in zip(self.cases, coloured, grays):
            if isinstance(pixels, str):
                pixels = shown(read_pnm(pixels))
            if not colour or not plain:
                self.say(False, title, [line for line in told + told_gray if path in line])
                continue
            differ = furthest(colour, pixels), furthest(plain, gray(pixels))
            limit = within, within + (1 if within or pixels[3][0::3] != pixels[3][1::3] else 0)
            good = None not in differ and differ[0] <= limit[0] and differ[1] <= limit[1]
            self.say(good, title, 'differ by %s and %s levels in colour and gray; %s' % (*differ, colour[:3]))
        self.say(not told and not told_gray and status == 0, 'these files are read without a word', told)

    def refuse(self, path, reason):
        """One line that names the file and is `reason`, and the files beside it are read."""
        if self.silent:
            return
        good = self.cases[0][1]
        out, told, status = self.values([path, good], '3')
        fine = status == 1 and out[0] is None and out[1] is not None and len(told) == 1
        self.say(fine and re.fullmatch(re.escape(path) + ': (' + reason + ')', told[0]) is not None, 'error: ' + reason, told)
