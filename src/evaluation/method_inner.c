/* The inner loop of MAML (Eq. 2); with a network that pairs, no steps at all: Relation Net. */
#include "method.h"

#include <stdio.h>
#include <stdlib.h>

struct learner { struct meta_worker *worker; int steps; };

static int check_maml(const struct meta_model *model, const struct meta_evaluation *e, struct meta_error *error)
{
    return meta_method_refuse_pairs(&meta_method_maml, model, error);
}

static int check_relation(const struct meta_model *model, const struct meta_evaluation *e, struct meta_error *error)
{
    if (!model->network->ways) return meta_fail(error, "%s: has no [relation], which -method relation needs", model->path);
    return e->steps ? meta_fail(error, "-steps %d: must be 0: [relation] takes no steps in a task", e->steps) : 0;
}

static int create(void **out, const struct meta_method_context *c, struct meta_error *error)
{
    const struct meta_episode_settings *t = &c->evaluation->episode;
    struct meta_inner inner = { .support = t->ways * t->shots, .query = t->ways * t->queries, .steps = c->evaluation->steps,
                                .learning_rate = c->evaluation->learning_rate, .order = 0,
                                .bn = c->evaluation->bn, .running = c->evaluation->statistics };
    struct learner *l = *out = calloc(1, sizeof *l);
    if (!l) return meta_fail_memory(error);
    l->steps = inner.steps;
    return meta_worker_create(&l->worker, c->model->network, c->backend, inner, error);
}

static void release(void *state)
{
    struct learner *l = state;
    if (l) meta_worker_free(l->worker);
    free(l);
}

static int run(void *state, const struct meta_method_task *t, float *before, float *after, struct meta_run *run, struct meta_error *error)
{
    const struct learner *l = state;
    struct meta_task_result result = {0};
    meta_worker_adapt(l->worker, t->phi, &t->task, l->steps, before, after, &result);
    run->query_loss = result.query_loss;
    return 0;
}

static void describe(const struct meta_model *model, const struct meta_evaluation *e, char *text, size_t size)
{
    snprintf(text, size, "%d steps, %s statistics", e->steps, meta_bn_name(e->bn));
}

const struct meta_method meta_method_maml = { "maml", 1, 0, check_maml, create, release, run, describe };
const struct meta_method meta_method_relation = { "relation", 1, 0, check_relation, create, release, run, describe };
