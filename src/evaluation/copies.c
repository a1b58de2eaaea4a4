/* Makes augmented copies of a task's images, learns from them, and averages the answers. */
#include "copies.h"
#include "engine/log_odds.h"
#include "images/turns.h"
#include "tasks/view.h"

#include <stdlib.h>
#include <string.h>

struct meta_copies {
    struct meta_method_context c;
    struct meta_worker *worker; /* the caller's */
    int count, support, query;  /* copies; images without them */
    size_t numbers;             /* of an image */
    float *images;              /* (count*support, c, h, w), copy by copy */
    float *asked;               /* (query, c, h, w) of one copy */
    int *labels;                /* (count*support) */
    double *before, *after;     /* (count, query, ways) log-odds of each copy */
    double *answers;            /* (count, ways) of one image */
};

void meta_copies_free(struct meta_copies *k)
{
    if (!k) return;
    free(k->images);
    free(k->asked);
    free(k->labels);
    free(k->before);
    free(k->after);
    free(k->answers);
    free(k);
}

int meta_copies_create(struct meta_copies **out, const struct meta_method_context *c, int count,
                       struct meta_worker *worker, struct meta_error *error)
{
    const struct meta_episode_settings *t = &c->evaluation->episode;
    struct meta_copies *k = *out = calloc(1, sizeof *k);
    if (!k) return meta_fail_memory(error);
    k->c = *c;
    k->worker = worker;
    k->count = count;
    k->support = t->ways * t->shots;
    k->query = t->ways * t->queries;
    k->numbers = meta_shape_numbers(c->model->network->input);
    size_t answers = (size_t)count * k->query * t->ways;
    k->images = malloc((size_t)count * k->support * k->numbers * sizeof *k->images);
    k->asked = malloc(k->query * k->numbers * sizeof *k->asked);
    k->labels = malloc((size_t)count * k->support * sizeof *k->labels);
    k->before = malloc(answers * sizeof *k->before);
    k->after = malloc(answers * sizeof *k->after);
    k->answers = malloc((size_t)count * t->ways * sizeof *k->answers);
    return k->images && k->asked && k->labels && k->before && k->after && k->answers
        ? 0
        : meta_fail_memory(error);
}

void meta_copy_image(const struct meta_method_context *c, const struct meta_method_task *t,
                     int copy, int place, float *out)
{
    const struct meta_shape in = c->model->network->input;
    int support = t->episode->ways * t->episode->shots, asked = place >= support,
        i = asked ? place - support : place;
    if (copy < meta_turns(in.h, in.w)) {
        const float *image = (asked ? t->task.query : t->task.support) + i * meta_shape_numbers(in);
        meta_turn(out, image, in.c, in.h, in.w, copy);
        return;
    }
    const struct meta_view view = {
        &c->model->net, 1, t->task.seed, t->task.iteration, copy, place
    };
    meta_view_image(c->evaluation->augmented, asked ? t->episode->query[i] : t->episode->support[i],
                    &view, out);
}

void meta_copies_mean(const struct meta_episode_settings *e, const double *all, int count,
                      double *one, double *scores)
{
    size_t ways = e->ways, query = ways * e->queries;
    for (size_t i = 0; i < query; i++) {
        for (size_t copy = 0; copy < (size_t)count; copy++)
            memcpy(one + copy * ways, all + (copy * query + i) * ways, ways * sizeof *all);
        meta_log_odds_mean(one, count, ways, scores + i * ways);
    }
}

double meta_copies_loss(const struct meta_method_task *t, const double *scores)
{
    int ways = t->episode->ways;
    return meta_log_odds_mean_loss(scores, t->task.query_labels, ways * t->episode->queries, ways);
}

void meta_copies_run(struct meta_copies *k, const struct meta_method_task *t, int steps,
                     double *before, double *after, struct meta_run *run)
{
    const struct meta_episode_settings *e = &k->c.evaluation->episode;
    size_t each = (size_t)k->query * e->ways;
    struct meta_task task = t->task;
    struct meta_task_result unused = { 0 };
    for (int copy = 0; copy < k->count; copy++)
        for (int i = 0; i < k->support; i++) {
            size_t at = (size_t)copy * k->support + i;
            meta_copy_image(&k->c, t, copy, i, k->images + at * k->numbers);
            k->labels[at] = t->task.support_labels[i];
        }
    task.support = k->images;
    task.support_labels = k->labels;
    task.query = k->asked;
    const void *start = meta_worker_learn(k->worker, t->phi, &task, 0, &unused);
    const void *adapted = meta_worker_learn(k->worker, t->phi, &task, steps, &unused);
    for (int copy = 0; copy < k->count; copy++) {
        for (int i = 0; i < k->query; i++)
            meta_copy_image(&k->c, t, copy, k->support + i, k->asked + i * k->numbers);
        meta_worker_score(k->worker, adapted, &task, k->after + copy * each);
        if (adapted == start)
            memcpy(k->before + copy * each, k->after + copy * each, each * sizeof *k->before);
        else meta_worker_score(k->worker, start, &task, k->before + copy * each);
    }
    meta_copies_mean(e, k->before, k->count, k->answers, before);
    meta_copies_mean(e, k->after, k->count, k->answers, after);
    run->query_loss = meta_copies_loss(t, after);
}
