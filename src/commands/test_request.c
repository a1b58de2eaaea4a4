/* Reads the command line of `meta test`: its own flags, and those of the methods. */
#include "test_request.h"
#include "evaluation/methods.h"
#include "flags.h"
#include "temperature_flag.h"

#include <stdio.h>
#include <string.h>

int meta_test_request_read(struct meta_test_request *q, int argc, char **argv)
{
    char names[200], method_help[280];
    *q = (struct meta_test_request){ .list = "test" };
    meta_method_names(names, sizeof names);
    snprintf(method_help, sizeof method_help, "%s (%s; with [relation] or [prototype], that)",
             names, meta_methods[0]->name);
    const struct meta_flag first[] = {
        { "-runs", "N", "tasks (30)", &q->runs, NULL },
        { "-shots", "K", "support images a class ([episode] shots)", &q->shots, NULL },
        { "-method", "NAME", method_help, &q->method, NULL },
    };
    const struct meta_flag last[] = {
        { "-seed", "N", "which tasks: the first 30 of 1000 are the 30 (1)", &q->seed, NULL },
        { "-list", "NAME", "test, valid or train (test)", &q->list, NULL },
        { "-threads", "N", "worker threads; the result does not depend on it (the cores)",
          &q->threads, NULL },
        { "-out", "FILE.json", "settings, check sums, figures and every task", &q->out, NULL },
        { "-backend", "NAME", "onednn or reference (onednn)", &q->backend, NULL },
        { "-kernels", "SET", "own or onednn (own): 3x3 convolutions by tiles, or oneDNN's",
          &q->kernels, NULL },
        { "-bn", "KIND",
          "batch, support or running (batch): whose statistics normalise query images; running: "
          "the weights' own",
          &q->bn, NULL },
        { "-weights", "A,B,C",
          "in place of WEIGHTS: each learns the task, and their probabilities are averaged",
          &q->weights, NULL },
        { "-csv", "FILE", "a line a query image and class: the answers, for -with", &q->csv, NULL },
        { "-with", "A.csv,B.csv",
          "averages the probabilities with those of other tests of the same tasks", &q->with,
          NULL },
        { "-temper", "T,T",
          "with -with: temperatures of the test's own answers and of each file's, before the mean "
          "(1)",
          &q->temper, NULL },
        { "-train_data", "FILE.data",
          "that the weights were trained by (DATA): its train list must not be tested",
          &q->train_data, NULL },
        { "-temperature", "KIND", META_TEMPERATURE_HELP, &q->temperature, NULL },
        { "-fit_temperature", NULL,
          "-list valid: the temperature at which these answers are likeliest, for -temper", NULL,
          &q->fit_temperature },
        META_RANKS_ROWS(q->ranks),
    };
    enum { FIRST = sizeof first / sizeof *first, LAST = sizeof last / sizeof *last };
    struct meta_flag flags[FIRST + META_TEST_OWN_FLAGS + LAST];
    memcpy(flags, first, sizeof first);
    q->own_count = meta_method_flags(q->own, META_TEST_OWN_FLAGS);
    for (int i = 0; i < q->own_count; i++) {
        const struct meta_method_flag *f = q->own[i];
        flags[FIRST + i] = (struct meta_flag){ f->name, f->value_name, f->help, &q->values[i],
                                               NULL };
    }
    memcpy(flags + FIRST + q->own_count, last, sizeof last);
    const struct meta_syntax syntax = { "test DATA CFG [WEIGHTS]", 2, 3, flags,
                                        FIRST + q->own_count + LAST };
    return meta_flags_parse(argc, argv, &syntax);
}
