/* darknet meta features: writes what a layer gives for images as NumPy's .npy, with their names. */
#define _GNU_SOURCE
#include "adaptation/extract.h"
#include "base/head.h"
#include "base/npy.h"
#include "base/path.h"
#include "base/plural.h"
#include "base/pool.h"
#include "base/text.h"
#include "config/model.h"
#include "console.h"
#include "exact_text.h"
#include "flags.h"
#include "images/image_paths.h"
#include "learning/inner_loop.h"
#include "own_output.h"
#include "network/weights.h"
#include "tasks/dataset.h"
#include "tasks/depth.h"
#include "tasks/view.h"
#include "usage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Images that are computed at a time where each is normalised by itself. */
#define AT_ONCE 16

/* One batch of a round, and what it takes to compute it. */
struct part {
    struct meta_extractor *extractor;
    float *images, *features; /* (batch, numbers of the input), (batch, size) */
    int failed;
    struct meta_error error;
};

struct features {
    struct meta_model *model;
    struct meta_data *data;       /* NULL: the images are of no .data file */
    struct meta_dataset *outline; /* of that file's list */
    struct meta_paths paths;      /* else */
    struct meta_filled filled;
    const struct meta_backend *backend;
    struct meta_pool *pool;
    struct part *parts;             /* (threads) of a round, which has a batch for each thread */
    char **path;                    /* (count) of the images; borrowed */
    int count, layer, batch, round; /* round: the number of its first batch */
    size_t size;                    /* numbers of an image */
    enum meta_bn bn;
};

static void free_features(struct features *f)
{
    for (int i = 0; f->parts && i < meta_pool_threads(f->pool); i++) {
        meta_extractor_free(f->parts[i].extractor);
        free(f->parts[i].images);
        free(f->parts[i].features);
    }
    free(f->parts);
    meta_pool_free(f->pool);
    free(f->filled.parameters);
    free(f->filled.statistics);
    meta_dataset_free(f->outline);
    meta_paths_clear(&f->paths);
    meta_data_free(f->data);
    meta_model_free(f->model);
}

/* ---- computing ------------------------------------------------------------------------------- */

/* The images of batch number `index`. */
static int batch_count(const struct features *f, int index)
{
    int left = f->count - index * f->batch;
    return left < f->batch ? left : f->batch;
}

static int make_extractor(const struct features *f, struct meta_extractor **out, int batch,
                          struct meta_error *error)
{
    const float *statistics = f->bn == META_BN_BATCH ? NULL : f->filled.statistics;
    const struct meta_extract how = { &f->filled, statistics, f->backend, f->layer, batch };
    return meta_extractor_create(out, &how, error);
}

/* What the network sees of image i. */
static int see(const struct features *f, int i, float *out, struct meta_error *error)
{
    static const struct meta_data none = { .path = "a .data file" };
    const struct meta_net_settings *net = &f->model->net;
    if (f->outline) return meta_view_listed(f->outline, i, f->data, net, out, error);
    return meta_view_file(f->path[i], &none, net, out, error);
}

static int compute(const struct features *f, struct part *p, int index, struct meta_error *error)
{
    int first = index * f->batch, n = batch_count(f, index), status;
    size_t in = meta_shape_numbers(f->model->network->input);
    for (int i = 0; i < n; i++)
        if (see(f, first + i, p->images + i * in, error)) return -1;
    if (n == f->batch || f->bn != META_BN_BATCH)
        return meta_extractor_run(p->extractor, p->images, n, p->features, error);
    struct meta_extractor *rest = NULL;
    status = make_extractor(f, &rest, n, error)
        || meta_extractor_run(rest, p->images, n, p->features, error);
    meta_extractor_free(rest);
    return status ? -1 : 0;
}

static void work(void *context, int index, int worker)
{
    struct features *f = context;
    struct part *p = &f->parts[index];
    p->failed = compute(f, p, f->round + index, &p->error);
}

/* Memory holds a batch a thread, whatever the number of images. The bits of a batch do not depend
   on the number of threads. */
static int put_all(struct features *f, struct meta_new_file *file, struct meta_error *error)
{
    int batches = (f->count + f->batch - 1) / f->batch, threads = meta_pool_threads(f->pool);
    for (; f->round < batches; f->round += threads) {
        int count = batches - f->round < threads ? batches - f->round : threads;
        meta_pool_run(f->pool, count, work, f);
        for (int i = 0; i < count; i++) {
            const struct part *p = &f->parts[i];
            size_t numbers = batch_count(f, f->round + i) * f->size;
            if (p->failed) {
                *error = p->error;
                return -1;
            }
            if (meta_new_file_put(file, p->features, numbers * sizeof *p->features, error))
                return -1;
        }
    }
    return 0;
}

static int make_parts(struct features *f, int threads, struct meta_error *error)
{
    size_t in = meta_shape_numbers(f->model->network->input);
    int batches = (f->count + f->batch - 1) / f->batch;
    if (meta_pool_create(&f->pool, threads < batches ? threads : batches, error)) return -1;
    if (!(f->parts = calloc(meta_pool_threads(f->pool), sizeof *f->parts)))
        return meta_fail_memory(error);
    for (int i = 0; i < meta_pool_threads(f->pool); i++) {
        struct part *p = &f->parts[i];
        p->images = malloc(f->batch * in * sizeof *p->images);
        p->features = malloc(f->batch * f->size * sizeof *p->features);
        if (!p->images || !p->features)
            return meta_fail(error, "out of memory for the features of %d images", f->batch);
        if (make_extractor(f, &p->extractor, f->batch, error)) return -1;
    }
    return 0;
}

/* ---- names ----------------------------------------------------------------------------------- */

/* A line an image; of a .data file's list with its class. */
static int begin_names(struct meta_new_file **file, const struct features *f, const char *path,
                       struct meta_error *error)
{
    const struct meta_dataset *set = f->outline;
    struct meta_text text;
    if (meta_text_begin(&text, error)) return -1;
    fputs(set ? "image,class\n" : "image\n", text.file);
    for (int i = 0; i < f->count; i++) {
        meta_write_csv_text(text.file, f->path[i], "");
        if (set) putc(',', text.file);
        if (set) meta_write_csv_text(text.file, set->names[set->label[i]], "");
        putc('\n', text.file);
    }
    return meta_text_new_file(&text, 0, file, path, error);
}

/* Whether the white of the list's 16-bit files is known, which all of them tell together. */
static int check_depth(const struct features *f, struct meta_error *error)
{
    return f->outline ? meta_depth_check(f->outline, f->data, error) : 0;
}

/* Rows and names are of the same images: both files become new, or none. */
static int write(struct features *f, const char *out, const char *names, struct meta_error *error)
{
    struct meta_new_file *file, *beside;
    if (meta_npy_begin(&file, out, f->count, f->size, error)) return -1;
    if (put_all(f, file, error) || check_depth(f, error) || begin_names(&beside, f, names, error)) {
        meta_new_file_drop(file);
        return -1;
    }
    return meta_new_file_end_two(beside, file, error);
}

/* ---- the command line ------------------------------------------------------------------------ */

static int find_list(const struct meta_data *data, const char *name, const char **list,
                     struct meta_error *error)
{
    const char *names[] = { "test", "valid", "train" },
               *lists[] = { data->test, data->valid, data->train };
    for (int i = 0; i < 3; i++) {
        if (strcmp(name, names[i])) continue;
        *list = lists[i];
        return lists[i] ? 0
                        : meta_fail(error, "%s: has no %s=: -list names another", data->path, name);
    }
    return meta_fail(error, "-list %s: must be test, valid or train", name);
}

static int is_data(const char *word)
{
    const char *dot = strrchr(word, '.');
    return dot && !strcmp(dot, ".data");
}

/* The images of a .data file's list, or those that the words name. */
static int find_images(struct features *f, char **words, int count, const char *list,
                       struct meta_error *error)
{
    const char *path;
    if (count == 1 && is_data(*words)) {
        if (meta_data_read(&f->data, *words, error)
            || find_list(f->data, list ? list : "test", &path, error)
            || meta_dataset_outline(&f->outline, f->data, path, error))
            return -1;
        f->path = f->outline->paths;
        f->count = f->outline->count;
        return 0;
    }
    if (list)
        return meta_fail(error, "-list %s: must be with a .data file, and nothing beside it", list);
    if (meta_paths_find(&f->paths, words, count, error)) return -1;
    for (int i = 0; i < f->paths.others; i++)
        fprintf(stderr, "darknet: warning: %s: not read: its name is not that of an image\n",
                f->paths.other[i]);
    f->path = f->paths.path;
    f->count = f->paths.count;
    return 0;
}

/* Whether both files are of an earlier call: a CSV of that header alone may be anyone's. */
static int is_own(const char *out, const char *names)
{
    char line[32];
    meta_head_line(names, line, sizeof line);
    return (!strcmp(line, "image") || !strcmp(line, "image,class"))
        && meta_head_is(out, "\x93NUMPY");
}

/* NAME.csv of NAME.npy. The caller frees; neither may be one of the files that are read, or of
   something else. */
static int check_out(char **names, const char *out, const char *const inputs[], int count,
                     struct meta_error *error)
{
    const char *dot = out ? strrchr(out, '.') : NULL;
    if (!dot || strcmp(dot, ".npy"))
        return meta_fail(error,
                         "-out%s%s: must be the name of the file to write, which ends in "
                         ".npy",
                         out ? " " : "", out ? out : "");
    if (!(*names = meta_path_beside(out, ".csv"))) return meta_fail_memory(error);
    if (meta_flag_out(out, inputs, count, error) || meta_flag_out(*names, inputs, count, error))
        return -1;
    int own = is_own(out, *names);
    return meta_own_output("-out", *names, own, "meta features", error)
            || meta_own_output("-out", out, own, "meta features", error)
        ? -1
        : 0;
}

static int check_bn(struct features *f, const char *kind, const char *batch,
                    struct meta_error *error)
{
    if (meta_bn_find(&f->bn, kind, error)) return -1;
    if (f->bn == META_BN_SUPPORT)
        return meta_fail(error,
                         "-bn support: there are no support images: must be running or "
                         "batch");
    if (batch && f->bn != META_BN_BATCH)
        return meta_fail(error, "-batch %s: must be with -bn batch", batch);
    f->batch = f->bn == META_BN_BATCH ? (int)meta_flag_int("-batch", batch, 64, 2, 1 << 20)
                                      : AT_ONCE;
    return 0;
}

/* Loads all that the images need, and says what is written. */
static int load(struct features *f, const char *weights, int threads, struct meta_error *error)
{
    const struct meta_network *net = f->filled.network = f->model->network;
    if (meta_extract_layer(net, "-layer", &f->layer, error)) return -1;
    if (f->batch > f->count) f->batch = f->count;
    f->size = meta_shape_numbers(net->layers[f->layer].out);
    if (meta_weights_load(net, weights, &f->filled.parameters, &f->filled.statistics, error)
        || f->backend->open(error))
        return -1;
    return make_parts(f, threads, error);
}

static void tell(const struct features *f, const char *out, const char *names)
{
    const struct meta_layer *l = &f->model->network->layers[f->layer];
    if (f->outline) meta_tell_depth(f->data, f->outline);
    printf("%s: %d image%s, %zu numbers each: layer %d, [%s], of %s, %dx%dx%d, %s statistics\n",
           out, f->count, meta_plural(f->count), f->size, f->layer, meta_layer_name(l),
           f->model->path, l->out.w, l->out.h, l->out.c, meta_bn_name(f->bn));
    printf("%s: their names, in the same order\n", names);
}

int meta_command_features(int argc, char **argv)
{
    const char *out = NULL, *layer = NULL, *list = NULL, *bn = "running", *batch = NULL,
               *threads = NULL, *backend = NULL;
    const struct meta_flag flags[] = {
        { "-out", "FILE.npy", "NumPy's float32 (images, numbers), and beside it FILE.csv", &out,
          NULL },
        { "-layer", "N",
          "the layer whose output is taken, from 0 (the one before the last [connected])", &layer,
          NULL },
        { "-list", "NAME", "test, valid or train (test): the list of a .data file", &list, NULL },
        { "-bn", "KIND",
          "running or batch (running): whose statistics normalise images, the weights' own or "
          "those of -batch images",
          &bn, NULL },
        { "-batch", "N", "with -bn batch: images that are normalised together (64)", &batch, NULL },
        { "-threads", "N", "worker threads; the result does not depend on it (the cores)", &threads,
          NULL },
        { "-backend", "NAME", "onednn or reference (onednn)", &backend, NULL },
    };
    struct features f = { 0 };
    struct meta_error error;
    char *names = NULL;
    const struct meta_syntax syntax = { "features CFG WEIGHTS DATA|IMAGE|LIST|FOLDER... -out "
                                        "FILE.npy",
                                        3, 1 << 30, flags, sizeof flags / sizeof *flags };
    int words = meta_flags_parse(argc, argv, &syntax);
    int workers = meta_flag_int("-threads", threads, meta_pool_cores(), 1, META_POOL_MOST);
    f.layer = meta_flag_int("-layer", layer, -1, 0, INT32_MAX);
    f.backend = meta_flag_backend(backend, "onednn");
    int failed = check_out(&names, out, (const char *const *)argv, words, &error)
        || check_bn(&f, bn, batch, &error)
        || meta_model_load_for(&f.model, argv[0], META_FOR_ANY, &error)
        || find_images(&f, argv + 2, words - 2, list, &error) || load(&f, argv[1], workers, &error)
        || write(&f, out, names, &error);
    if (failed) meta_complain(&error);
    else tell(&f, out, names);
    free_features(&f);
    free(names);
    return failed;
}
