"""What tests/cli/image_dicom.sh asks: python3 tests/image_dicom.py FOLDER [files]"""
import os
import struct
import sys

from dicom_files import *
from image_files import *

r = Reader(sys.argv)
at = r.path

# Reading the whole dictionary takes dcm2pnm most of its time: where types are not implied, one of these elements is enough
QUICK = {'DCMDICTPATH': at('small.dic')}
write_dictionary(at('small.dic'))
CENTRE, WIDTH, SLOPE, INTERCEPT = (0x28, 0x1050), (0x28, 0x1051), (0x28, 0x1053), (0x28, 0x1052)


def values(n, least, most, w=W, h=H, seed=1):
    return [v + least for v in picture(n, most - least, w, h, seed)[3]]


def like(title, path, *options, frame=0, within=1, tool='dcm2pnm', implied=False, shown=None):
    """dcm2pnm, or the ones that know JPEG and JPEG-LS too, with these options, and without overlays, give of the file, or of the one whose
    picture it has, what the program does."""
    to = at('like-%d.pnm' % len(r.cases))
    if not r.silent:
        run(tool, '+F', frame + 1, '-O', *options, shown or path, to, env=dict(os.environ, **({} if implied else QUICK)))
    r.expect('DICOM %s, as %s %s has it' % (title, tool, ' '.join(options)), path + ('[%d]' % frame if frame else ''), to, within)


def window(centre, width):
    return [(*CENTRE, 'DS', centre), (*WIDTH, 'DS', width)]


def table(tag, first, entries, bits):
    """A sequence of one table: modality or values of interest."""
    inside = [element(0x28, 0x3002, 'US', [len(entries), first % 65536, bits])]
    if tag == 0x3000:
        inside.append(element(0x28, 0x3004, 'LO', 'US'))
    inside.append(element(0x28, 0x3006, 'US', entries))
    return (0x28, tag, 'SQ', item(*inside))


def grays():
    kinds = [(8, 8, 0), (8, 8, 1), (16, 10, 0), (16, 12, 0), (16, 12, 1), (16, 16, 0), (16, 16, 1)]
    for colours in 'MONOCHROME1', 'MONOCHROME2':
        for allocated, stored, signed in kinds:
            least, most = (-(1 << (stored - 1)), (1 << (stored - 1)) - 1) if signed else (0, (1 << stored) - 1)
            name = '%s of %d bits in %d%s' % (colours, stored, allocated, ', signed' if signed else '')
            s = values(1, least // 2, most - most // 4)
            file = lambda part: at('%s-%d-%d-%s.dcm' % (colours, stored, signed, part))
            own = dict(colours=colours, allocated=allocated, stored=stored, signed=signed)
            dicom(file('plain'), W, H, s, **own)
            like(name, file('plain'), '+Wm')
            middle = (least + most) // 2
            dicom(file('window'), W, H, s, more=window('%d\\40' % middle, '%d\\400' % ((most - least) // 3)), **own)
            like(name + ', window', file('window'), '+Wi', '1')
            dicom(file('scaled'), W, H, s, more=window('%d' % (middle // 2 - 10), '%d' % max(2, (most - least) // 5)) + [(*SLOPE, 'DS', '0.5'), (*INTERCEPT, 'DS', '-10')], **own)
            like(name + ', rescaled, window', file('scaled'), '+Wi', '1')
    s = values(1, 0, 255)
    voi = table(0x3010, 0, [min(255, i * i // 255) for i in range(256)], 8)
    dicom(at('voi.dcm'), W, H, s, more=[voi])
    like('table of values of interest', at('voi.dcm'), '+Wl', '1')
    deep = values(1, 0, 4095)
    dicom(at('modality.dcm'), W, H, deep, allocated=16, stored=12, more=[table(0x3000, 0, [65535 - 16 * i for i in range(4096)], 16)])
    like('modality table', at('modality.dcm'), '+Wm')
    dicom(at('constant.dcm'), 36, 28, [77] * (36 * 28))
    like('of one value', at('constant.dcm'), '+Wm')
    dicom(at('sigmoid.dcm'), W, H, deep, allocated=16, stored=12, more=window('2000', '900') + [(0x28, 0x1056, 'CS', 'SIGMOID')])
    like('sigmoid window', at('sigmoid.dcm'), '+Wi', '1')
    # A slope of a thousandth: rescaled to whole numbers, as DCMTK does it, nothing is left. The picture is that of the stored values.
    scale = lambda slope, intercept='0': [(*SLOPE, 'DS', slope), (*INTERCEPT, 'DS', intercept)]
    own = dict(allocated=16, stored=12)
    dicom(at('deep.dcm'), W, H, deep, **own)
    dicom(at('deep-window.dcm'), W, H, deep, more=window('2000.5', '1001'), **own)
    dicom(at('down.dcm'), W, H, [4095 - v for v in deep], **own)
    dicom(at('down-window.dcm'), W, H, [4095 - v for v in deep], more=window('2000.5', '1001'), **own)
    for name, more, stored in (('small slope', scale('0.001'), 'deep'), ('small slope, window', scale('0.001') + window('2.5', '2'), 'deep-window'),
                               ('small slope, window without width', scale('0.001') + window('1', '0'), 'deep'),
                               ('small falling slope', scale('-0.001', '3'), 'down'),
                               ('small falling slope, window', scale('-0.001', '4.095') + window('2.5', '2'), 'down-window')):
        path = at(name.replace(' ', '-').replace(',', '') + '.dcm')
        dicom(path, W, H, deep, more=more, **own)
        like(name, path, *(('+Wi', '1') if 'window' in stored else ('+Wm',)), shown=at(stored + '.dcm'))
    dicom(at('no-width.dcm'), W, H, deep, more=window('1', '0'), **own)
    like('window without width', at('no-width.dcm'), '+Wm')
    overlay = [(0x6000, 0x10, 'US', H), (0x6000, 0x11, 'US', W), (0x6000, 0x40, 'CS', 'G'), (0x6000, 0x50, 'SS', [1, 1]), (0x6000, 0x100, 'US', 1),
               (0x6000, 0x102, 'US', 0), (0x6000, 0x3000, 'OW', b'\xff\x0f' * ((W * H + 15) // 16))]
    dicom(at('overlay.dcm'), W, H, s, more=overlay)
    like('overlay, which is not drawn', at('overlay.dcm'), '+Wm')


def colours():
    p = values(3, 0, 255)
    for planar in 0, 1:
        own = dict(channels=3, planar=planar)
        s = p if not planar else [v for k in range(3) for v in p[k::3]]
        for kind in 'RGB', 'YBR_FULL':
            to = at('%s-%d.dcm' % (kind, planar))
            dicom(to, W, H, s, kind, **own)
            like('%s, planar %d' % (kind, planar), to)
            if kind == 'RGB':
                r.expect('DICOM RGB, planar %d, as it was' % planar, to, (W, H, 3, p))
    dicom(at('half.dcm'), 36, 28, values(2, 0, 255, 36, 28), 'YBR_FULL_422', channels=3, planar=0)
    like('YBR_FULL_422', at('half.dcm'))
    s, n = values(1, 0, 255), 256
    tables = [(0x28, 0x1101 + k, 'US', [n, 0, 16]) for k in range(3)] + [(0x28, 0x1201 + k, 'OW', struct.pack('<256H', *[(i * 7919 + 13 * k) % 256 * 257 for i in range(n)])) for k in range(3)]
    dicom(at('palette.dcm'), W, H, s, 'PALETTE COLOR', more=tables)
    like('palette', at('palette.dcm'))


def syntaxes():
    """Every transfer syntax that DCMTK's tools write."""
    gray, deep, p = values(1, 0, 255), values(1, 0, 4095), values(3, 0, 255)
    dicom(at('s8.dcm'), W, H, gray)
    dicom(at('s12.dcm'), W, H, deep, allocated=16, stored=12, more=window('2000', '3000'))
    dicom(at('s3.dcm'), W, H, p, 'RGB', channels=3)
    wide = dict((name, ['+Wi', '1'] if name == 's12' else ['+Wm'] if name == 's8' else []) for name in ('s8', 's12', 's3'))
    ways = [('dcmconv', '+ti'), ('dcmconv', '+tb'), ('dcmconv', '+td'), ('dcmcrle',), ('dcmcjpeg', '+e1'), ('dcmcjpeg', '+el'), ('dcmcjpeg', '+eb'),
            ('dcmcjpeg', '+ee'), ('dcmcjpeg', '+es'), ('dcmcjpeg', '+ep'), ('dcmcjpls', '+el'), ('dcmcjpls', '+en')]
    readers = {'dcmcjpeg': 'dcmj2pnm', 'dcmcjpls': 'dcml2pnm'}
    for name in wide:
        for i, way in enumerate(ways):
            if way == ('dcmcjpeg', '+eb') and name == 's12':
                continue
            to = at('%s-%d.dcm' % (name, i))
            run(*way, at(name + '.dcm'), to)
            like('%s by %s' % (name, ' '.join(way)), to, *wide[name], tool=readers.get(way[0], 'dcm2pnm'), implied=way[0] == 'dcmconv')
    dicom(at('bare.dcm'), W, H, gray, preamble=False)
    like('without preamble and meta header', at('bare.dcm'), '+Wm')
    run('dcmconv', '-F', '+ti', at('s8.dcm'), at('implied.dcm'))
    like('without them, of implied types', at('implied.dcm'), '+Wm', implied=True)


def frames():
    s = [v for i in range(4) for v in values(1, 20 * i, 100 + 30 * i, seed=i + 1)]
    dicom(at('frames.dcm'), W, H, s, frames=4)
    p = [v for i in range(3) for v in values(3, 0, 255, seed=i + 1)]
    dicom(at('cframes.dcm'), W, H, p, 'RGB', channels=3, frames=3)
    run('dcmcrle', at('frames.dcm'), at('rframes.dcm'))
    run('dcmcjpeg', '+e1', at('cframes.dcm'), at('jframes.dcm'))
    for name, n in ('frames', 4), ('rframes', 4), ('cframes', 3), ('jframes', 3):
        for i in range(n):
            like('frame %d of %s' % (i, name), at(name + '.dcm'), *(['+Wm'] if n == 4 else []), frame=i, tool='dcmj2pnm' if name == 'jframes' else 'dcm2pnm')


def damage():
    r.refuse(at('frames.dcm[4]'), 'has no frame 4: must be 0 to 3, of 4')
    r.refuse(at('s8.dcm[1]'), 'has one frame, whose number is 0, not 1')
    dicom(at('none.dcm'), W, H, None, more=[(8, 0x60, 'CS', 'SR')])
    r.refuse(at('none.dcm'), 'DICOM without an image: modality SR')
    dicom(at('short.dcm'), W, H, values(1, 0, 255)[:500])
    r.refuse(at('short.dcm'), 'corrupt DICOM: 500 bytes of pixels, but its header says 1073')
    dicom(at('huge.dcm'), 65535, 65535, values(1, 0, 255))
    r.refuse(at('huge.dcm'), '65535x65535 pixels: must be at most 100000000 in all')
    dicom(at('wide.dcm'), W, H, values(2, 0, 255), allocated=16, channels=2)
    r.refuse(at('wide.dcm'), 'DICOM of 2 samples a pixel: must be 1 or 3')
    for name in 's8', 's3-3', 's3-4', 's12-10', 's8-6':
        data = open(at(name + '.dcm'), 'rb').read()
        for n in 140, 400, len(data) * 3 // 4, len(data) - 20:
            open(at('cut.dcm'), 'wb').write(data[:n])
            r.refuse(at('cut.dcm'), 'corrupt DICOM: .*|DICOM without an image.*')
    jpeg = open(at('s8-4.dcm'), 'rb').read()
    for syntax in b'90', b'91':
        open(at('jp2.dcm'), 'wb').write(jpeg.replace(b'1.2.840.10008.1.2.4.70', b'1.2.840.10008.1.2.4.' + syntax, 1))
        r.refuse(at('jp2.dcm'), r'DICOM in JPEG 2000.*, which DCMTK does not decode: gdcmconv --raw \(Debian.s libgdcm-tools\) makes a file of it that is read')


grays()
colours()
syntaxes()
frames()
r.compare()
damage()
sys.exit(r.failed)
