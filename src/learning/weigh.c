/* Asks the [meta_loss] plugin of a model for the weights of tasks. */
#include "weigh.h"

static const struct meta_loss_functions *functions(const struct meta_model *m)
{
    return m->loss ? m->loss->loss : NULL;
}

double meta_weigh(const struct meta_model *m, double loss, uint64_t iteration, double *meta_loss)
{
    const struct meta_loss_functions *f = functions(m);
    *meta_loss = f ? f->value(m->loss_settings, loss, iteration) : loss;
    return f ? f->weight(m->loss_settings, loss, iteration) : 1;
}

static double weigh(void *context, double loss, double *meta_loss)
{
    const struct meta_weighing *w = context;
    return meta_weigh(w->model, loss, w->iteration, meta_loss);
}

struct meta_weigher meta_weigher_of(const struct meta_weighing *w)
{
    return (struct meta_weigher){ weigh, (void *)w };
}

int meta_weighs(const struct meta_model *m, uint64_t iteration)
{
    const struct meta_loss_functions *f = functions(m);
    return f && f->weight(m->loss_settings, .5, iteration) != 1;
}
