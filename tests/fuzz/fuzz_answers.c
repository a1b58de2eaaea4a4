/* The answers of another test (meta test -with), to tasks of eight images without bytes. */
#define _GNU_SOURCE
#include "fuzz.h"
#include "evaluation/task_answers.h"
#include "tasks/data_file.h"

static struct meta_error error;
static struct meta_data *of;
static struct meta_dataset *set;
static const struct meta_evaluation of_tests = { .episode = { .ways = 2, .shots = 1, .queries = 1 }, .runs = 2, .seed = 1 };

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    fuzz_begin();
    fuzz_write_text("labels", "one_\ntwo_\n");
    fuzz_write_text("x.list", "one_1.pgm\none_2.pgm\none_3.pgm\none_4.pgm\ntwo_1.pgm\ntwo_2.pgm\ntwo_3.pgm\ntwo_4.pgm\n");
    fuzz_write_text("x.data", "classes=2\nlabels=labels\ntest=x.list\n");
    FUZZ_NEED(!meta_data_read(&of, "x.data", &error));
    FUZZ_NEED(!meta_dataset_outline(&set, of, "x.list", &error));
    /* as the seed has them: else it would get no farther than its second line */
    const struct meta_run runs[2] = { { .log_odds = (double[]){ 1, -1, .5, -.5 } }, { .log_odds = (double[]){ 0, 0, 20, -20 } } };
    char line[100] = "";
    FUZZ_NEED(!meta_task_answers_write("answers.csv", runs, &of_tests, set, &error));
    FILE *f = fopen("answers.csv", "r");
    for (int i = 0; i < 2; i++) FUZZ_NEED(f && fgets(line, sizeof line, f));
    fclose(f);
    FUZZ_NEED(!strncmp(line, "0,f69bc65b232c4b2f84d8eaebc4e0a23f,two_2.pgm,", 45));
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    double *log_odds;
    fuzz_write("answers.csv", data, size);
    meta_task_answers_is("answers.csv");
    if (!meta_task_answers_read(&log_odds, "answers.csv", &of_tests, set, &error)) free(log_odds);
    return 0;
}
