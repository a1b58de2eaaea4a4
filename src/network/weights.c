/* Reads and writes Darknet's .weights files. */
#include "weights.h"
#include "base/file.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "a .weights file is little-endian and is copied as it is");

struct header {
    int32_t major, minor, revision;
};

/* A `revision` of this upper half has the number of batches, updates, in its lower half. */
#define UPDATES 0x4d4c0000

/* Lists the arrays of a file behind its header, in the file's order: at most 5 a layer. Returns
   their number. */
static int list_arrays(const struct meta_network *net, const float *parameters,
                       const float *statistics, struct meta_chunk *chunks)
{
    int n = 0;
    for (int i = 0; i < net->count; i++) {
        const struct meta_layer *l = &net->layers[i];
        if (l->weights == META_NONE) continue;
        size_t bytes = l->filters * sizeof(float);
        struct meta_chunk weights = { parameters + l->weights, l->weight_count * sizeof(float) };
        chunks[n++] = (struct meta_chunk){ parameters + l->biases, bytes };
        if (l->type == META_CONNECTED) chunks[n++] = weights;
        if (l->scales != META_NONE) {
            chunks[n++] = (struct meta_chunk){ parameters + l->scales, bytes };
            chunks[n++] = (struct meta_chunk){ statistics + l->mean, bytes };
            chunks[n++] = (struct meta_chunk){ statistics + l->variance, bytes };
        }
        if (l->type == META_CONVOLUTIONAL) chunks[n++] = weights;
    }
    return n;
}

/* Checks the version, the size and that every number is finite. Returns where the numbers begin, or
   0 with a message. */
static size_t check_bytes(const char *path, const char *data, size_t size, size_t numbers,
                          struct meta_error *error)
{
    struct header h;
    size_t expected = sizeof h + 8 + numbers * sizeof(float);
    if (size < sizeof h + 4) {
        meta_fail(error, "%s: %zu bytes: too short for a .weights file; this network's has %zu",
                  path, size, expected);
        return 0;
    }
    memcpy(&h, data, sizeof h);
    if (h.major != 0 || h.minor < 1 || h.minor > 2) {
        meta_fail(error,
                  "%s: version %d.%d.%d in its %zu bytes: not a .weights file of version 0.1 or "
                  "0.2, "
                  "of which this network's has %zu bytes",
                  path, h.major, h.minor, h.revision, size, expected);
        return 0;
    }
    size_t at = sizeof h + (h.minor == 2 ? 8 : 4);
    if (size != at + numbers * sizeof(float)) {
        meta_fail(error,
                  "%s: %zu bytes: does not fit this network, whose .weights file has %zu bytes",
                  path, size, at + numbers * sizeof(float));
        return 0;
    }
    for (size_t i = 0; i < numbers; i++) {
        float x;
        memcpy(&x, data + at + i * sizeof x, sizeof x);
        if (isfinite(x)) continue;
        meta_fail(error,
                  "%s: number %zu of %zu is not finite: the file is damaged or its training "
                  "diverged",
                  path, i, numbers);
        return 0;
    }
    return at;
}

static uint32_t find_batches(int32_t revision, const float *statistics, size_t n)
{
    uint32_t updates = revision & 0xffff;
    if (revision - (int32_t)updates == UPDATES && updates < META_ROLLING_SETTLED) return updates;
    for (size_t i = 0; i < n; i++)
        if (statistics[i] != 0) return META_ROLLING_SETTLED;
    return 0;
}

int meta_weights_read(const struct meta_network *net, const char *path, float *parameters,
                      float *statistics, struct meta_weights_head *head, struct meta_error *error)
{
    char *data = NULL;
    size_t size, at;
    int status = -1;
    struct meta_chunk *chunks = malloc((5 * net->count + 1) * sizeof *chunks);
    if (!chunks) {
        meta_fail_memory(error);
        goto fail;
    }
    if (meta_file_read(path, &data, &size, error)) goto fail;
    if (!(at = check_bytes(path, data, size, net->parameters + net->statistics, error))) goto fail;
    struct header h;
    memcpy(&h, data, sizeof h);
    head->seen = 0; /* version 0.1 has it in 4 bytes */
    memcpy(&head->seen, data + sizeof h, at - sizeof h);
    int count = list_arrays(net, parameters, statistics, chunks);
    for (int i = 0; i < count; i++) {
        memcpy((void *)chunks[i].data, data + at, chunks[i].size);
        at += chunks[i].size;
    }
    head->updates = find_batches(h.revision, statistics, net->statistics);
    status = 0;
fail:
    free(chunks);
    free(data);
    return status;
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

int meta_weights_write(const struct meta_network *net, const char *path, const float *parameters,
                       const float *statistics, struct meta_weights_head head,
                       struct meta_error *error)
{
    struct header h = { 0, 2, 0 };
    if (net->statistics && head.updates && head.updates < META_ROLLING_SETTLED)
        h.revision = UPDATES + (int32_t)head.updates;
    struct meta_chunk *chunks = malloc((5 * net->count + 2) * sizeof *chunks);
    if (!chunks) return meta_fail_memory(error);
    chunks[0] = (struct meta_chunk){ &h, sizeof h };
    chunks[1] = (struct meta_chunk){ &head.seen, sizeof head.seen };
    int count = 2 + list_arrays(net, parameters, statistics, chunks + 2);
    int status = meta_file_write(path, chunks, count, error);
    free(chunks);
    return status;
}
