#!/bin/bash
# Images that can't be read: one line with the list's line and the file, before anything is trained or written; and paths that a
# shell would run are paths.
. tests/lib.sh
. tests/toy.sh
a=$TMP_TEST/a
toy "$a"
here=$TMP_TEST/here
mkdir "$here"
train_in_here() { env -C "$here" "$DARKNET_BIN" meta train "$a/bad.data" "$a/toy.cfg" "$@"; }
# bad PATH: writes bad.list, the training list with PATH as its fifth line, and a bad.data that
# names it
bad()
{
    { head -n 4 "$a/train.list"; printf '%s\n' "$1"; tail -n +5 "$a/train.list"; } >"$a/bad.list"
    sed "s#^train=.*#train=$a/bad.list#" "$a/toy.data" >"$a/bad.data"
}
refused() { bad "$1"; expect_error "^darknet: $a/bad\.list:5: $2" train_in_here; }
image=$a/images/c0_x

refused "$image.png" "$image\.png: No such file or directory$"
: >"$image.empty.png"
refused "$image.empty.png" "$image\.empty\.png: is empty$"
echo 'not an image' >"$image.text.jpg"
refused "$image.text.jpg" "$image\.text\.jpg: is no image: must be a JPEG, PNG, BMP, binary PGM or PPM, TIFF, WebP, JPEG 2000 or DICOM file$"
# The header of a PNG of 60000 x 60000 pixels, with its right checksum
printf '\211PNG\015\012\032\012\000\000\000\015IHDR\000\000\352\140\000\000\352\140\010\002\000\000\000\017\260\342\025' >"$image.huge.png"
refused "$image.huge.png" "$image\.huge\.png: 60000x60000 pixels: must be at most 100000000 in all$"
printf 'P5 60000 60000 255\n' >"$image.huge.pgm"
refused "$image.huge.pgm" "$image\.huge\.pgm: 60000x60000 pixels: must be at most 100000000 in all$"
truncate -s 300M "$image.large.jpg"
refused "$image.large.jpg" "$image\.large\.jpg: is 314572800 bytes: must be at most 268435456$"
head -c 100 "$a/images/c0_0.pgm" >"$image.cut.pgm"
refused "$image.cut.pgm" "$image\.cut\.pgm: corrupt PGM or PPM: 87 bytes of pixels, but its header says 144$"
# 12 x 12 gray pixels
jpeg='/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAIBAQEBAQIBAQECAgICAgQDAgICAgUEBAMEBgUGBgYFBgYGBwkIBgcJBwYGCAsICQoKCgoKBggLDAsKDAkKCgr/wAALCAAMAAwBAREA/8QAHwAAAQUBAQEBAQEAAAAAAAAAAAECAwQFBgcICQoL/8QAtRAAAgEDAwIEAwUFBAQAAAF9AQIDAAQRBRIhMUEGE1FhByJxFDKBkaEII0KxwRVS0fAkM2JyggkKFhcYGRolJicoKSo0NTY3ODk6Q0RFRkdISUpTVFVWV1hZWmNkZWZnaGlqc3R1dnd4eXqDhIWGh4iJipKTlJWWl5iZmqKjpKWmp6ipqrKztLW2t7i5usLDxMXGx8jJytLT1NXW19jZ2uHi4+Tl5ufo6erx8vP09fb3+Pn6/9oACAEBAAA/APnj9nHwZ/wiPkfutu3FfaXgb4rf2b4chtPtWNvbd7CvniHS7PTf+PSPbjpU6eItVhXy47jAHQYr/9k='
printf '%s' "$jpeg" | base64 -d >"$image.whole.jpg"
bad "$image.whole.jpg"
check 'a JPEG among PGMs is read' train_in_here -max_batches 1
printf '%s' "$jpeg" | base64 -d | head -c -12 >"$image.cut.jpg"
refused "$image.cut.jpg" "$image\.cut\.jpg: corrupt JPEG: "
png='iVBORw0KGgoAAAANSUhEUgAAAAwAAAAMCAAAAABzHgM7AAAApUlEQVR4nGPQMXf2j0orqu2cumANg5Gte1BMelFN+8Q5yxgsnXxC4zOKqlv6pi9kcPAIiEzMLKpq6p48m8HNNzQmOauosqG9bxqDb3BkfGp2UUVdS9cEhpDIuOSM3KLymsa2boaouKS0rLyi0sraxlaGxJS0zJz8opLyqtp6hozM7Ny8gqLi0vKKKoa8/PyCgsKiouLikhKG0pKS4uKiosKCgvx8AKsCPlmzLonjAAAAAElFTkSuQmCC'
printf '%s' "$png" | base64 -d >"$image.whole.png"
bad "$image.whole.png"
check 'a PNG among PGMs is read' train_in_here -max_batches 1
printf '%s' "$png" | base64 -d | tr '\014' '\013' >"$image.changed.png"
refused "$image.changed.png" "$image\.changed\.png: corrupt PNG: wrong checksum of the data at byte 8$"
printf '%s' "$png" | base64 -d | head -c -20 >"$image.cut.png"
refused "$image.cut.png" "$image\.cut\.png: corrupt PNG: it ends at byte [0-9]+, inside its data$"
mkdir "$image.folder.png"
refused "$image.folder.png" "$image\.folder\.png: is not a regular file$"
mkfifo "$image.pipe.png"
refused "$image.pipe.png" "$image\.pipe\.png: is not a regular file$"
bad "$(sed -n 2p "$a/train.list")"
expect_error "^darknet: $a/bad\.list:5: $a/images/c0_1\.pgm: is on line 2 already: must be there once$" train_in_here

check 'refused images leave nothing in the current folder' test -z "$(ls "$here")"
rm -rf "$a/backup" && mkdir "$a/backup"
refused "$image.png" "$image\.png: "
check 'a refused image leaves nothing in the folder of weights' test -z "$(ls "$a/backup")"

# Of several bad images the first is named, whatever the number of threads.
bad "$image.cut.jpg"
sed -i "20i $image.png" "$a/bad.list"
sed -i "30i $image.empty.png" "$a/bad.list"
for threads in 1 2 3; do
    expect_error "^darknet: $a/bad\.list:5: $image\.cut\.jpg: " train_in_here -threads $threads
done

# Names that a shell would run. The stock loader passes a bad image's name to one.
names=('c0_;touch pwned;.pgm' 'c0_$(touch pwned).pgm' 'c0_`touch pwned`.pgm' 'c0_|touch pwned' "c0_'; touch pwned; '.pgm"
       'c0_" && touch pwned && ".pgm' 'c0_ > pwned' '-c0_.pgm' 'c0_%s%n.pgm' 'c0_*.pgm' '~c0_')
for name in "${names[@]}"; do
    regex=$(printf '%s' "$name" | sed 's/[][\.*^$+?(){}|/]/\\&/g')
    bad "$name"
    expect_error "^darknet: $a/bad\.list:5: $regex: No such file or directory$" train_in_here
done
for name in "${names[@]::2}"; do
    regex=$(printf '%s' "$name" | sed 's/[][\.*^$+?(){}|/]/\\&/g')
    bad "$name"
    echo 'not an image' >"$here/$name"
    expect_error "^darknet: $a/bad\.list:5: $regex: is no image" train_in_here
done
for name in "${names[@]}"; do cp "$a/images/c0_0.pgm" "$here/$name"; done
bad "$(printf '%s\n' "${names[@]}")"
check 'meta train trains on images whose names a shell would run' train_in_here -max_batches 1
check 'meta train runs no name of an image as a command' test ! -e "$here/pwned" -a ! -e "$here/bad.list" -a ! -e pwned -a ! -e bad.list

# The other verbs read images in the same way
sed "s#^test=.*#test=$a/bad.list#" "$a/toy.data" >"$a/bad.data"
"$DARKNET_BIN" meta train "$a/toy.data" "$a/toy.cfg" -max_batches 1 >"$a/out" 2>&1
{ head -n 4 "$a/test.list"; echo "$a/images/c7_;touch pwned;.pgm"; } >"$a/bad.list"
expect_error "^darknet: $a/bad\.list:5: $a/images/c7_;touch pwned;\.pgm: No such file or directory$" \
    env -C "$here" "$DARKNET_BIN" meta test "$a/bad.data" "$a/toy.cfg" "$a/backup/toy_final.weights" -runs 2
printf 'support 0 %s\nsupport 1 %s\nquery 0 $(touch pwned).pgm\n' "$a/images/c0_0.pgm" "$a/images/c1_0.pgm" >"$a/task"
expect_error '^darknet: .*/task:3: \$\(touch pwned\)\.pgm: No such file or directory$' \
    env -C "$here" "$DARKNET_BIN" meta grad "$a/toy.data" "$a/toy.cfg" "$a/backup/toy_final.weights" -episode "$a/task" -out "$a/g.weights"
check 'meta test and meta grad run no name of an image as a command' test ! -e "$here/pwned"
