/* Reads and writes Darknet's .weights files. */
#include "weights.h"
#include "tie.h"
#include "base/head.h"
#include "base/plural.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "a .weights file is little-endian and is copied as it is");

struct header {
    int32_t major, minor, revision;
};

/* A `revision` of this upper half has the number of batches, updates, in its lower half. */
#define UPDATES 0x4d4c0000
#define GRADIENT 0x4d470000

/* Lists the arrays of a layer behind a file's header, in the file's order: at most 5. Returns their
   number. */
static int list_layer(const struct meta_layer *l, const float *parameters, const float *statistics,
                      struct meta_chunk *chunks)
{
    int n = 0;
    size_t bytes = (size_t)meta_layer_file_rows(l) * sizeof(float);
    if (l->weights == META_NONE) return 0;
    struct meta_chunk weights = { parameters + l->weights, l->weight_count * sizeof(float) };
    if (l->type == META_PLUGIN) {
        chunks[0] = weights;
        return 1;
    }
    chunks[n++] = (struct meta_chunk){ parameters + l->biases, bytes };
    if (l->type == META_CONNECTED) chunks[n++] = weights;
    if (l->scales != META_NONE) {
        chunks[n++] = (struct meta_chunk){ parameters + l->scales, bytes };
        chunks[n++] = (struct meta_chunk){ statistics + l->mean, bytes };
        chunks[n++] = (struct meta_chunk){ statistics + l->variance, bytes };
    }
    if (l->type != META_CONNECTED) chunks[n++] = weights;
    return n;
}

/* The same of the first `layers` layers. */
static int list_arrays(const struct meta_network *net, int layers, const float *parameters,
                       const float *statistics, struct meta_chunk *chunks)
{
    int n = 0;
    for (int i = 0; i < layers; i++)
        n += list_layer(&net->layers[i], parameters, statistics, chunks + n);
    return n;
}

size_t meta_weights_layer(const struct meta_network *net, int layer, const float *numbers,
                          float *parameters, float *statistics)
{
    struct meta_chunk chunks[5];
    size_t count = 0;
    int arrays = list_layer(&net->layers[layer], parameters, statistics, chunks);
    for (int k = 0; k < arrays; k++) {
        if (numbers) memcpy((void *)chunks[k].data, numbers + count, chunks[k].size);
        count += chunks[k].size / sizeof *numbers;
    }
    return count;
}

size_t meta_weights_numbers(const struct meta_network *net)
{
    size_t numbers = net->statistics;
    for (int i = 0; i < net->count; i++) {
        const struct meta_layer *l = &net->layers[i];
        if (l->weights == META_NONE) continue;
        numbers += l->weight_count * (l->rotations == 4 ? 4 : 1);
        numbers += (size_t)meta_layer_file_rows(l) * (l->scales == META_NONE ? 1 : 2);
    }
    return numbers;
}

/* ---- reading --------------------------------------------------------------------------------- */

/* A file in memory, and what its header says. */
struct contents {
    const char *path;
    int whole; /* it must have all layers */
    char *data;
    size_t size, at; /* at: where the numbers begin */
    uint64_t seen;
    int32_t revision;
    int transposed; /* the weights of connected layers are (i,o) */
};

/* Darknet takes a version above 1000 for the learning rate of a file from before there were
   versions. Here the rate, momentum and decay must be numbers that such a file can have. */
static int is_before_versions(const struct header *h)
{
    float x[3];
    memcpy(x, h, sizeof x);
    return (h->major > 1000 || h->minor > 1000) && x[0] >= 0 && x[0] < 100 && x[1] >= 0 && x[1] <= 1
        && x[2] >= 0 && x[2] <= 1;
}

static int read_header(const struct meta_network *net, struct contents *c, struct meta_error *error)
{
    struct header h;
    size_t expected = sizeof h + 8 + (net->parameters + net->statistics) * sizeof(float);
    if (c->size < sizeof h + 4)
        return meta_fail(error,
                         "%s: %zu bytes: too short for a .weights file; this network's has %zu",
                         c->path, c->size, expected);
    memcpy(&h, c->data, sizeof h);
    c->transposed = is_before_versions(&h);
    if (!c->transposed && (h.major != 0 || h.minor < 1 || h.minor > 2))
        return meta_fail(error,
                         "%s: version %d.%d.%d in its %zu bytes: not a .weights file of version "
                         "0.1 or 0.2, of which this network's has %zu bytes",
                         c->path, h.major, h.minor, h.revision, c->size, expected);
    if (h.revision == GRADIENT)
        return meta_fail(error, "%s: is a gradient that `meta grad` wrote, no weights", c->path);
    size_t seen = h.minor == 2 ? 8 : 4;
    c->at = sizeof h + seen;
    c->revision = c->transposed ? 0 : h.revision;
    c->seen = 0;
    if (c->size >= c->at) memcpy(&c->seen, c->data + sizeof h, seen);
    return 0;
}

/* Finds how many of the first layers the file has: those behind which it ends, or 0 where it ends
   elsewhere. */
static int count_layers(const struct meta_network *net, const struct contents *c)
{
    size_t end = c->at;
    for (int i = 0; i < net->count; i++) {
        const struct meta_layer *l = &net->layers[i];
        if (l->weights == META_NONE) continue;
        size_t rows = l->batch_normalize ? 4 : 1;
        end += (l->weight_count + rows * (size_t)meta_layer_file_rows(l)) * sizeof(float);
        if (end != c->size) continue;
        while (++i < net->count && net->layers[i].weights == META_NONE) {}
        return i;
    }
    return 0;
}

static int check_finite(const struct contents *c, struct meta_error *error)
{
    size_t numbers = (c->size - c->at) / sizeof(float);
    for (size_t i = 0; i < numbers; i++) {
        float x;
        memcpy(&x, c->data + c->at + i * sizeof x, sizeof x);
        if (isfinite(x)) continue;
        return meta_fail(error,
                         "%s: number %zu of %zu is not finite: the file is damaged or its training "
                         "diverged",
                         c->path, i, numbers);
    }
    return 0;
}

/* Turns weights (i,o) to (o,i). */
static int transpose(float *weights, const struct meta_layer *l, struct meta_error *error)
{
    size_t outputs = (size_t)l->filters, inputs = l->weight_count / outputs;
    float *copy = malloc(l->weight_count * sizeof *copy);
    if (!copy) return meta_fail_memory(error);
    memcpy(copy, weights, l->weight_count * sizeof *copy);
    for (size_t o = 0; o < outputs; o++)
        for (size_t i = 0; i < inputs; i++) weights[o * inputs + i] = copy[i * outputs + o];
    free(copy);
    return 0;
}

static int take(const struct meta_network *net, const struct contents *c, int layers,
                float *parameters, float *statistics, struct meta_error *error)
{
    struct meta_chunk *chunks = malloc((5 * (size_t)layers + 1) * sizeof *chunks);
    size_t at = c->at;
    if (!chunks) return meta_fail_memory(error);
    int count = list_arrays(net, layers, parameters, statistics, chunks);
    for (int i = 0; i < count; i++) {
        memcpy((void *)chunks[i].data, c->data + at, chunks[i].size);
        at += chunks[i].size;
    }
    free(chunks);
    for (int i = 0; i < layers && c->transposed; i++) {
        const struct meta_layer *l = &net->layers[i];
        if (l->type == META_CONNECTED && transpose(parameters + l->weights, l, error)) return -1;
    }
    return 0;
}

static uint32_t find_batches(int32_t revision, const float *statistics, size_t n)
{
    uint32_t updates = revision & 0xffff;
    if (revision - (int32_t)updates == UPDATES && updates < META_ROLLING_SETTLED) return updates;
    for (size_t i = 0; i < n; i++)
        if (statistics[i] != 0) return META_ROLLING_SETTLED;
    return 0;
}

static int read_untied(const struct meta_network *net, struct contents *c, float *parameters,
                       float *statistics, struct meta_weights_head *head, struct meta_error *error)
{
    if (read_header(net, c, error)) return -1;
    int layers = count_layers(net, c);
    if (layers < net->count && (c->whole || !layers))
        return meta_fail(error,
                         "%s: %zu bytes: does not fit this network, whose .weights file has %zu "
                         "bytes%s",
                         c->path, c->size,
                         c->at + (net->parameters + net->statistics) * sizeof(float),
                         c->whole ? "" : ", nor does it end behind one of its layers");
    if (check_finite(c, error) || take(net, c, layers, parameters, statistics, error)) return -1;
    head->seen = c->seen;
    head->updates = find_batches(c->revision, statistics, net->statistics);
    head->layers = layers;
    return 0;
}

/* What is tied stands in the file as often as in an ordinary network, so that every Darknet reads
   it. */
static int read_tied(const struct meta_tie *tie, struct contents *c, float *parameters,
                     float *statistics, struct meta_weights_head *head, struct meta_error *error)
{
    struct meta_error why;
    size_t most = tie->full->parameters, tied = tie->parameters, others = tie->full->statistics;
    float *full = malloc((most + tied + others) * sizeof *full), *once = full + most,
          *means = once + tied;
    if (!full) return meta_fail_memory(error);
    meta_tie_spread(tie, parameters, full);
    memcpy(means, statistics, others * sizeof *means);
    int status = read_untied(tie->full, c, full, means, head, error);
    if (!status && meta_tie_gather(tie, full, once, &why))
        status = meta_fail(error, "%s: %s", c->path, why.text);
    if (!status) {
        memcpy(parameters, once, tied * sizeof *once);
        memcpy(statistics, means, others * sizeof *means);
    }
    free(full);
    return status;
}

static int read(const struct meta_network *net, struct contents *c, float *parameters,
                float *statistics, struct meta_weights_head *head, struct meta_error *error)
{
    struct meta_tie *tie;
    if (meta_tie_create(&tie, net, error)) return -1;
    int status = meta_file_read(c->path, &c->data, &c->size, error);
    if (!status)
        status = tie ? read_tied(tie, c, parameters, statistics, head, error)
                     : read_untied(net, c, parameters, statistics, head, error);
    free(c->data);
    meta_tie_free(tie);
    return status;
}

int meta_weights_read_first(const struct meta_network *net, const char *path, float *parameters,
                            float *statistics, struct meta_weights_head *head,
                            struct meta_error *error)
{
    struct contents c = { .path = path };
    return read(net, &c, parameters, statistics, head, error);
}

int meta_weights_read(const struct meta_network *net, const char *path, float *parameters,
                      float *statistics, struct meta_weights_head *head, struct meta_error *error)
{
    struct contents c = { .path = path, .whole = 1 };
    return read(net, &c, parameters, statistics, head, error);
}

void meta_weights_tell(char text[META_WEIGHTS_TOLD], const struct meta_network *net, int layers)
{
    int last = 0, drawn = 0, read = 0;
    for (int i = 0; i < net->count; i++) {
        if (net->layers[i].weights == META_NONE) continue;
        drawn += i >= layers;
        read += i < layers;
        if (i < layers) last = i;
    }
    snprintf(text, META_WEIGHTS_TOLD,
             "the weights of %d layer%s, up to layer %d, [%.60s]; those of %d layer%s, from layer "
             "%d, [%.60s], on are drawn",
             read, meta_plural(read), last, meta_layer_name(&net->layers[last]), drawn,
             meta_plural(drawn), layers, meta_layer_name(&net->layers[layers]));
}

int meta_weights_load(const struct meta_network *net, const char *path, float **parameters,
                      float **statistics, struct meta_error *error)
{
    struct meta_weights_head head;
    *parameters = calloc(net->parameters + 1, sizeof **parameters);
    *statistics = calloc(net->statistics + 1, sizeof **statistics);
    if (!*parameters || !*statistics)
        return meta_fail(error, "out of memory for %zu parameters", net->parameters);
    if (meta_weights_read(net, path, *parameters, *statistics, &head, error)) return -1;
    meta_rolling_correct(*statistics, net->statistics, head.updates);
    return 0;
}

/* ---- writing --------------------------------------------------------------------------------- */

static int all_finite(const float *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!isfinite(x[i])) return 0;
    return 1;
}

int meta_weights_gradient(const char *path)
{
    struct header h;
    return meta_head_read(path, (char *)&h, sizeof h) == sizeof h && h.revision == GRADIENT;
}

/* What is written. */
struct written {
    const char *path;
    const float *parameters, *statistics;
    struct meta_weights_head head;
};

static int begin_untied(struct meta_new_file **out, const struct meta_network *net,
                        const struct written *w, struct meta_error *error)
{
    struct header h = { 0, 2, 0 };
    if (net->statistics && w->head.updates && w->head.updates < META_ROLLING_SETTLED)
        h.revision = UPDATES + (int32_t)w->head.updates;
    if (w->head.gradient) h.revision = GRADIENT;
    if (!all_finite(w->parameters, net->parameters) || !all_finite(w->statistics, net->statistics))
        return meta_fail(error, "%s: the weights are not finite: nothing was written", w->path);
    struct meta_chunk *chunks = malloc((5 * (size_t)net->count + 2) * sizeof *chunks);
    if (!chunks) return meta_fail_memory(error);
    chunks[0] = (struct meta_chunk){ &h, sizeof h };
    chunks[1] = (struct meta_chunk){ &w->head.seen, sizeof w->head.seen };
    int count = 2 + list_arrays(net, net->count, w->parameters, w->statistics, chunks + 2);
    int status = meta_new_file_of(out, w->path, chunks, count, error);
    free(chunks);
    return status;
}

static int begin(struct meta_new_file **out, const struct meta_network *net, struct written w,
                 struct meta_error *error)
{
    struct meta_tie *tie;
    *out = NULL;
    if (meta_tie_create(&tie, net, error)) return -1;
    if (!tie) return begin_untied(out, net, &w, error);
    float *full = malloc(tie->full->parameters * sizeof *full);
    int status = -1;
    if (full) {
        meta_tie_spread(tie, w.parameters, full);
        w.parameters = full;
        status = begin_untied(out, tie->full, &w, error);
    } else meta_fail_memory(error);
    free(full);
    meta_tie_free(tie);
    return status;
}

int meta_weights_begin(struct meta_new_file **out, const char *path, const struct meta_filled *f,
                       struct meta_weights_head head, struct meta_error *error)
{
    return begin(out, f->network, (struct written){ path, f->parameters, f->statistics, head },
                 error);
}

int meta_weights_write(const struct meta_network *net, const char *path, const float *parameters,
                       const float *statistics, struct meta_weights_head head,
                       struct meta_error *error)
{
    struct meta_new_file *file;
    if (begin(&file, net, (struct written){ path, parameters, statistics, head }, error)) return -1;
    return meta_new_file_end(file, error);
}
