#!/bin/bash
# The same pictures in files of other kinds give the same weights, results and probabilities: turned
# with an EXIF orientation, of 12 bits in 16, and as PGMs whose header says their white.
. tests/lib.sh
. tests/toy.sh
a=$TMP_TEST/a
toy "$a"
/usr/bin/python3 - "$a" <<'END'
import glob, os, struct, sys, zlib
root = sys.argv[1]
def chunk(kind, data):
    return struct.pack('>I', len(data)) + kind + data + struct.pack('>I', zlib.crc32(kind + data))
def png(rows, bits, orientation):
    exif = b'MM\0*' + struct.pack('>IHHHIHHI', 8, 1, 0x112, 3, 1, orientation, 0, 0)
    raw = b''.join(b'\0' + (bytes(r) if bits == 8 else struct.pack('>%dH' % len(r), *r)) for r in rows)
    head = struct.pack('>IIBBBBB', len(rows[0]), len(rows), bits, 0, 0, 0, 0)
    return (b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', head) + (chunk(b'eXIf', exif) if orientation else b'')
            + chunk(b'IDAT', zlib.compress(raw)) + chunk(b'IEND', b''))
# How a file of each orientation lies: the picture turned by what undoes it
mirror, flip, across = (lambda p: [r[::-1] for r in p]), (lambda p: p[::-1]), (lambda p: [list(r) for r in zip(*p)])
lie = [None, lambda p: p, mirror, lambda p: flip(mirror(p)), flip, across, lambda p: mirror(across(flip(mirror(p)))),
       lambda p: across(flip(mirror(p))), lambda p: flip(across(flip(mirror(p))))]
lie[6] = lambda p: flip(across(p))   # shown turned to the right
lie[8] = lambda p: across(flip(p))   # shown turned to the left
for kind in 'turned', 'lying', 'deep', 'own':
    os.makedirs('%s/%s/backup' % (root, kind))
for n, path in enumerate(sorted(glob.glob(root + '/images/*.pgm'))):
    data = open(path, 'rb').read()[-144:]
    p = [list(data[12 * y:12 * y + 12]) for y in range(12)]
    name = os.path.basename(path)[:-4]
    def write(kind, end, content):
        open('%s/%s/%s.%s' % (root, kind, name, end), 'wb').write(content)
    o = n % 8 + 1
    deep = [[(v * 4095 + 127) // 255 for v in r] for r in p]
    write('turned', 'png', png(lie[o](p), 8, o))
    write('lying', 'png', png(lie[o](p), 8, 0))
    write('deep', 'png', png(deep, 16, 0))
    write('own', 'pgm', b'P5 12 12 4095\n' + b''.join(struct.pack('>12H', *r) for r in deep))
for kind, end in ('turned', 'png'), ('lying', 'png'), ('deep', 'png'), ('own', 'pgm'):
    to = root + '/' + kind
    for l in 'train', 'valid', 'test':
        text = open('%s/%s.list' % (root, l)).read().replace(root + '/images', to).replace('.pgm', '.' + end)
        open('%s/%s.list' % (to, l), 'w').write(text)
    open(to + '/x.data', 'w').write('classes=8\nlabels=%s/labels\ntrain=%s/train.list\nvalid=%s/valid.list\ntest=%s/test.list\nbackup=%s/backup\n'
                                    % (root, to, to, to, to))
END
sed 's/^channels=1/&\norientation=stored/' "$a/toy.cfg" >"$a/stored.cfg"
sed "s/^channels=1/&\norientation=exif/; s/^max_batches=.*/max_batches=3/; /^policy=/d; /^steps=6/d; /^scales=/d; /^burn_in=/d" "$a/toy.cfg" >"$a/exif.cfg"

# train FOLDER CFG: trains on the folder's x.data
train() { "$DARKNET_BIN" meta train "$a/$1/x.data" "$a/$2.cfg" >"$a/out" 2>&1; }
same() { cmp "$a/$1" "$a/$2"; }
check 'the 8-bit files are trained on' "$DARKNET_BIN" meta train "$a/toy.data" "$a/toy.cfg"
check 'files turned by their EXIF data are trained on' train turned toy
check 'EXIF orientation: the weights are those of upright files' same backup/toy_final.weights turned/backup/toy_final.weights
check 'orientation=stored: trained' train turned stored
check 'pixels as they lie: trained' train lying toy
check 'orientation=stored: the weights are those of the pixels as they lie' same turned/backup/stored_final.weights lying/backup/toy_final.weights
check 'and other ones than those of upright files' eval "! same turned/backup/stored_final.weights turned/backup/toy_final.weights"
check 'orientation=exif is a key of [net]' train turned exif
sed 's/^channels=1/&\norientation=left/' "$a/toy.cfg" >"$a/left.cfg"
expect_error "^darknet: $a/left\.cfg:5: \[net\] orientation=left: must be " "$DARKNET_BIN" meta train "$a/toy.data" "$a/left.cfg"

weights=$a/backup/toy_final.weights
# auc DATA JSON: tests, and writes the AUCs and losses of all tasks to JSON.auc
auc() { "$DARKNET_BIN" meta test "$1" "$a/toy.cfg" "$weights" -runs 5 -out "$2" >"$a/out" 2>&1 && grep -E '"[a-z_]*(auc|loss)' "$2" >"$2.auc"; }
check 'meta test: upright files' auc "$a/toy.data" "$a/1.json"
check 'meta test: files turned by their EXIF data' auc "$a/turned/x.data" "$a/2.json"
check 'meta test: the same AUCs' same 1.json.auc 2.json.auc

# Six images of the two rare classes, three each, adapted to and predicted
for kind in images turned; do
    printf '%s\n' "$a/$kind"/c[67]_[123].p?? >"$a/$kind.few"
    printf 'classes=2\nlabels=%s\ntrain=%s\n' "$a/two.labels" "$a/$kind.few" >"$a/$kind.data"
done
printf 'c6_\nc7_\n' >"$a/two.labels"
check 'meta adapt: upright files' "$DARKNET_BIN" meta adapt "$a/images.data" "$a/toy.cfg" "$weights" -out "$a/up"
check 'meta adapt: files turned by their EXIF data' "$DARKNET_BIN" meta adapt "$a/turned.data" "$a/toy.cfg" "$weights" -out "$a/side"
check 'meta adapt: the same weights' same up.weights side.weights
check 'meta adapt: the .cfg says nothing of the default' eval "! grep -q orientation '$a/side.cfg'"
"$DARKNET_BIN" meta adapt "$a/turned.data" "$a/stored.cfg" "$weights" -out "$a/lie" >"$a/out" 2>&1
check 'meta adapt: orientation=stored goes along' grep -qx orientation=stored "$a/lie.cfg"
probabilities() { "$DARKNET_BIN" meta predict "$@" -csv | cut -d, -f2-; }
names() { printf 'classes=2\nnames=%s\n' "$a/two.labels" >"$a/names.data"; }
names
probabilities "$a/up.cfg" "$a/up.weights" "$a/names.data" "$a/images/"c[67]_[89].pgm >"$a/p.images" 2>"$a/err"
check 'meta predict reads a .data without labels' eval "test \$(wc -l <'$a/p.images') = 5"
probabilities "$a/up.cfg" "$a/up.weights" "$a/images.data" "$a/turned/"c[67]_[89].png >"$a/p.turned"
check 'meta predict: the same probabilities of turned files' same p.images p.turned
printf 'classes=2\n' >"$a/nothing.data"
expect_error 'nothing.data: labels is missing: must name a file' "$DARKNET_BIN" meta predict "$a/up.cfg" "$a/up.weights" "$a/nothing.data" "$a/images/c6_8.pgm"

# 12 bits
expect_error "^darknet: $a/deep/train\.list: the largest value of 64 of its 64 16-bit files is [0-9]+: $a/deep/x\.data needs range=4095 if that is their white, or range=65535 if they are as dark as that$" \
    "$DARKNET_BIN" meta train "$a/deep/x.data" "$a/toy.cfg"
expect_error "^darknet: $a/deep/c6_8\.png: the largest of its 16-bit values is [0-9]+: $a/names\.data needs range=4095 if that is white" \
    "$DARKNET_BIN" meta predict "$a/up.cfg" "$a/up.weights" "$a/names.data" "$a/deep/c6_8.png"
echo range=4095 | tee -a "$a/names.data" >>"$a/deep/x.data"
expect_output 'ok +train +.*/train\.list: 64 16-bit files, largest value [0-9]+, white is 4095' "$DARKNET_BIN" meta doctor "$a/deep/x.data" "$a/toy.cfg" -threads 2 -seconds .01
expect_output "train\.list: 64 16-bit files, largest value [0-9]+, white is 4095$" "$DARKNET_BIN" meta train "$a/deep/x.data" "$a/toy.cfg"
deep_data() { sed "s/^range=.*/range=$1/" "$a/deep/x.data" >"$a/deep/other.data"; }
deep_data 8191
expect_error "toy.state: can't resume: range in the .data file is 8191, but was 4095 in the checkpoint" "$DARKNET_BIN" meta train "$a/deep/other.data" "$a/toy.cfg" -resume
printf '[table]\nname=Deep\ndata=%s\nruns=2\nfirst=2\nvalid_every=0\n\n[row]\nlabel=One\ncfg=%s\nshots=2\n' "$a/deep/other.data" "$a/toy.cfg" >"$a/deep.table"
expect_output '1 of 1 cells' "$DARKNET_BIN" meta table "$a/deep.table" -out "$a/deep/tables"
deep_data 4095
expect_output '^One .*again: range of the train list is 4095, but was 8191' "$DARKNET_BIN" meta table "$a/deep.table" -out "$a/deep/tables" -dry
check 'range=4095: the weights are those of 8-bit files' same backup/toy_final.weights deep/backup/toy_final.weights
check 'a PGM whose header says 4095 needs no range' train own toy
check 'and gives the same weights' same backup/toy_final.weights own/backup/toy_final.weights
probabilities "$a/up.cfg" "$a/up.weights" "$a/names.data" "$a/deep/"c[67]_[89].png >"$a/p.deep"
check 'meta predict: the same probabilities of 12-bit files' same p.images p.deep
