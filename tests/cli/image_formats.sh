# TIFF, WebP and JPEG 2000 files of every kind give the values that the tools of these formats give, and damaged ones are told.
. tests/lib.sh
for tool in /usr/bin/python3 tiffcp cwebp dwebp opj_compress opj_decompress; do
    command -v $tool >/dev/null || { skip 'TIFF, WebP and JPEG 2000' "no $tool: scripts/install-deps.sh --test"; exit; }
done
mkdir -p "$TMP_TEST/files"
/usr/bin/python3 tests/image_formats.py "$TMP_TEST/files" || test_failures=1
