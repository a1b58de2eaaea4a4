/* Logs of trainings, read to be shown and to be gone on with. */
#define _GNU_SOURCE
#include "fuzz.h"
#include "training/train_log.h"

static struct meta_error error;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    fuzz_begin();
    return 0;
}

static void go_on(enum meta_training_kind kind)
{
    struct meta_log log;
    const struct meta_row row = { .iteration = 8 };
    if (meta_log_open(&log, kind, "x.csv", &error)) abort();
    if (!meta_log_own(&log, &error) && !meta_log_prepare(&log, "x.csv", 7, 2, &error)
        && !meta_log_begin(&log, &error) && !meta_log_add(&log, &row, &error))
        meta_log_amend(&log, &row);
    meta_log_close(&log);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct meta_row *rows;
    int count;
    fuzz_write("x.csv", data, size);
    if (!meta_log_read(&rows, &count, "x.csv", &error)) free(rows);
    go_on(META_TRAINING_TASKS);
    fuzz_write("x.csv", data, size);
    go_on(META_TRAINING_IMAGES);
    return 0;
}
