/* darknet meta check: prints how far every identity of a network's derivatives is off, and ends
   with 1 when one does not hold. */
#include "backends/backends.h"
#include "tools/check/check.h"

#include <stdio.h>

#include "flags.h"
#include "usage.h"

struct table {
    int held, failed;
};

static void print_identity(void *context, const struct meta_identity *i)
{
    struct table *t = context;
    int ok = i->error <= i->limit;
    if (i->layer >= 0) printf("%5d", i->layer);
    else printf("%5s", "");
    printf("  %-28s  %-50s  %8.1e  %8.0e  %s\n", i->type, i->text, i->error, i->limit,
           ok ? "ok" : "FAILED");
    fflush(stdout);
    if (ok) t->held++;
    else t->failed++;
}

int meta_command_check(int argc, char **argv)
{
    const char *seed = NULL;
    int supervised = 0;
    const struct meta_flag flags[] = {
        { "-seed", "N", "of the random data (1)", &seed, NULL },
        { "-supervised", NULL, "a .cfg of meta pretrain: without tasks", NULL, &supervised },
    };
    struct meta_error error;
    struct meta_model *model = NULL;
    struct table table = { 0, 0 };
    const struct meta_syntax syntax = { "check CFG", 1, 1, flags, sizeof flags / sizeof *flags };
    meta_flags_parse(argc, argv, &syntax);
    struct meta_check check = { .seed = meta_flag_seed(seed, 1),
                                .report = print_identity,
                                .context = &table };
    if (meta_model_load_for(&model, argv[0], supervised ? META_FOR_IMAGES : META_FOR_TASKS, &error))
        goto fail;
    check.model = model;
    printf("layer  %-28s  %-50s  %8s  %8s\n", "type", "identity", "error", "limit");
    if (meta_check_operations(&check, &error) || meta_check_network(&check, &error)
        || meta_check_stock(&check, &error) || (!supervised && meta_check_task(&check, &error))
        || meta_check_backend(&check, meta_backend_default(), &error))
        goto fail;
    if (table.failed) {
        meta_fail(&error, "%s: %d of %d identities do not hold", argv[0], table.failed,
                  table.failed + table.held);
        goto fail;
    }
    printf("%d identities hold\n", table.held);
    meta_model_free(model);
    return 0;
fail:
    meta_model_free(model);
    return meta_complain(&error);
}
