/* Takes the answers of other tests into one, and says which may be written. */
#include "test_answers.h"
#include "base/path.h"
#include "evaluation/task_answers.h"
#include "flags.h"
#include "own_output.h"
#include "tasks/file_id.h"

#include <stdlib.h>

/* Refuses a flag where the method's scores are no probabilities. */
static int check_method(const char *flag, const char *value, const struct meta_method *method,
                        struct meta_error *error)
{
    if (!value || method->probabilities) return 0;
    return meta_fail(error, "%s: the answers of -method %s are no probabilities", flag,
                     method->name);
}

/* A -csv that the tasks would be run for and that can't be kept. */
static int check_csv(const struct meta_test_answers *a, const char *out, struct meta_error *error)
{
    const char *const *with = (const char *const *)a->with.words;
    if (!a->csv) return 0;
    if (meta_flag_out_of("-csv", a->csv, with, a->with.count, error)
        || meta_own_output("-csv", a->csv, meta_task_answers_is(a->csv), "meta test -csv", error))
        return -1;
    if (!out || !(meta_path_same(a->csv, out) || meta_file_id_same(a->csv, out))) return 0;
    return meta_fail(error, "%s: must be one of -csv and -out", a->csv);
}

int meta_test_answers_prepare(struct meta_test_answers *a, const char *csv, const char *with,
                              const char *out, struct meta_evaluation *e, struct meta_error *error)
{
    a->csv = csv;
    if (check_method("-csv", csv, e->method, error)
        || check_method("-with", with, e->method, error))
        return -1;
    if (with
        && (meta_word_list(&a->with, "-with", with, error)
            || meta_flag_out(out, (const char *const *)a->with.words, a->with.count, error)))
        return -1;
    e->keep_answers = csv != NULL;
    return check_csv(a, out, error);
}

int meta_test_answers_load(struct meta_test_answers *a, struct meta_evaluation *e,
                           const struct meta_dataset *dataset, struct meta_error *error)
{
    if (!a->with.count) return 0;
    if (!(a->log_odds = calloc((size_t)a->with.count, sizeof *a->log_odds)))
        return meta_fail_memory(error);
    for (int i = 0; i < a->with.count; i++)
        if (meta_task_answers_read(&a->log_odds[i], a->with.words[i], e, dataset, error)) return -1;
    e->with = a->log_odds;
    e->with_count = a->with.count;
    return 0;
}

int meta_test_answers_share(struct meta_transport *ranks, struct meta_evaluation *e,
                            struct meta_error *error)
{
    return meta_transport_broadcast(ranks, &e->keep_answers, sizeof e->keep_answers, error);
}

int meta_test_answers_write(const struct meta_test_answers *a, const struct meta_run *runs,
                            const struct meta_evaluation *e, const struct meta_dataset *dataset,
                            struct meta_error *error)
{
    return a->csv ? meta_task_answers_write(a->csv, runs, e, dataset, error) : 0;
}

void meta_test_answers_clear(struct meta_test_answers *a)
{
    for (int i = 0; a->log_odds && i < a->with.count; i++) free(a->log_odds[i]);
    free(a->log_odds);
    meta_word_list_clear(&a->with);
}
