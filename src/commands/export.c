/* darknet meta export: writes a classifier as a file of ONNX. */
#define _GNU_SOURCE
#include "base/file.h"
#include "classifier.h"
#include "config/purpose.h"
#include "config/stock_form.h"
#include "flags.h"
#include "network/weights.h"
#include "onnx/onnx.h"
#include "onnx_file.h"
#include "usage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct parts {
    struct meta_model *model;
    struct meta_data *data;    /* NULL: no class has a name */
    struct meta_filled filled; /* filled.network is the model's */
};

static void free_parts(struct parts *p)
{
    free(p->filled.parameters);
    free(p->filled.statistics);
    meta_data_free(p->data);
    meta_model_free(p->model);
}

/* The words are CFG WEIGHTS [DATA]. */
static int check_out(const char *out, int overwrite, char **words, int count,
                     struct meta_error *error)
{
    if (!out || !*out)
        return meta_fail(error, "-onnx is missing: must be the name of the file to write");
    if (!overwrite && !access(out, F_OK))
        return meta_fail(error, "-onnx %s: is there already: -overwrite replaces it", out);
    return meta_flag_out_of("-onnx", out, (const char *const *)words, count, error);
}

static int load(struct parts *p, char **words, int count, struct meta_error *error)
{
    if (meta_model_load_for(&p->model, words[0], META_FOR_ANY, error)
        || meta_purpose_check_adapted(p->model, "`meta adapt` makes a classifier of it", error)
        || (count > 2 && meta_data_read(&p->data, words[2], error)))
        return -1;
    int outputs = meta_network_outputs(p->model->network);
    if (p->data && p->data->classes != outputs)
        return meta_fail(error, "%s: classes=%d: must be %d, the probabilities that %s gives",
                         words[2], p->data->classes, outputs, words[0]);
    const struct meta_class_files files = { words[0], &words[1], 1 };
    if (p->data) {
        const struct meta_class_order own = { words[2], p->data->names, outputs };
        if (meta_class_notes_check(&own, &files, error)) return -1;
        meta_classifier_warn_names(&own, &files);
    }
    p->filled.network = p->model->network;
    if (meta_weights_load(p->model->network, words[1], &p->filled.parameters, &p->filled.statistics,
                          error))
        return -1;
    meta_classifier_warn_weights(&files);
    return 0;
}

/* Plugins' layers are written as the sections of Darknet's own that they have a form in. */
static int export(const struct parts *p, const char *out, char **words, struct meta_error *error)
{
    struct meta_filled stock;
    char *description = NULL;
    int status = meta_stock_form(&stock, &p->filled, words[0], error);
    const struct meta_filled *plain = stock.network ? &stock : &p->filled;
    if (!status) status = meta_onnx_check_network(plain->network, words[0], error);
    if (!status && asprintf(&description, "%s and %s", words[0], words[1]) < 0) {
        description = NULL;
        status = meta_fail_memory(error);
    }
    struct meta_new_file *file;
    if (!status) status = meta_begin_onnx(&file, plain, p->data, description, out, error);
    if (!status) status = meta_new_file_end(file, error);
    if (!status) printf("written: %s\n", out);
    meta_filled_clear(&stock);
    free(description);
    return status;
}

int meta_command_export(int argc, char **argv)
{
    const char *out = NULL;
    int overwrite = 0;
    const struct meta_flag flags[] = {
        { "-onnx", "FILE", "the file to write, " META_ONNX_HELP, &out, NULL },
        { "-overwrite", NULL, "replaces the FILE that is there", NULL, &overwrite },
    };
    struct parts p = { 0 };
    struct meta_error error;
    const struct meta_syntax syntax = { "export CFG WEIGHTS [DATA] -onnx FILE", 2, 3, flags,
                                        sizeof flags / sizeof *flags };
    int count = meta_flags_parse(argc, argv, &syntax);
    int failed = check_out(out, overwrite, argv, count, &error) || meta_onnx_check(&error)
        || load(&p, argv, count, &error) || export(&p, out, argv, &error);
    free_parts(&p);
    return failed ? meta_complain(&error) : 0;
}
