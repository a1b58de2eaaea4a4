/* .cfg files: sections, options and plugins, for every purpose; and what a fingerprint makes of them. */
#define _GNU_SOURCE
#include "fuzz.h"
#include "config/model.h"
#include "training/fingerprint.h"

static struct meta_error error;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    fuzz_begin();
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    FILE *nowhere = fopen("/dev/null", "w");
    fuzz_write("x.cfg", data, size);
    for (int purpose = META_FOR_TASKS; purpose <= META_FOR_ANY; purpose++) {
        struct meta_model *model;
        if (!meta_model_load_for(&model, "x.cfg", purpose, &error)) meta_model_free(model);
    }
    meta_fingerprint_cfg(nowhere, "x.cfg", 1, &error);
    fclose(nowhere);
    return 0;
}
