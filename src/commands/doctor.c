/* darknet meta doctor: looks at everything that a training, an adaptation or a prediction needs,
   says of each whether it is well and how to mend it, and ends with 1 when something is wrong. */
#include "tools/doctor/doctor.h"

#include "base/file.h"
#include "base/plural.h"
#include "base/pool.h"
#include "flags.h"
#include "tell_labelled.h"
#include "usage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* "warning  gnuplot    not found: ..." */
static void print_finding(void *context, enum meta_verdict verdict, const char *subject,
                          const char *format, va_list arguments)
{
    static const char *const names[] = { "ok", "warning", "wrong" };
    printf("%-8s %-11s ", names[verdict], subject);
    vprintf(format, arguments);
    putchar('\n');
    fflush(stdout);
}

static const char *const tasks[] = { "train", "pretrain", "adapt", "predict" };
enum { TASKS = sizeof tasks / sizeof *tasks };

static void print_summary(const struct meta_doctor *d)
{
    int wrong = d->count[META_WRONG], warnings = d->count[META_WARNING];
    printf("\n%d wrong, %d warning%s", wrong, warnings, meta_plural(warnings));
    if (!wrong) printf(": darknet meta %s can begin\n", tasks[d->task]);
    else if (d->model && d->data) putchar('\n');
    else puts(": mend the files first: the rest can't be looked at without them");
}

/* Groups are often made by hand: a file that is there stays. */
static int check_new(const char *path, struct meta_error *error)
{
    return access(path, F_OK)
        ? 0
        : meta_fail(error, "-merge %s: is there already: name a new file", path);
}

/* Takes the words: what is to be run, if it is said, and what that is given. */
static int take_words(struct meta_doctor *d, int count, char **words, const char *usage,
                      struct meta_error *error)
{
    int task = 0;
    while (task < TASKS && strcmp(words[0], tasks[task])) task++;
    int said = task < TASKS && count > 2;
    d->task = said ? (enum meta_doctor_task)task : META_DOCTOR_TRAIN;
    words += said;
    count -= said;
    int predicts = d->task == META_DOCTOR_PREDICT, adapts = d->task == META_DOCTOR_ADAPT;
    int least = predicts ? 4 : adapts ? 3 : 2, most = predicts ? count : said ? 3 : 2;
    if (count < least || count > most)
        return meta_fail(error, "usage: darknet meta %s [flags]; -h explains them", usage);
    d->data_path = words[predicts ? 2 : 0];
    d->cfg_path = words[predicts ? 0 : 1];
    d->weights_path = predicts ? words[1] : count > 2 ? words[2] : NULL;
    d->words = words + 3;
    d->word_count = predicts ? count - 3 : 0;
    return 0;
}

/* Refuses flags that the task has no use for. */
static int check_flags(const struct meta_doctor *d, const char *seconds, struct meta_error *error)
{
    int trains = d->task == META_DOCTOR_TRAIN || d->task == META_DOCTOR_PRETRAIN;
    const char *idle = seconds && d->task != META_DOCTOR_TRAIN ? "-seconds"
        : d->merge && d->task == META_DOCTOR_PREDICT           ? "-merge"
        : d->clear && !trains                                  ? "-clear"
        : d->flags.groups && d->task != META_DOCTOR_ADAPT      ? "-groups"
        : d->flags.range && d->task != META_DOCTOR_ADAPT       ? "-range"
                                                               : NULL;
    if (idle) return meta_fail(error, "%s: has no use for doctor %s", idle, tasks[d->task]);
    return d->merge && (check_new(d->merge, error) || meta_file_check(d->merge, error)) ? -1 : 0;
}

int meta_command_doctor(int argc, char **argv)
{
    const char *threads = NULL, *seconds = NULL, *range = NULL;
    struct meta_doctor d = { .print = print_finding };
    const struct meta_flag flags[] = {
        { "-clear", NULL, "train, pretrain: as if WEIGHTS had seen no images", NULL, &d.clear },
        { "-threads", "N", "of the run that is to be (the cores)", &threads, NULL },
        { "-seconds", "S", "for which iterations are timed, of each kind (10)", &seconds, NULL },
        { "-merge", "FILE.csv",
          "writes groups with images that seem to show one and the same in one", &d.merge, NULL },
        { "-groups", "CSV", META_GROUPS_HELP, &d.flags.groups, NULL },
        { "-range", "N", META_RANGE_HELP, &range, NULL },
    };
    struct meta_error error;
    const struct meta_syntax syntax = { "doctor [train|pretrain|adapt] DATA CFG [WEIGHTS] | doctor "
                                        "predict CFG WEIGHTS DATA IMAGE...",
                                        2, 1 << 30, flags, sizeof flags / sizeof *flags };
    int words = meta_flags_parse(argc, argv, &syntax);
    d.flags.range = (int)meta_flag_int("-range", range, 0, 1, 65535);
    d.threads = (int)meta_flag_int("-threads", threads, meta_pool_cores(), 1, META_POOL_MOST);
    d.seconds = meta_flag_real("-seconds", seconds, 10, 1e-3, 1e5);
    if (take_words(&d, words, argv, syntax.usage, &error) || check_flags(&d, seconds, &error))
        return meta_complain(&error);
    if (getloadavg(&d.load, 1) < 1) d.load = 0;
    int failed = meta_doctor_examine(&d, &error);
    if (!failed) print_summary(&d);
    meta_doctor_clear(&d);
    return failed ? meta_complain(&error) : d.count[META_WRONG] > 0;
}
