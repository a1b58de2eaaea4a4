/* darknet meta stock: writes a .cfg that stock Darknet reads. */
#include "base/file.h"
#include "base/head.h"
#include "config/model.h"
#include "config/stock_cfg.h"
#include "flags.h"
#include "network/readers.h"
#include "own_output.h"
#include "usage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Whether a file begins with the line that meta_stock_cfg writes. */
static int is_own(const char *out)
{
    char line[8192];
    return *meta_head_line(out, line, sizeof line) == '#' && strstr(line, META_STOCK_LINE);
}

int meta_command_stock(int argc, char **argv)
{
    const char *out = NULL;
    const struct meta_flag flags[] = {
        { "-out", "FILE.cfg", "writes the file (standard output)", &out, NULL },
    };
    const struct meta_syntax syntax = { "stock CFG", 1, 1, flags, 1 };
    struct meta_model *model = NULL;
    struct meta_error error;
    char *text = NULL, *otherwise = NULL;
    meta_flags_parse(argc, argv, &syntax);
    int failed = meta_flag_out(out, (const char *const *)argv, 1, &error)
        || meta_own_output("-out", out, is_own(out), "meta stock", &error)
        || meta_model_load_for(&model, argv[0], META_FOR_ANY, &error)
        || meta_stock_cfg(&text, argv[0], &error)
        || meta_readers_differ(model->network, &otherwise, &error);
    if (!failed && out)
        failed = meta_file_write(out, &(struct meta_chunk){ text, strlen(text) }, 1, &error);
    if (failed) meta_complain(&error);
    else if (out) printf("written: %s\n", out);
    else fputs(text, stdout);
    if (!failed && otherwise) fprintf(stderr, "darknet: warning: %s: %s\n", argv[0], otherwise);
    free(text);
    free(otherwise);
    meta_model_free(model);
    return failed;
}
