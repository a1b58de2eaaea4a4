"""What tests/cli/image_formats.sh asks: python3 tests/image_formats.py FOLDER [files]"""
import re
import struct
import sys

from image_files import *

r = Reader(sys.argv)
at = r.path
MINISWHITE, MINISBLACK, RGB, PALETTE, CMYK = 0, 1, 2, 3, 5


def tiffs():
    """Every kind of samples, as it lies and through tiffcp's compressions and layouts."""
    lossless = ['lzw', 'lzw:2', 'zip', 'zip:2', 'packbits', 'lzma', 'lzma:2', 'zstd', 'zstd:2', 'lerc', 'none']
    layouts = [['-t', '-w', '16', '-l', '16'], ['-p', 'separate'], ['-p', 'separate', '-t', '-w', '16', '-l', '32'], ['-8'], ['-B'],
               ['-r', '5'], ['-f', 'lsb2msb'], ['-8', '-B', '-t', '-w', '32', '-l', '16', '-p', 'separate']]
    base = {}
    for name, channels, bits in ('gray8', 1, 8), ('gray16', 1, 16), ('rgb8', 3, 8), ('rgb16', 3, 16):
        most = 2 ** bits - 1
        p = base[name] = picture(channels, most)
        tiff(at(name + '.tif'), tiff_page(p, bits, RGB if channels == 3 else MINISBLACK))
        r.expect('TIFF %s' % name, at(name + '.tif'), shown(p, most))
        for c in lossless:
            to = at('%s-%s.tif' % (name, c.replace(':', '_')))
            run('tiffcp', '-c', c, at(name + '.tif'), to)
            r.expect('TIFF %s, %s' % (name, c), to, shown(p, most))
        for i, layout in enumerate(layouts):
            if bits == 16 and 'separate' in layout:
                continue
            to = at('%s-layout%d.tif' % (name, i))
            run('tiffcp', '-c', 'lzw', *layout, at(name + '.tif'), to)
            r.expect('TIFF %s, %s' % (name, ' '.join(layout)), to, shown(p, most))
        tiff(at(name + '-white.tif'), tiff_page(p, bits, MINISWHITE if channels == 1 else RGB))
        if channels == 1:
            r.expect('TIFF %s whose 0 is white' % name, at(name + '-white.tif'), shown(p, most, True))
        alpha = picture(channels + 1, most, seed=5)
        for extra in 1, 2:
            to = at('%s-alpha%d.tif' % (name, extra))
            tiff(to, tiff_page(alpha, bits, RGB if channels == 3 else MINISBLACK, extra))
            n = channels + 1
            flat = alpha if extra == 2 else (W, H, channels, [v for i, v in enumerate(alpha[3]) if i % n < channels])
            r.expect('TIFF %s and alpha %s' % (name, 'of its own' if extra == 2 else 'multiplied into them'), to, shown(flat, most))
            tiff(at('%s-planes%d.tif' % (name, extra)), tiff_planes(alpha, bits, RGB if channels == 3 else MINISBLACK, extra))
            r.expect('TIFF %s and alpha %d in planes' % (name, extra), at('%s-planes%d.tif' % (name, extra)), shown(flat, most))
    old = base['gray8']                       # codes of 9 bits, the lowest first, with a clear code before they grow
    codes = [c for i, v in enumerate(old[3]) for c in ([256] if i % 200 == 0 else []) + [v]] + [257]
    number = sum(c << 9 * i for i, c in enumerate(codes))
    tiff(at('old.tif'), tiff_page(old, 8, MINISBLACK, tags={259: (3, [5])}, raw=number.to_bytes(-(-9 * len(codes) // 8), 'little')))
    r.expect('TIFF of old-style LZW, which libtiff warns of', at('old.tif'), shown(old))
    letters = (W, H, 1, [ord(c) for c in 'CR'] + base['gray8'][3][2:])
    tiff(at('letters.tif'), tiff_page(letters, 8, MINISBLACK))
    r.expect("TIFF whose first pixels are CR, as a word of Canon's raw pictures is", at('letters.tif'), shown(letters))
    fine_bits()
    colours(base)
    pages(base['rgb8'])


def fine_bits():
    for bits in 1, 2, 4:
        p, most = picture(1, 2 ** bits - 1), 2 ** bits - 1
        for photometric in MINISBLACK, MINISWHITE:
            name = 'bits%d-%d' % (bits, photometric)
            tiff(at(name + '.tif'), tiff_page(p, bits, photometric))
            pixels = (W, H, 1, [(most - v if photometric == MINISWHITE else v) * 255 // most for v in p[3]])
            r.expect('TIFF of %d bits, photometric %d' % (bits, photometric), at(name + '.tif'), shown(pixels))
            for c in ['g3', 'g3:2d', 'g3:fill', 'g4', 'jbig'] if bits == 1 else ['lzw']:
                to = at('%s-%s.tif' % (name, c.replace(':', '_')))
                run('tiffcp', '-c', c, at(name + '.tif'), to)
                r.expect('TIFF of %d bits, photometric %d, %s' % (bits, photometric, c), to, shown(pixels))


def colours(base):
    for bits in 4, 8:
        p, n = picture(1, 2 ** bits - 1), 2 ** bits
        table = [(i * 7919 + 13 * k) % 256 for k in range(3) for i in range(n)]
        tiff(at('palette%d.tif' % bits), tiff_page(p, bits, PALETTE, tags={320: (3, [v * 257 for v in table])}))
        r.expect('TIFF palette of %d' % n, at('palette%d.tif' % bits), (W, H, 3, [table[v + n * k] for v in p[3] for k in range(3)]))
    p = picture(4)
    tiff(at('cmyk.tif'), tiff_page(p, 8, CMYK))
    ink = [(255 - p[3][4 * i + 3]) * (255 - p[3][4 * i + k]) // 255 for i in range(W * H) for k in range(3)]
    r.expect('TIFF CMYK', at('cmyk.tif'), (W, H, 3, ink))
    for c in 'jpeg:r:90', 'jpeg:90':
        to = at('c%s.tif' % c.replace(':', '_'))
        run('tiffcp', '-c', c, '-r', '16', at('rgb8.tif'), to)
        run('tiff2rgba', '-c', 'none', to, to + '.rgba.tif')
        data = open(to + '.rgba.tif', 'rb').read()
        rows = tiff_strips(data)
        r.expect('TIFF %s as tiff2rgba has it' % c, to, (W, H, 3, [v for i, v in enumerate(rows) if i % 4 < 3]))
    run('tiffcp', '-c', 'webp', at('rgb8.tif'), at('cwebp.tif'))
    run('tiff2rgba', '-c', 'none', at('cwebp.tif'), at('cwebp.rgba.tif'))
    r.expect('TIFF webp as tiff2rgba has it', at('cwebp.tif'),
             (W, H, 3, [v for i, v in enumerate(tiff_strips(open(at('cwebp.rgba.tif'), 'rb').read())) if i % 4 < 3]))
    for o in range(1, 9):
        for name, kind, p in ('gray16', MINISBLACK, base['gray16']), ('rgb8', RGB, base['rgb8']):
            to, bits = at('%s-turned%d.tif' % (name, o)), 16 if name == 'gray16' else 8
            tiff(to, tiff_page(p, bits, kind, tags={274: (3, [o])}))
            r.expect('TIFF %s, orientation %d' % (name, o), to, turned(shown(p, 2 ** bits - 1), o))
        table = [i * 257 for k in range(3) for i in range(256)]
        to, p = at('palette-turned%d.tif' % o), picture(1)
        tiff(to, tiff_page(p, 8, PALETTE, tags={320: (3, table), 274: (3, [o])}))
        r.expect('TIFF palette, orientation %d' % o, to, turned(shown(p), o))


def tiff_strips(data):
    """The bytes of all strips of an uncompressed file, one after the other, by its own tags."""
    big = '<' if data[:2] == b'II' else '>'
    ifd, = struct.unpack_from(big + 'I', data, 4)
    count, = struct.unpack_from(big + 'H', data, ifd)
    tags = {}
    for i in range(count):
        tag, kind, n = struct.unpack_from(big + 'HHI', data, ifd + 2 + 12 * i)
        size = {3: 2, 4: 4}.get(kind, 1)
        where = ifd + 10 + 12 * i if n * size <= 4 else struct.unpack_from(big + 'I', data, ifd + 10 + 12 * i)[0]
        if kind in (3, 4):
            tags[tag] = struct.unpack_from('%s%d%s' % (big, n, 'H' if kind == 3 else 'I'), data, where)
    return b''.join(data[o:o + n] for o, n in zip(tags[273], tags[279]))


def pages(p):
    """Pages are counted from 0; a file whose own name ends in [1] is that file."""
    q, s = picture(1, 65535, 20, 11, 9), picture(3, 255, 8, 50, 3)
    tiff(at('pages.tif'), tiff_page(p, 8, RGB), tiff_page(q, 16, MINISBLACK), tiff_page(s, 8, RGB))
    for i, pixels in enumerate((shown(p), shown(q, 65535), shown(s))):
        r.expect('TIFF page %d' % i, at('pages.tif[%d]' % i), pixels)
    r.expect('TIFF without a number is page 0', at('pages.tif'), shown(p))
    tiff(at('own.tif[1]'), tiff_page(s, 8, RGB))
    r.expect('a file whose name ends in [1]', at('own.tif[1]'), shown(s))
    tiff(at('own.tif'), tiff_page(p, 8, RGB))
    r.expect('also where there is a file without it', at('own.tif[1]'), shown(s))


def webps():
    p, a = picture(3), picture(4)
    write_pnm(at('rgb.ppm'), p)
    write_png(at('rgba.png'), a)
    for name, source, options in (('lossless', 'rgb.ppm', ['-lossless']), ('lossy', 'rgb.ppm', ['-q', '80']),
                                  ('alpha-exact', 'rgba.png', ['-lossless', '-exact']), ('alpha-lossless', 'rgba.png', ['-lossless']),
                                  ('alpha', 'rgba.png', ['-q', '60', '-alpha_q', '50'])):
        to = at(name + '.webp')
        run('cwebp', '-quiet', *options, at(source), '-o', to)
        run('dwebp', '-quiet', to, '-pam', '-o', to + '.pam')
        read = read_pnm(to + '.pam')
        r.expect('WebP %s as dwebp has it' % name, to, shown(read))
        if name == 'lossless':
            r.expect('WebP lossless as it was', to, shown(p))
        if name == 'alpha-exact':
            r.expect('WebP with alpha as it was', to, shown(a))
    for o in 1, 3, 6, 8:
        for head in b'', b'Exif\0\0':
            to = at('turned%d-%d.webp' % (o, len(head)))
            webp_with_exif(at('lossless.webp'), to, o, head)
            r.expect('WebP, EXIF orientation %d%s' % (o, ' behind Exif' if head else ''), to, turned(shown(p), o))


def webp_with_exif(path, to, orientation, head):
    exif = head + struct.pack('>2sHIHHHIHHI', b'MM', 42, 8, 1, 0x112, 3, 1, orientation, 0, 0)
    chunk = lambda name, data: name + struct.pack('<I', len(data)) + data + b'\0' * (len(data) % 2)
    size = struct.pack('<I', W - 1)[:3] + struct.pack('<I', H - 1)[:3]
    body = b'WEBP' + chunk(b'VP8X', b'\x08\0\0\0' + size) + open(path, 'rb').read()[12:] + chunk(b'EXIF', exif)
    open(to, 'wb').write(b'RIFF' + struct.pack('<I', len(body)) + body)


def compress(*words):
    run('opj_compress', '-n', '3', *words)


def jp2s():
    for name, channels, most in ('gray', 1, 255), ('rgb', 3, 255), ('gray12', 1, 4095), ('rgb12', 3, 4095), ('gray16', 1, 65535), ('rgb16', 3, 65535):
        p = picture(channels, most)
        source = at('j%s.%s' % (name, 'ppm' if channels == 3 else 'pgm'))
        write_pnm(source, p, most)
        for i, (kind, options) in enumerate((('jp2', []), ('j2k', []), ('jp2', ['-t', '16,16']), ('jp2', ['-mct', '0']), ('jp2', ['-p', 'RPCL', '-SOP', '-EPH']))):
            to = at('%s-%d.%s' % (name, i, kind))
            if channels == 1 and '-mct' in options:
                continue
            compress('-i', source, '-o', to, *options)
            r.expect('JPEG 2000 %s, %s %s' % (name, kind, ' '.join(options)), to, shown(p, most))
        to = at('%s-lossy.jp2' % name)
        compress('-i', source, '-o', to, '-r', '6', '-I')
        run('opj_decompress', '-i', to, '-o', to + ('.ppm' if channels == 3 else '.pgm'))
        r.expect('JPEG 2000 %s, lossy, as opj_decompress has it' % name, to, shown(read_pnm(to + ('.ppm' if channels == 3 else '.pgm')), most))
    a = picture(4)
    write_png(at('alpha.png'), a)
    compress('-i', at('alpha.png'), '-o', at('alpha.jp2'))
    r.expect('JPEG 2000 with alpha', at('alpha.jp2'), shown(a))
    w, h = 36, 28
    samples = picture(1, 255, w, h)[3] + picture(1, 255, w // 2, h // 2, 4)[3] + picture(1, 255, w // 2, h // 2, 6)[3]
    open(at('video.yuv'), 'wb').write(bytes(samples))
    compress('-i', at('video.yuv'), '-o', at('video.jp2'), '-F', '%d,%d,3,8,u@1x1:2x2:2x2' % (w, h))
    run('opj_decompress', '-i', at('video.jp2'), '-o', at('video.ppm'))
    r.expect('JPEG 2000 sYCC, of half the colours, as opj_decompress has it', at('video.jp2'), at('video.ppm'), 1)


def damage():
    rgb = shown(picture(3))
    tiff(at('float.tif'), tiff_page((W, H, 1, [0] * (W * H)), 32, MINISBLACK, tags={339: (3, [3])}, raw=bytes(4 * W * H)))
    r.refuse(at('float.tif'), 'TIFF of 32-bit floating-point samples: must be of unsigned ones, .*')
    for planes in tiff_page, tiff_planes:
        tiff(at('few.tif'), planes(picture(3), 8, RGB, 2))
        r.refuse(at('few.tif'), 'TIFF of 3 samples, 1 of them extra: must have 3 colours besides')
    tiff(at('signed.tif'), tiff_page(picture(1, 65535), 16, MINISBLACK, tags={339: (3, [2])}))
    r.refuse(at('signed.tif'), 'TIFF of 16-bit signed samples: must be of unsigned ones, .*')
    tiff(at('twelve.tif'), tiff_page((W, H, 1, [0] * (W * H)), 12, MINISBLACK, raw=bytes(2 * W * H)))
    r.refuse(at('twelve.tif'), 'TIFF of 1 samples of 12 bits a pixel: libtiff: .*12-bit samples')
    tiff(at('scheme.tif'), tiff_page(picture(1), 8, MINISBLACK, tags={259: (3, [33003])}))
    r.refuse(at('scheme.tif'), 'TIFF of compression 33003: libtiff here has no decoder for it')
    tiff(at('huge.tif'), tiff_page(picture(1), 8, MINISBLACK, tags={256: (4, [200000]), 257: (4, [200000])}))
    r.refuse(at('huge.tif'), '200000x200000 pixels: must be at most 100000000 in all')
    tiff(at('slide.tif'), tiff_page(picture(1), 8, MINISBLACK, tags={256: (4, [90000]), 257: (4, [30000])}), tiff_page(picture(1, 255, 9, 9), 8, MINISBLACK),
         tiff_page(picture(1), 8, MINISBLACK), tiff_page(picture(1, 255, 8, 8), 8, MINISBLACK))
    r.refuse(at('slide.tif'), r'90000x30000 pixels: must be at most 100000000 in all; \[2\], page 2 of it, has 37x29')
    # Not too many pixels, but of too many bytes: what is as large is not named either
    deep = tiff_page(picture(4, 65535, 9, 9), 16, RGB, 2, tags={256: (4, [10000]), 257: (4, [10000])})
    tiff(at('deep.tif'), deep)
    r.refuse(at('deep.tif'), '10000x10000 pixels take 800000000 bytes to decode: must be at most 600000000')
    tiff(at('deeper.tif'), deep, deep, tiff_page(picture(1), 8, MINISBLACK))
    r.refuse(at('deeper.tif'), r'10000x10000 pixels take 800000000 bytes to decode: must be at most 600000000; \[2\], page 2 of it, has 37x29')
    r.refuse(at('pages.tif[3]'), 'has no page 3: must be 0 to 2, of 3')
    r.refuse(at('gray8.tif[1]'), 'has one page, whose number is 0, not 1')
    r.refuse(at('lossless.webp[1]'), 'has one image, whose number is 0, not 1')
    cut = lambda name, to, n: open(at(to), 'wb').write(open(at(name), 'rb').read()[:n])
    cut('pages.tif', 'cut.tif', 2000)
    r.refuse(at('cut.tif'), 'corrupt TIFF: .*')
    data = bytearray(open(at('rgb8-zip.tif'), 'rb').read())
    data[60:70] = b'no deflate'
    open(at('bad.tif'), 'wb').write(data)
    r.refuse(at('bad.tif'), 'corrupt TIFF: .*')
    for n in 20, 200, 900:
        cut('lossless.webp', 'cut%d.webp' % n, n)
        r.refuse(at('cut%d.webp' % n), 'corrupt WebP: %d bytes, but its header says .*' % n)
    data = bytearray(open(at('lossless.webp'), 'rb').read())
    data[25:200] = bytes(175)
    open(at('bad.webp'), 'wb').write(data)
    r.refuse(at('bad.webp'), 'corrupt WebP: .*')
    for name in 'rgb-0.jp2', 'rgb-1.j2k':
        for n in 60, 700, 1500:
            cut(name, '%d-%s' % (n, name), n)
            r.refuse(at('%d-%s' % (n, name)), 'corrupt JPEG 2000: .*')


def kinds():
    """Files of other kinds are named, with a command for those that have one, whose words a shell takes as they are."""
    must = 'must be a JPEG, PNG, BMP, binary PGM or PPM, TIFF, WebP, JPEG 2000 or DICOM file'
    raw = tiff_page(picture(1), 8, MINISBLACK, tags={254: (4, [1]), 330: (4, [8])})
    tiff(at('d.dng'), tiff_page(picture(1), 8, MINISBLACK, tags={50706: (1, [1, 4, 0, 0])}))
    tiff(at('n.nef'), raw)
    open(at('c.cr2'), 'wb').write(b'II*\0\x10\0\0\0CR\2\0' + bytes(200))
    files = {'a b.heic': b'\0\0\0\x18ftypheic', "it's.avif": b'\0\0\0\x18ftypavif', 'x.jxl': b'\xff\x0a', 'x.gif': b'GIF89a', 'x.pdf': b'%PDF-1.4',
             'x.svg': b'<?xml version="1.0"?>\n<svg xmlns="x"/>', 'x.nii': b'\x5c\1\0\0' + bytes(340) + b'n+1\0', 'x.nii.gz': b'\x1f\x8b\x08',
             'x.mp4': b'\0\0\0\x18ftypisom', 'x.html': b'<!DOCTYPE html>', 'x.npy': b'\x93NUMPY'}
    for name, data in files.items():
        open(at(name), 'wb').write(data + bytes(200))
    here, made = re.escape(r.folder), r' \(Debian.s %s\) makes one that is read'
    for name, reason in (('a b.heic', "is a HEIF image: heif-convert '%s/a b.heic' '%s/a b'.png" % (here, here) + made % 'libheif-examples'),
                         ("it's.avif", r"is an AVIF image: avifdec '%s/it'\\''s.avif' '%s/it'\\''s'.png" % (here, here) + made % 'libavif-bin'),
                         ('x.jxl', 'is a JPEG XL image: djxl .*x.jxl .*/x.png' + made % 'libjxl-tools'),
                         ('x.gif', r'is a GIF image: convert .*x.gif\[0\] .*/x.png' + made % 'imagemagick'),
                         ('x.pdf', 'is a PDF document: pdftoppm -png -singlefile .*x.pdf .*/x' + made % 'poppler-utils'),
                         ('x.svg', 'is an SVG drawing: rsvg-convert -o .*/x.png .*x.svg' + made % 'librsvg2-bin'),
                         ('x.nii', 'is a NIfTI volume: medcon -f .*x.nii -c png -o .*/x' + made % 'medcon'),
                         ('x.nii.gz', 'is a gzip file: gunzip -k .*x.nii.gz' + made % 'gzip'),
                         ('x.mp4', 'is a video: ffmpeg -i .*x.mp4 -frames:v 1 .*/x.png' + made % 'ffmpeg'),
                         ('d.dng', "is a camera's raw picture: dcraw -T .*d.dng" + made % 'dcraw'), ('n.nef', "is a camera's raw picture: .*"),
                         ('c.cr2', "is a camera's raw picture: dcraw -T .*c.cr2" + made % 'dcraw'),
                         ('x.html', 'is a web page: ' + must), ('x.npy', r'is a file of numbers \(HDF5, NumPy, MATLAB or FITS\): ' + must)):
        r.refuse(at(name), reason)


tiffs()
webps()
jp2s()
r.compare()
damage()
kinds()
sys.exit(r.failed)
