/* .data files with the lists of labels and names that they point to: a .data file, labels, names. */
#define _GNU_SOURCE
#include "fuzz.h"
#include "tasks/data_file.h"

static struct meta_error error;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    fuzz_begin();
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct meta_data *read;
    fuzz_write_part("x.data", &data, &size);
    fuzz_write_part("labels", &data, &size);
    fuzz_write_part("names", &data, &size);
    if (meta_data_read(&read, "x.data", &error)) return 0;
    meta_fail(&error, "why");
    meta_data_blame(read, read->train, &error);
    meta_data_free(read);
    return 0;
}
