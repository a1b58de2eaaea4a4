/* The CSV of labelled images: image, class and group. */
#define _GNU_SOURCE
#include "fuzz.h"
#include "tasks/data_open.h"
#include "tasks/labelled.h"

static struct meta_error error;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    fuzz_begin();
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char *const names[] = { "a", "b", "c, \"odd\"" };
    const struct meta_data_flags flags = { NULL, 0 };
    struct meta_data *of;
    fuzz_write("images.csv", data, size);
    if (meta_data_open(&of, "images.csv", &flags, &error)) return 0;
    meta_data_match(of, names, 3, "k.data", &error);
    meta_data_free(of);
    return 0;
}
