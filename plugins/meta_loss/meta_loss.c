/* [meta_loss]: how a task's query loss enters the meta-loss.

   type=mean         L itself, as MAML
   type=difficulty   DA(L) = -L^eta log(max(epsilon, 1-L)): tasks that are learned badly weigh more
   (Li et al., Difficulty-Aware Meta-Learning for Rare Disease Diagnosis, MICCAI 2020, Eq. 3).
   Before iteration `start`, L itself.

   normalise=1       the weights dDA/dL of an iteration's tasks are divided by their mean:
   difficulty then moves the direction of a step, and not its length. */
#include <math.h>
#include "plugin.h"

enum { DIFFICULTY, MEAN };
struct settings {
    int type;
    double eta, epsilon;
    int start, normalise;
};

#define OF(field) offsetof(struct settings, field)

static const struct meta_option options[] = {
    { "type", META_CHOICE, DIFFICULTY, 0, 0, "difficulty|mean", OF(type),
      "difficulty: tasks by how hard they are; mean: all alike" },
    { "eta", META_REAL, 5, 0, 100, NULL, OF(eta),
      "type=difficulty: how much harder tasks weigh more" },
    { "epsilon", META_REAL, 1e-6, 1e-12, .5, NULL, OF(epsilon),
      "type=difficulty: 1-L is taken as no less" },
    { "start", META_INT, 0, 0, 1000000000, NULL, OF(start),
      "type=difficulty: the iteration it begins at; mean before" },
    { "normalise", META_INT, 0, 0, 1, NULL, OF(normalise),
      "1: the weights of an iteration's tasks are divided by their mean" },
    { NULL, META_INT, 0, 0, 0, NULL, 0, NULL }
};

static int plain(const struct settings *s, long iteration)
{
    return s->type == MEAN || iteration < s->start;
}

/* log(max(epsilon, 1-L)) */
static double log_rest(const struct settings *s, double loss)
{
    return 1 - loss > s->epsilon ? log1p(-loss) : log(s->epsilon);
}

static double value(const void *settings, double loss, long iteration)
{
    const struct settings *s = settings;
    if (plain(s, iteration)) return loss;
    return -pow(loss, s->eta) * log_rest(s, loss);
}

/* d/dL. Its first term, -eta L^(eta-1) log(...), is written as eta L^eta * (-log(...)/L): that
   ratio goes to 1 as L goes to 0, where L^(eta-1) would overflow with eta < 1. */
static double weight(const void *settings, double loss, long iteration)
{
    const struct settings *s = settings;
    if (plain(s, iteration)) return 1;
    double power = pow(loss, s->eta), ratio = loss > 1e-12 ? -log_rest(s, loss) / loss : 1;
    return s->eta * power * ratio + (1 - loss > s->epsilon ? power / (1 - loss) : 0);
}

static int normalised(const void *settings)
{
    return ((const struct settings *)settings)->normalise;
}

static const struct meta_loss_functions loss = { value, weight, normalised };

const struct meta_plugin meta_plugin = { .abi = META_PLUGIN_ABI,
                                         .size = sizeof(struct meta_plugin),
                                         .name = "meta_loss",
                                         .role = META_ROLE_META_LOSS,
                                         .summary = "how tasks are weighed; the last section",
                                         .settings_size = sizeof(struct settings),
                                         .options = options,
                                         .loss = &loss };
