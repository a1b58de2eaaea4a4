/* The cases of tests/oracle (see scripts/reference/generate.py) for the programs that compare with them. */
#ifndef TESTS_ORACLE_H
#define TESTS_ORACLE_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <cjson/cJSON.h>
#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>
#include "base/file.h"
#include "network/network.h"

#define ORACLE "tests/oracle"

struct oracle_figures { int steps; double support_loss[64], query_loss, meta_loss, weight; };

struct oracle_case {
    char name[64], cfg[200], episode[200];
    char weights[300];                 /* unpacked in TMP_TEST; removed by oracle_close */
    long iteration;
    struct oracle_figures figures;
    double *gradient;                  /* (count) in .weights order, statistics included */
    size_t count;
    double *by_rates;                  /* (rate_count) by learned inner rates, which lie beside the weights; NULL: fixed */
    size_t rate_count;
    int rounded;                       /* the gradient was kept in 4-byte numbers */
};

static int oracle_is_case(const struct dirent *entry)
{
    char path[300];
    snprintf(path, sizeof path, ORACLE "/%s/net.cfg", entry->d_name);
    return entry->d_name[0] != '.' && !access(path, F_OK);
}

/* Sets *names to the names of the cases, in order, and returns their number. The list is never
   freed: it lives as long as the test program. */
static inline int oracle_list(char ***names)
{
    struct dirent **entries;
    int count = scandir(ORACLE, &entries, oracle_is_case, alphasort);
    if (count < 1) {
        fprintf(stderr, "no case in " ORACLE ": run from the project's root\n");
        exit(1);
    }
    *names = malloc(count * sizeof **names);
    for (int i = 0; i < count; i++) {
        (*names)[i] = strdup(entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
    return count;
}

/* The unpacked bytes of a file, which the caller frees; NULL when there is no such file. */
static unsigned char *oracle_unpack(const char *path, size_t *size)
{
    if (access(path, F_OK)) return NULL;
    gzFile file = gzopen(path, "rb");
    unsigned char *data = NULL;
    size_t room = 0;
    int n;
    assert_non_null(file);
    *size = 0;
    do {
        data = realloc(data, room += 1 << 16);
        assert_non_null(data);
        n = gzread(file, data + *size, room - *size);
        assert_true(n >= 0);
        *size += n;
    } while (*size == room);
    assert_int_equal(gzclose(file), Z_OK);
    return data;
}

static double oracle_number(const cJSON *object, const char *key)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);
    if (!cJSON_IsNumber(item)) fail_msg("no number \"%s\"", key);
    return item->valuedouble;
}

static void oracle_read_figures(const cJSON *json, struct oracle_figures *f)
{
    const cJSON *losses = cJSON_GetObjectItemCaseSensitive(json, "support_loss"), *item;
    if (!cJSON_IsArray(losses)) fail_msg("no array \"support_loss\"");
    f->steps = 0;
    cJSON_ArrayForEach(item, losses) {
        assert_true(cJSON_IsNumber(item) && f->steps < 64);
        f->support_loss[f->steps++] = item->valuedouble;
    }
    f->query_loss = oracle_number(json, "query_loss");
    f->meta_loss = oracle_number(json, "meta_loss");
    f->weight = oracle_number(json, "weight");
}

static void oracle_read_gradient(struct oracle_case *c)
{
    char path[300];
    size_t size;
    snprintf(path, sizeof path, ORACLE "/%s/gradient.f64.gz", c->name);
    unsigned char *data = oracle_unpack(path, &size);
    if (!data) {
        snprintf(path, sizeof path, ORACLE "/%s/gradient.f32.gz", c->name);
        data = oracle_unpack(path, &size);
        c->rounded = 1;
    }
    assert_non_null(data);
    c->count = size / (c->rounded ? 4 : 8);
    c->gradient = malloc(c->count * sizeof *c->gradient);
    for (size_t i = 0; i < c->count; i++) {
        float narrow;
        if (c->rounded) memcpy(&narrow, data + 4 * i, 4);
        if (c->rounded) c->gradient[i] = narrow;
        else memcpy(&c->gradient[i], data + 8 * i, 8);
    }
    free(data);
}

/* Where the rates of c->weights are looked for. */
static void oracle_rates_path(const struct oracle_case *c, char *path, size_t size)
{
    snprintf(path, size, "%.*s.rates", (int)(strlen(c->weights) - strlen(".weights")), c->weights);
}

static void oracle_read_rates(struct oracle_case *c)
{
    char path[300], to[320], *text;
    struct meta_error error;
    size_t size;
    snprintf(path, sizeof path, ORACLE "/%s/rates.f64.gz", c->name);
    c->by_rates = (double *)oracle_unpack(path, &size);
    if (!c->by_rates) return;
    c->rate_count = size / sizeof *c->by_rates;
    snprintf(path, sizeof path, ORACLE "/%s/initial.rates", c->name);
    if (meta_file_read(path, &text, &size, &error)) fail_msg("%s", error.text);
    oracle_rates_path(c, to, sizeof to);
    struct meta_chunk chunk = { text, size };
    if (meta_file_write(to, &chunk, 1, &error)) fail_msg("%s", error.text);
    free(text);
}

static void oracle_open(struct oracle_case *c, const char *name)
{
    char path[300], *text;
    const char *tmp = getenv("TMP_TEST");
    struct meta_error error;
    size_t size;
    memset(c, 0, sizeof *c);
    snprintf(c->name, sizeof c->name, "%s", name);
    snprintf(c->cfg, sizeof c->cfg, ORACLE "/%s/net.cfg", name);
    snprintf(c->episode, sizeof c->episode, ORACLE "/%s/episode.txt", name);
    snprintf(c->weights, sizeof c->weights, "%s/oracle.%d.%.60s.weights", tmp ? tmp : "/tmp", (int)getpid(), name);
    oracle_read_gradient(c);
    oracle_read_rates(c);
    snprintf(path, sizeof path, ORACLE "/%s/figures.json", name);
    if (meta_file_read(path, &text, &size, &error)) fail_msg("%s", error.text);
    cJSON *json = cJSON_Parse(text);
    assert_non_null(json);
    oracle_read_figures(json, &c->figures);
    c->iteration = oracle_number(json, "iteration");
    cJSON_Delete(json);
    free(text);
    snprintf(path, sizeof path, ORACLE "/%s/initial.weights.gz", name);
    unsigned char *weights = oracle_unpack(path, &size);
    assert_non_null(weights);
    struct meta_chunk chunk = { weights, size };
    if (meta_file_write(c->weights, &chunk, 1, &error)) fail_msg("%s", error.text);
    free(weights);
}

static void oracle_close(struct oracle_case *c)
{
    char rates[320];
    oracle_rates_path(c, rates, sizeof rates);
    unlink(c->weights);
    unlink(rates);
    free(c->gradient);
    free(c->by_rates);
}

/* oracle_walk calls `visit` for each array of the network in .weights order. `offset` is the array's
   place there, after the header, and `parameter` its place in the parameter block, META_NONE for
   rolling statistics. Returns how many numbers all arrays have. */
typedef void oracle_visitor(void *context, int layer, const char *what, size_t offset, size_t parameter, size_t count);
static size_t oracle_walk(const struct meta_network *net, oracle_visitor *visit, void *context)
{
    size_t at = 0;
    for (int i = 0; i < net->count; i++) {
        const struct meta_layer *l = &net->layers[i];
        int conv = l->type == META_CONVOLUTIONAL;
        for (size_t k = 0, first = l->weights; k < (size_t)l->array_count; first += l->arrays[k++].count) {
            visit(context, i, l->arrays[k].name, at, first, l->arrays[k].count);
            at += l->arrays[k].count;
        }
        if (!conv && l->type != META_CONNECTED && l->type != META_LOCAL) continue;
        struct { const char *what; size_t parameter, count; } arrays[] = {
            { "biases", l->biases, meta_layer_file_rows(l) }, { conv ? "" : "weights", l->weights, l->weight_count }, { "scales", l->scales, l->filters },
            { "mean", META_NONE, l->filters }, { "variance", META_NONE, l->filters }, { conv ? "weights" : "", l->weights, l->weight_count }
        };
        for (int k = 0; k < 6; k++) {
            if (!arrays[k].what[0] || (!l->batch_normalize && k >= 2 && k <= 4)) continue;
            visit(context, i, arrays[k].what, at, arrays[k].parameter, arrays[k].count);
            at += arrays[k].count;
        }
    }
    return at;
}

/* ||a - b|| / ||b|| over the whole gradient, and the worst array's; `where` names that array. */
struct oracle_distance {
    const double *got, *wanted;        /* in .weights order */
    double whole, worst, norm;
    char where[64];
};

static void oracle_compare_array(void *context, int layer, const char *what, size_t offset, size_t parameter, size_t count)
{
    struct oracle_distance *d = context;
    double difference = 0, norm = 0;
    for (size_t i = offset; i < offset + count; i++) {
        difference += (d->got[i] - d->wanted[i]) * (d->got[i] - d->wanted[i]);
        norm += d->wanted[i] * d->wanted[i];
    }
    d->whole += difference;
    if (parameter == META_NONE) {
        if (difference != 0 || norm != 0) fail_msg("layer %d: %s is not 0", layer, what);
        return;
    }
    /* An array without influence (a bias before a softmax over equal sums...) has only rounding to compare. */
    if (norm < 1e-16 * d->norm * d->norm) return;
    double relative = difference == difference ? sqrt(difference / norm) : INFINITY;
    if (relative <= d->worst) return;
    d->worst = relative;
    snprintf(d->where, sizeof d->where, "layer %d's %s", layer, what);
}

static struct oracle_distance oracle_compare(const struct meta_network *net, const double *got, const struct oracle_case *c)
{
    struct oracle_distance d = { .got = got, .wanted = c->gradient };
    for (size_t i = 0; i < c->count; i++) d.norm += c->gradient[i] * c->gradient[i];
    d.norm = sqrt(d.norm);
    if (!(d.norm > 1e-3)) fail_msg("the reference gradient is empty: %g", d.norm);
    size_t numbers = oracle_walk(net, oracle_compare_array, &d);
    assert_int_equal(numbers, c->count);
    d.whole = sqrt(d.whole) / d.norm;
    return d;
}

/* ||got - the case's derivatives by rates|| over their norm. */
static inline double oracle_rates_distance(const double *got, const struct oracle_case *c)
{
    double difference = 0, norm = 0;
    for (size_t i = 0; i < c->rate_count; i++) {
        difference += (got[i] - c->by_rates[i]) * (got[i] - c->by_rates[i]);
        norm += c->by_rates[i] * c->by_rates[i];
    }
    if (!(norm > 0)) fail_msg("the reference by the rates is empty");
    return sqrt(difference / norm);
}

#define oracle_assert_relative(what, got, wanted, limit) do { \
    double oracle_g = (got), oracle_w = (wanted); \
    if (!(fabs(oracle_g - oracle_w) <= (limit) * fabs(oracle_w))) fail_msg("%s: %.17g, not %.17g", what, oracle_g, oracle_w); \
} while (0)

/* Asserts that each loss is within `limit` of the case's, relative to it, and DA and w within `limit`
   times their condition number at this loss L. */
static inline void oracle_compare_figures(const struct oracle_figures *got, const struct oracle_case *c, double limit)
{
    const struct oracle_figures *f = &c->figures;
    assert_int_equal(got->steps, f->steps);
    for (int s = 0; s < f->steps; s++) oracle_assert_relative("support_loss", got->support_loss[s], f->support_loss[s], limit);
    oracle_assert_relative("query_loss", got->query_loss, f->query_loss, limit);
    double amplified = limit * (6 + f->query_loss / fabs(1 - f->query_loss));
    oracle_assert_relative("meta_loss", got->meta_loss, f->meta_loss, amplified);
    oracle_assert_relative("weight", got->weight, f->weight, amplified);
}

#endif
