/* The inner loop of MAML (Eq. 2) as a method, with any number of steps: what maml and the
   methods that pair have in common. */
#include "base/plural.h"
#include "copies.h"
#include "images/turns.h"
#include "inner.h"

#include <stdio.h>
#include <stdlib.h>

struct learner {
    struct meta_worker *worker;
    struct meta_copies *copies; /* NULL: of each image itself */
    int steps;
};

#define STEPS                                                                                      \
    {                                                                                              \
        "-steps", "N", "maml: steps of the inner loop ([inner_loop] test_steps)",                  \
            offsetof(struct meta_inner_steps, steps), 0, 0, 1000                                   \
    }
#define END                                                                                        \
    {                                                                                              \
        NULL, NULL, NULL, 0, 0, 0, 0                                                               \
    }

const struct meta_method_flag meta_inner_flags[] = { STEPS, END };
const struct meta_method_flag meta_inner_copies_flags[] = {
    STEPS, META_COPIES_FLAG(offsetof(struct meta_inner_steps, copies)), END
};

int meta_inner_augments(const struct meta_model *model, const void *settings)
{
    const struct meta_shape in = model->network->input;
    return ((const struct meta_inner_steps *)settings)->copies > meta_turns(in.h, in.w);
}

void meta_inner_defaults(void *settings, const struct meta_model *model,
                         const struct meta_episode_settings *episode)
{
    ((struct meta_inner_steps *)settings)->steps = model->inner->test_steps;
}

void meta_inner_describe(const struct meta_model *model, const struct meta_evaluation *e,
                         char *text, size_t size)
{
    const struct meta_inner_steps *s = e->settings;
    int n = snprintf(text, size, "%d step%s%s%s, %s statistics", s->steps, meta_plural(s->steps),
                     model->inner->adapt == META_ADAPT_HEAD ? " of the last layer" : "",
                     model->inner->head == META_HEAD_IMPRINTED ? " from an imprinted last layer"
                                                               : "",
                     meta_bn_name(e->bn));
    if (s->copies > 1) snprintf(text + n, size - n, ", %d copies of each image", s->copies);
}

void meta_inner_add_settings(cJSON *settings, const struct meta_model *model,
                             const struct meta_evaluation *e)
{
    const struct meta_inner_steps *s = e->settings;
    cJSON_AddNumberToObject(settings, "steps", s->steps);
    cJSON_AddNumberToObject(settings, "learning_rate", model->inner->learning_rate);
    if (model->inner->adapt == META_ADAPT_HEAD) cJSON_AddStringToObject(settings, "adapt", "head");
    if (model->inner->head == META_HEAD_IMPRINTED)
        cJSON_AddStringToObject(settings, "head", "imprinted");
    if (model->inner->rates)
        cJSON_AddStringToObject(settings, "rates", meta_rates_name(model->inner->rates));
    cJSON_AddStringToObject(settings, "bn", meta_bn_name(e->bn));
    if (s->copies > 1) cJSON_AddNumberToObject(settings, "augment", s->copies);
}

int meta_inner_check_no_steps(const struct meta_model *model, const struct meta_evaluation *e,
                              struct meta_error *error)
{
    const struct meta_inner_steps *s = e->settings;
    if (!s->steps) return 0;
    return meta_fail(error, "-steps %d: must be 0: [%s] takes no steps in a task", s->steps,
                     e->method->name);
}

int meta_inner_create(void **state, const struct meta_method_context *c, struct meta_error *error)
{
    const struct meta_episode_settings *t = &c->evaluation->episode;
    const struct meta_inner_steps *s = c->evaluation->settings;
    int copies = s->copies > 1 ? s->copies : 1;
    struct meta_inner inner = meta_inner_of(c->model->inner, copies * t->ways * t->shots,
                                            t->ways * t->queries);
    inner.steps = s->steps;
    inner.order = 0;
    inner.rates = c->evaluation->rates;
    inner.bn = c->evaluation->bn;
    inner.running = c->evaluation->statistics;
    struct learner *l = *state = calloc(1, sizeof *l);
    if (!l) return meta_fail_memory(error);
    l->steps = inner.steps;
    if (meta_worker_create(&l->worker, c->model->network, c->backend, inner, error)) return -1;
    return copies > 1 ? meta_copies_create(&l->copies, c, copies, l->worker, error) : 0;
}

void meta_inner_free(void *state)
{
    struct learner *l = state;
    if (l) meta_copies_free(l->copies);
    if (l) meta_worker_free(l->worker);
    free(l);
}

int meta_inner_run(void *state, const struct meta_method_task *t, double *before, double *after,
                   struct meta_run *run, struct meta_error *error)
{
    const struct learner *l = state;
    struct meta_task_result result = { .scores_before = before, .query_scores = after };
    if (l->copies) {
        meta_copies_run(l->copies, t, l->steps, before, after, run);
        return meta_worker_failed(l->worker, error);
    }
    meta_worker_adapt(l->worker, t->phi, &t->task, l->steps, &result);
    run->query_loss = result.query_loss;
    return meta_worker_failed(l->worker, error);
}
