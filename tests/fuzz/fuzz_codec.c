/* The codecs of TIFF, WebP and JPEG 2000 files, in this process: the program has them in another. DICOM's is C++, and nearly all of
   it DCMTK's: tests/fuzz/mutate.py. */
#define _GNU_SOURCE
#include "fuzz.h"
#include "images/image_internal.h"

static struct meta_error error;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    fuzz_begin();
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *own = malloc(size + 1); /* its own block, so that reading past its end shows */
    FUZZ_NEED(own);
    memcpy(own, data, size);
    const struct meta_image_file file = { own, size, size % 5 == 0 };
    const int codec = size < 12 ? META_CODECS : *own == 'R' ? META_CODEC_WEBP : *own == 'I' || *own == 'M' ? META_CODEC_TIFF : META_CODEC_JP2;
    struct meta_image_raster raster;
    struct meta_image_header header;
    if (codec < META_CODECS && !meta_image_codecs.codec[codec](&file, &raster, &header, &error)) {
        size_t n = (size_t)header.w * header.h * raster.channels * (header.deep ? 2 : 1);
        const uint8_t *samples = raster.samples;
        unsigned sum = 0;
        for (size_t i = 0; i < n; i++) sum += samples[i]; /* all of them are there */
        if (sum == 1) fuzz_write("sum", &sum, sizeof sum);
        free(raster.samples);
    }
    free(own);
    return 0;
}
