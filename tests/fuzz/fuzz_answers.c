/* The answers of another test (meta test -with), to tasks of eight images without bytes. */
#define _GNU_SOURCE
#include "fuzz.h"
#include "evaluation/task_answers.h"
#include "tasks/data_file.h"

static struct meta_error error;
static struct meta_data *of;
static struct meta_dataset *set;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    fuzz_begin();
    fuzz_write_text("labels", "one_\ntwo_\n");
    fuzz_write_text("x.list", "one_1.pgm\none_2.pgm\none_3.pgm\none_4.pgm\ntwo_1.pgm\ntwo_2.pgm\ntwo_3.pgm\ntwo_4.pgm\n");
    fuzz_write_text("x.data", "classes=2\nlabels=labels\ntest=x.list\n");
    FUZZ_NEED(!meta_data_read(&of, "x.data", &error));
    FUZZ_NEED(!meta_dataset_outline(&set, of, "x.list", &error));
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct meta_evaluation e = { .episode = { .ways = 2, .shots = 1, .queries = 1 }, .runs = 2, .seed = 1 };
    double *log_odds;
    fuzz_write("answers.csv", data, size);
    meta_task_answers_is("answers.csv");
    if (!meta_task_answers_read(&log_odds, "answers.csv", &e, set, &error)) free(log_odds);
    return 0;
}
