/* Results of `meta test`, as meta compare reads them, paired with themselves. */
#define _GNU_SOURCE
#include "fuzz.h"
#include "evaluation/scores.h"

static struct meta_error error;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    fuzz_begin();
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct meta_scores a, b;
    struct meta_difference d;
    fuzz_write("x.json", data, size);
    if (meta_scores_read(&a, "x.json", &error)) return 0;
    if (!meta_scores_read(&b, "x.json", &error)) meta_scores_difference(&a, &b, &d, &error);
    meta_scores_clear(&a);
    meta_scores_clear(&b);
    return 0;
}
