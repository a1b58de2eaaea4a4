"""DICOM files for tests, written here element by element, in explicit little endian; DCMTK's tools make the other transfer
syntaxes of them."""
import struct

EXPLICIT, CLASS = '1.2.840.10008.1.2.1', '1.2.840.10008.5.1.4.1.1.7'


def element(group, number, kind, value):
    if isinstance(value, str):
        value = value.encode()
        value += (b'\0' if kind == 'UI' else b' ') * (len(value) % 2)
    elif kind in ('US', 'SS'):
        values = value if isinstance(value, (list, tuple)) else [value]
        value = struct.pack('<%d%s' % (len(values), 'H' if kind == 'US' else 'h'), *values)
    value += b'\0' * (len(value) % 2)
    head = struct.pack('<HH', group, number) + kind.encode()
    return head + (struct.pack('<HI', 0, len(value)) if kind in ('OB', 'OW', 'SQ', 'UN') else struct.pack('<H', len(value))) + value


def write_dictionary(path):
    """Of the elements that matter to pixels, in the form of DCMTK's dicom.dic."""
    kinds = {'UI': (0x20002, 0x20003, 0x20010, 0x20012, 0x80016, 0x80018, 0x82112, 0x20000d, 0x20000e), 'US': (0x280002, 0x280006, 0x280010, 0x280011, 0x280100, 0x280101, 0x280102, 0x280103),
             'CS': (0x280004, 0x281056, 0x282110), 'IS': (0x280008,), 'DS': (0x281050, 0x281051, 0x281052, 0x281053), 'lt': (0x281201, 0x281202, 0x281203), 'px': (0x7fe00010,),
             'xs': (0x283002,), 'SQ': (0x283000, 0x283010), 'LO': (0x283004,), 'UL': (0x20000,)}
    with open(path, 'w') as f:
        for kind, tags in kinds.items():
            for tag in tags:
                f.write('(%04x,%04x)\t%s\tElement%x\t1\tDICOM\n' % (tag >> 16, tag & 65535, kind, tag))


def item(*elements):
    body = b''.join(elements)
    return struct.pack('<HHI', 0xfffe, 0xe000, len(body)) + body


def dicom(path, w, h, samples, colours='MONOCHROME2', channels=1, allocated=8, stored=None, signed=0, frames=1, more=(), planar=None, preamble=True):
    """samples: numbers in file order, all frames. more: (group, number, kind, value) of other elements."""
    stored = stored or allocated
    code = {(8, 0): 'B', (8, 1): 'b', (16, 0): 'H', (16, 1): 'h'}[allocated, signed]
    own = {(8, 0x16): ('UI', CLASS), (8, 0x18): ('UI', '1.2.3.4'), (8, 0x60): ('CS', 'OT'), (0x10, 0x10): ('PN', 'Test'),
           (0x28, 2): ('US', channels), (0x28, 4): ('CS', colours), (0x28, 0x10): ('US', h), (0x28, 0x11): ('US', w),
           (0x28, 0x100): ('US', allocated), (0x28, 0x101): ('US', stored), (0x28, 0x102): ('US', stored - 1), (0x28, 0x103): ('US', signed),
           (0x20, 0xd): ('UI', '1.2.3'), (0x20, 0xe): ('UI', '1.2.3.1'), (0x20, 0x10): ('SH', '1'), (0x20, 0x11): ('IS', '1'), (0x20, 0x13): ('IS', '1')}
    if channels > 1:
        own[0x28, 6] = ('US', planar or 0)
    if frames > 1:
        own[0x28, 8] = ('IS', str(frames))
    for group, number, kind, value in more:
        own[group, number] = (kind, value)
    if samples is not None:
        own[0x7fe0, 0x10] = ('OW' if allocated == 16 else 'OB', struct.pack('<%d%s' % (len(samples), code), *samples))
    body = b''.join(element(*tag, *content) for tag, content in sorted(own.items()))
    meta = element(2, 1, 'OB', b'\0\1') + element(2, 2, 'UI', CLASS) + element(2, 3, 'UI', '1.2.3.4') + element(2, 0x10, 'UI', EXPLICIT) + element(2, 0x12, 'UI', '1.2.3.9')
    head = bytes(128) + b'DICM' + struct.pack('<HH2sHI', 2, 0, b'UL', 4, len(meta)) + meta
    open(path, 'wb').write((head if preamble else b'') + body)
