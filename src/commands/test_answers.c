/* Takes the answers of other tests into one, and says which may be written. */
#include "test_answers.h"
#include "base/path.h"
#include "console.h"
#include "evaluation/run_temperature.h"
#include "evaluation/task_answers.h"
#include "flags.h"
#include "own_output.h"
#include "stats/temperature.h"
#include "tasks/file_id.h"
#include "tuning_list.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Refuses a flag where the method's scores are no probabilities. */
static int check_method(const char *flag, int given, const struct meta_method *method,
                        struct meta_error *error)
{
    if (!given || method->probabilities) return 0;
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

/* A temperature for the test's own answers, and one for those of each file. */
static int read_temper(struct meta_test_answers *a, const char *list, struct meta_error *error)
{
    struct meta_word_list words = { 0 };
    int answers = 1 + a->with.count, status = -1;
    if (!a->with.count) return meta_fail(error, "-temper: is of a mean: only with -with");
    if (meta_word_list(&words, "-temper", list, error)) goto done;
    if (words.count != answers) {
        meta_fail(error,
                  "-temper %.80s: must be %d numbers, the test's own first and one for each file "
                  "of -with",
                  list, answers);
        goto done;
    }
    a->temper = malloc((size_t)answers * sizeof *a->temper);
    if (!a->temper) {
        meta_fail_memory(error);
        goto done;
    }
    for (int i = 0; i < answers; i++)
        a->temper[i] = meta_flag_real("-temper", words.words[i], 1, META_TEMPERATURE_LEAST,
                                      META_TEMPERATURE_MOST);
    status = 0;
done:
    meta_word_list_clear(&words);
    return status;
}

/* What -fit_temperature asks for may not be learned of the classes that are tested. */
static int check_fit(const struct meta_test_request *asked, const struct meta_data *data,
                     struct meta_error *error)
{
    if (strcmp(asked->list, "valid"))
        return meta_fail(error,
                         "-fit_temperature: is of common classes that training does not see: "
                         "must be with -list valid");
    return meta_tuning_list(data, error);
}

int meta_test_answers_prepare(struct meta_test_answers *a, const struct meta_test_request *asked,
                              const struct meta_data *data, struct meta_evaluation *e,
                              struct meta_error *error)
{
    a->csv = asked->csv;
    a->fit = asked->fit_temperature;
    if (check_method("-fit_temperature", a->fit, e->method, error)
        || (a->fit && check_fit(asked, data, error)))
        return -1;
    if (check_method("-csv", asked->csv != NULL, e->method, error)
        || check_method("-with", asked->with != NULL, e->method, error))
        return -1;
    if (asked->with
        && (meta_word_list(&a->with, "-with", asked->with, error)
            || meta_flag_out(asked->out, (const char *const *)a->with.words, a->with.count, error)))
        return -1;
    if (asked->temper && read_temper(a, asked->temper, error)) return -1;
    e->temper = a->temper;
    e->keep_answers = a->csv || a->fit;
    return check_csv(a, asked->out, error);
}

int meta_test_answers_load(struct meta_test_answers *a, struct meta_evaluation *e,
                           const struct meta_dataset *dataset, const struct meta_data *data,
                           struct meta_pool *pool, struct meta_error *error)
{
    if (a->fit && meta_tuning_images(dataset, data, pool, error)) return -1;
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

int meta_test_answers_tell(const struct meta_test_answers *a, const struct meta_run *runs,
                           const struct meta_evaluation *e, struct meta_error *error)
{
    struct meta_temperature_fit fit;
    struct meta_error why;
    if (!a->fit) return 0;
    if (meta_run_temperature(&fit, runs, e, &why))
        return meta_fail(error, "-fit_temperature: %.400s", why.text);
    printf("\ntemperature %.4f", fit.temperature);
    if (e->runs > 1) printf(" (%.4f to %.4f)", fit.low, fit.high);
    printf(", NLL %.4f without it and %.4f with it\n", fit.before, fit.after);
    meta_tell_left_out(fit.left_out);
    return 0;
}

void meta_test_answers_clear(struct meta_test_answers *a)
{
    for (int i = 0; a->log_odds && i < a->with.count; i++) free(a->log_odds[i]);
    free(a->log_odds);
    free(a->temper);
    meta_word_list_clear(&a->with);
}
