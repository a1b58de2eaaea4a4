/* Asks every network about every copy of an image, and averages. */
#include "mean_answer.h"
#include "engine/log_odds.h"
#include "images/turns.h"

#include <stdlib.h>

struct meta_mean_answer {
    struct meta_predictor **predictors; /* (count) */
    int count, copies, outputs;
    struct meta_shape input;
    float *copy;     /* (c, h, w) */
    double *answers; /* (count, copies, outputs) */
};

int meta_mean_answer_create(struct meta_mean_answer **out, const struct meta_filled *filled,
                            int count, int copies, const struct meta_backend *backend,
                            struct meta_error *error)
{
    struct meta_mean_answer *m = calloc(1, sizeof *m);
    if (!m) return meta_fail_memory(error);
    m->copies = copies;
    m->outputs = meta_network_outputs(filled->network);
    m->input = filled->network->input;
    m->predictors = calloc(count, sizeof(struct meta_predictor *));
    m->copy = malloc(meta_shape_numbers(m->input) * sizeof *m->copy);
    m->answers = malloc((size_t)count * copies * m->outputs * sizeof *m->answers);
    if (!m->predictors || !m->copy || !m->answers) {
        meta_fail_memory(error);
        goto fail;
    }
    for (; m->count < count; m->count++) {
        const struct meta_filled *f = &filled[m->count];
        if (meta_predictor_create(&m->predictors[m->count], f, f->statistics, backend, 1, error))
            goto fail;
    }
    *out = m;
    return 0;
fail:
    meta_mean_answer_free(m);
    return -1;
}

void meta_mean_answer_free(struct meta_mean_answer *m)
{
    if (!m) return;
    for (int i = 0; i < m->count; i++) meta_predictor_free(m->predictors[i]);
    free(m->predictors);
    free(m->copy);
    free(m->answers);
    free(m);
}

int meta_mean_answer_run(struct meta_mean_answer *m, const float *image, double *log_odds,
                         struct meta_error *error)
{
    int single = m->count * m->copies == 1;
    double *at = single ? log_odds : m->answers;
    for (int copy = 0; copy < m->copies; copy++) {
        if (copy) meta_turn(m->copy, image, m->input.c, m->input.h, m->input.w, copy);
        for (int i = 0; i < m->count; i++, at += m->outputs) {
            struct meta_answer answer = { .log_odds = at };
            if (meta_predictor_run(m->predictors[i], copy ? m->copy : image, 1, answer, error))
                return -1;
        }
    }
    if (!single) meta_log_odds_mean(m->answers, m->count * m->copies, m->outputs, log_odds);
    return 0;
}
