/* Predicts a meta-iteration from latency, bandwidth, tasks and parameters. */
#include "ranks_model.h"

#include <math.h>

/* An exchange of one rank with each of the others: messages start one behind the other, and are
   under way at the same time. */
static double exchange(const struct meta_ranks_costs *c, int ranks, double message, double bytes)
{
    double begin = message < META_RANKS_LARGE ? c->latency : c->start;
    return begin + (ranks - 2) * c->gap + bytes / c->bandwidth;
}

/* Three exchanges: results of tasks, slices of gradients, slices of the mean. */
static double exchanges(const struct meta_ranks_costs *c, const struct meta_ranks_load *l,
                        int ranks)
{
    int most = (l->tasks + ranks - 1) / ranks, least = l->tasks / ranks;
    double slice = l->gradient / ranks, others = ranks - 1;
    double sent = most * others * slice, received = (l->tasks - least) * slice;
    double results = exchange(c, ranks, most * l->result, others * most * l->result);
    double slices = exchange(c, ranks, most * slice, fmax(sent, received));
    double mean = exchange(c, ranks, slice, others * slice);
    double handled = most * l->gradient + l->tasks * slice;
    return results + slices + mean + handled * c->handling;
}

struct meta_ranks_times meta_ranks_predict(const struct meta_ranks_costs *c,
                                           const struct meta_ranks_load *l, int ranks)
{
    int most = (l->tasks + ranks - 1) / ranks, least = l->tasks / ranks;
    int turns = (most + l->threads - 1) / l->threads,
        fewest = (least + l->threads - 1) / l->threads;
    struct meta_ranks_times t = { .computing = turns * c->task + c->step,
                                  .waiting = (turns - fewest) * c->task,
                                  .exchange = ranks > 1 ? exchanges(c, l, ranks)
                                                        : l->tasks * l->gradient * c->handling };
    t.whole = t.computing + t.exchange;
    return t;
}

int meta_ranks_best(const struct meta_ranks_costs *c, const struct meta_ranks_load *l)
{
    double least = INFINITY;
    for (int ranks = 1; ranks <= l->tasks; ranks++)
        least = fmin(least, meta_ranks_predict(c, l, ranks).whole);
    int best = 1;
    while (meta_ranks_predict(c, l, best).whole > 1.01 * least) best++;
    return best;
}
