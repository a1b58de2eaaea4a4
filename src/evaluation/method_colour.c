/* The method colour: logistic regression on a histogram of an image's colours, the square roots of
   three times 16 shares of L*, a* and b* (on held-out common lesions of ISIC 2018, 5 shots, 300
   tasks, an AUC of 0.70; the shares themselves 0.65). It knows no network: what it gets right is
   what colour alone says. */
#include "engine/log_odds.h"
#include "images/lab.h"
#include "method.h"
#include "stats/regression.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COST 1. /* the C of the regression: scikit-learn's own default */
enum { BINS = 16, SIZE = 3 * BINS };

struct colour {
    const struct meta_episode_settings *episode;
    struct meta_shape input;
    double *histograms; /* (ways*shots + ways*queries, SIZE) */
    double *known;      /* (room, SIZE) of the data set's images; the first is NaN until counted */
    int room;
    double *weights; /* (ways, SIZE + 1) */
};

static void release(void *state)
{
    struct colour *c = state;
    if (!c) return;
    free(c->histograms);
    free(c->known);
    free(c->weights);
    free(c);
}

static int create(void **state, const struct meta_method_context *context, struct meta_error *error)
{
    const struct meta_episode_settings *t = &context->evaluation->episode;
    struct colour *c = *state = calloc(1, sizeof *c);
    if (!c) return meta_fail_memory(error);
    c->episode = t;
    c->input = context->model->network->input;
    c->histograms = malloc((size_t)t->ways * (t->shots + t->queries) * SIZE
                           * sizeof *c->histograms);
    c->weights = malloc((size_t)t->ways * (SIZE + 1) * sizeof *c->weights);
    return c->histograms && c->weights ? 0 : meta_fail_memory(error);
}

/* The bin of x among BINS of equal width over low..high, the last of which holds high. */
static int bin_of(double x, double low, double high)
{
    int bin = floor((x - low) / (high - low) * BINS);
    return bin < 0 ? 0 : bin >= BINS ? BINS - 1 : bin;
}

/* The square root of the share of the pixels in each bin: L* over 0..100, a* and b* over -32..64,
   where skin is; colours beyond are in the bins at the ends. image (c, h, w) in 0..1; of one
   channel, which is gray, all pixels are in one bin of a* and b*. */
static void count(const struct colour *c, const float *image, double *histogram)
{
    static const double low[] = { 0, -32, -32 }, high[] = { 100, 64, 64 };
    size_t area = (size_t)c->input.h * c->input.w;
    int places[3] = { 0, c->input.c == 3, 2 * (c->input.c == 3) };
    memset(histogram, 0, SIZE * sizeof *histogram);
    for (size_t i = 0; i < area; i++) {
        double rgb[3], lab[3];
        for (int k = 0; k < 3; k++) rgb[k] = image[places[k] * area + i];
        meta_lab(rgb, lab);
        if (c->input.c == 1) lab[1] = lab[2] = 0; /* but for rounding */
        for (int k = 0; k < 3; k++) histogram[k * BINS + bin_of(lab[k], low[k], high[k])]++;
    }
    for (int k = 0; k < SIZE; k++) histogram[k] = sqrt(histogram[k] / area);
}

/* Images come again and again: each is counted once. */
static int look_up(struct colour *c, int item, const float *image, double *histogram,
                   struct meta_error *error)
{
    if (item >= c->room) {
        int room = 2 * item + 64;
        double *longer = realloc(c->known, (size_t)room * SIZE * sizeof *longer);
        if (!longer) return meta_fail_memory(error);
        for (int i = c->room; i < room; i++) longer[(size_t)i * SIZE] = NAN;
        c->known = longer;
        c->room = room;
    }
    double *own = c->known + (size_t)item * SIZE;
    if (isnan(*own)) count(c, image, own);
    memcpy(histogram, own, SIZE * sizeof *own);
    return 0;
}

static int run(void *state, const struct meta_method_task *t, double *before, double *after,
               struct meta_run *result, struct meta_error *error)
{
    struct colour *c = state;
    const struct meta_episode_settings *e = c->episode;
    int support = e->ways * e->shots, query = e->ways * e->queries;
    size_t numbers = meta_shape_numbers(c->input);
    for (int i = 0; i < support + query; i++) {
        int asked = i >= support, k = asked ? i - support : i;
        if (look_up(c, asked ? t->episode->query[k] : t->episode->support[k],
                    (asked ? t->task.query : t->task.support) + k * numbers,
                    c->histograms + (size_t)i * SIZE, error))
            return -1;
    }
    const struct meta_regression_points points = { support, SIZE, e->ways, c->histograms,
                                                   t->task.support_labels };
    if (meta_regression_fit(c->weights, &points, COST, error)) return -1;
    for (int i = 0; i < query; i++) {
        double *own = after + (size_t)i * e->ways;
        meta_regression_logits(own, c->weights, c->histograms + (size_t)(support + i) * SIZE, SIZE,
                               e->ways);
        meta_log_odds(own, e->ways, own);
    }
    return 0;
}

static void describe(const struct meta_model *model, const struct meta_evaluation *e, char *text,
                     size_t size)
{
    snprintf(text, size, "logistic regression on colours");
}

const struct meta_method meta_method_colour = { .name = "colour",
                                                .purpose = META_FOR_ANY,
                                                .weightless = 1,
                                                .probabilities = 1,
                                                .describe = describe,
                                                .create = create,
                                                .free = release,
                                                .run = run };
