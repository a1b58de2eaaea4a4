# DICOM files of every kind give the values that DCMTK's own dcm2pnm gives, and damaged ones are told in one line, ours.
. tests/lib.sh
for tool in /usr/bin/python3 dcm2pnm dcmcjpeg dcmcjpls dcmcrle; do
    command -v $tool >/dev/null || { skip 'DICOM files' "no $tool: scripts/install-deps.sh --test"; exit; }
done
[ -e "$DARKNET_DIR/libdarknet-meta-dicom.so" ] || { skip 'DICOM files' 'built without libdcmtk-dev'; exit; }
mkdir -p "$TMP_TEST/files"
/usr/bin/python3 tests/image_dicom.py "$TMP_TEST/files" || test_failures=1
