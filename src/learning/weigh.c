/* Asks the [meta_loss] plugin of a model for the weights of tasks. */
#include "weigh.h"

#include <math.h>

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

int meta_weigh_normalises(const struct meta_model *m)
{
    const struct meta_loss_functions *f = functions(m);
    return f && f->normalised && f->normalised(m->loss_settings);
}

int meta_weigh_shares(const double *weight, int tasks, double *shares)
{
    double sum = 0;
    int any = 0, equal = 1;
    for (int i = 0; i < tasks; i++) {
        sum += weight[i];
        any |= weight[i] != 0;
        equal &= weight[i] == weight[0];
    }
    double mean = equal ? weight[0] : sum / tasks; /* without rounding: equal shares are 1 */
    for (int i = 0; i < tasks; i++) shares[i] = any ? weight[i] / mean : 0;
    return !any || (mean > 0 && isfinite(mean)) ? 0 : -1;
}

int meta_weighs(const struct meta_model *m, uint64_t iteration)
{
    const struct meta_loss_functions *f = functions(m);
    return f && f->weight(m->loss_settings, .5, iteration) != 1;
}
