/* Writes a network as a file of ONNX: opens what has the library, adds layer by layer. */
#define _GNU_SOURCE
#include "onnx.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/place.h"
#include "base/shared_object.h"
#include "layers.h"
#include "network/tie.h"

#define PART "libdarknet-meta-onnx.so"

static pthread_once_t once = PTHREAD_ONCE_INIT;
static const struct meta_onnx_part *part;
static struct meta_error failure; /* where there is no part */

static void open_part(void)
{
    char *path = meta_place_find(PART, &failure);
    if (!path) return;
    if (!meta_shared_object_check(path, &failure)) {
        void *object = dlopen(path, RTLD_NOW | RTLD_LOCAL);
        const struct meta_onnx_part *found = object ? dlsym(object, META_ONNX_PART) : NULL;
        if (!object)
            meta_fail(&failure,
                      "%s: can't be loaded: %s: make builds it where the package libonnx-dev is "
                      "installed",
                      path, meta_place_reason(path));
        else if (!found || found->size != sizeof *found)
            meta_fail(&failure, "%s: is of another build than this program", path);
        else part = found;
    }
    free(path);
}

int meta_onnx_check(struct meta_error *error)
{
    pthread_once(&once, open_part);
    if (part) return 0;
    *error = failure;
    return -1;
}

int meta_onnx_check_network(const struct meta_network *net, const char *path,
                            struct meta_error *error)
{
    for (int i = 0; i < net->count; i++)
        if (net->layers[i].plugin)
            return meta_fail(error,
                             "%s:%d: [%s] is a plugin's section, not Darknet's own: can't be "
                             "written as ONNX",
                             path, net->layers[i].line, meta_layer_name(&net->layers[i]));
    return 0;
}

/* ---- the file -------------------------------------------------------------------------------- */

static int fold(struct meta_filled *to, const struct meta_filled *from, struct meta_error *error)
{
    int count = from->network->count, *place = malloc((count + 1) * sizeof *place);
    *to = (struct meta_filled){ 0 };
    if (!place) return meta_fail_memory(error);
    int status = meta_network_create(&to->network, from->network->input, error);
    for (int i = 0; i < count && !status; i++) {
        place[i] = i;
        status = meta_filled_copy_layer(to, from, i, 0, place, error)
                || meta_filled_fold_last(to, error)
            ? -1
            : 0;
    }
    free(place);
    if (status) meta_filled_clear(to);
    return status;
}

static void declare(const struct meta_onnx_graph *g, enum meta_onnx_role role,
                    const struct meta_onnx_value *value)
{
    const int64_t dimensions[] = { -1, value->shape.c, value->shape.h, value->shape.w };
    g->part->declare(g->model, role,
                     (struct meta_onnx_tensor){ value->name, dimensions, value->flat ? 2 : 4 });
}

static int add_layers(struct meta_onnx_graph *g, const struct meta_filled *f,
                      struct meta_error *error)
{
    const struct meta_network *net = f->network;
    struct meta_onnx_value *values = malloc((net->count + 1) * sizeof *values),
                           image = { "data", net->input, 0 };
    if (!values) return meta_fail_memory(error);
    declare(g, META_ONNX_INPUT, &image);
    for (int i = 0; i < net->count; i++) {
        values[i] = meta_onnx_layer(g, f, i, values, &image);
        if (g->step && i < net->count - 1) declare(g, META_ONNX_BETWEEN, &values[i]);
    }
    declare(g, META_ONNX_OUTPUT, &values[net->count - 1]);
    free(values);
    return g->lost ? meta_fail_memory(error) : 0;
}

/* What a program must know to use the file, for its metadata. */
static int add_notes(struct meta_onnx_graph *g, const struct meta_network *net,
                     const struct meta_onnx_about *about, struct meta_error *error)
{
    size_t size = 1;
    g->part->note(g->model, "input",
                  net->input.c == 1 ? "gray, 0 to 1, batch x channels x height x width"
                                    : "RGB, 0 to 1, batch x channels x height x width");
    if (!about->names) return 0;
    for (int k = 0; k < about->names_count; k++) size += strlen(about->names[k]) + 1;
    char *names = malloc(size), *end = names;
    if (!names) return meta_fail_memory(error);
    *names = 0;
    for (int k = 0; k < about->names_count; k++)
        end += sprintf(end, "%s%s", k ? "\n" : "", about->names[k]);
    g->part->note(g->model, "names", names);
    free(names);
    return 0;
}

static int begin_folded(struct meta_new_file **file, const struct meta_filled *f,
                        const struct meta_onnx_about *about, const char *path,
                        struct meta_error *error)
{
    char *bytes = NULL;
    size_t size = 0;
    struct meta_onnx_graph g = { .part = part };
    g.model = part->create(about->version, about->description ? about->description : "");
    if (!g.model) return meta_fail_memory(error);
    int status = add_layers(&g, f, error) || add_notes(&g, f->network, about, error) ? -1 : 0;
    if (!status) {
        struct meta_error why;
        status = part->finish(g.model, &bytes, &size, &why);
        if (status) meta_fail(error, "%s: %s", path, why.text);
    }
    part->destroy(g.model);
    const struct meta_chunk chunk = { bytes, size };
    if (!status) status = meta_new_file_of(file, path, &chunk, 1, error);
    free(bytes);
    return status;
}

int meta_onnx_begin(struct meta_new_file **file, const struct meta_filled *from,
                    const struct meta_onnx_about *about, const char *path, struct meta_error *error)
{
    struct meta_filled untied, folded;
    *file = NULL;
    if (meta_onnx_check(error) || meta_tie_undo(&untied, from, error)) return -1;
    int status = fold(&folded, &untied, error);
    meta_filled_clear(&untied);
    if (status) return -1;
    if (!meta_filled_finite(&folded))
        status = meta_fail(error, "%s: the weights are not finite: nothing was written", path);
    if (!status) status = begin_folded(file, &folded, about, path, error);
    meta_filled_clear(&folded);
    return status;
}
