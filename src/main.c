/* `darknet meta VERB ...` is ours; every other command line goes to the stock darknet, unchanged. */
#include "command.h"
#include "stock.h"

#include <stdio.h>
#include <string.h>

static const struct { const char *name; int (*run)(int argc, char **argv); const char *summary; } verbs[] = {
    { "train", meta_command_train, "meta-train a .cfg on a data set's common classes" },
    { "test", meta_command_test, "adapt to random tasks of the rare classes and score them" },
    { "grad", meta_command_grad, "the meta-gradient of one given task" },
    { "check", meta_command_check, "check a .cfg's derivatives on random data" },
    { "compare", meta_command_compare, "the paired difference of two results of `meta test`" },
};
#define VERBS (sizeof verbs / sizeof *verbs)

static int usage(FILE *to, int status)
{
    fprintf(to, "usage: darknet meta VERB ... (-h after a VERB says more)\n");
    for (size_t i = 0; i < VERBS; i++) fprintf(to, "  %-8s %s\n", verbs[i].name, verbs[i].summary);
    return status;
}

static int run_meta(int argc, char **argv)
{
    struct meta_error error;
    if (!argc) return usage(stderr, 1);
    if (!strcmp(argv[0], "-h") || !strcmp(argv[0], "--help")) return usage(stdout, 0);
    for (size_t i = 0; i < VERBS; i++)
        if (!strcmp(argv[0], verbs[i].name)) return verbs[i].run(argc - 1, argv + 1);
    char known[200] = "";
    for (size_t i = 0, used = 0; i < VERBS; i++) used += snprintf(known + used, sizeof known - used, " %s", verbs[i].name);
    meta_fail(&error, "meta %.60s: no such verb; allowed:%s", argv[0], known);
    return meta_complain(&error);
}

int main(int argc, char **argv)
{
    struct meta_error error;
    if (argc > 1 && !strcmp(argv[1], "meta")) return run_meta(argc - 2, argv + 2);
    meta_stock_run(argv, &error);
    return meta_complain(&error);
}
