/* [meta_loss]: how a task's query loss L enters the meta-loss. type=difficulty is the paper's Eq. 3,
   DA(L) = -L^eta log(max(epsilon, 1 - L)), which weighs hard tasks more; type=mean is MAML's. */
#include "../plugin.h"
#include <math.h>

struct settings { int type; double eta, epsilon; int start; };
enum { DIFFICULTY, MEAN };

#define AT(name) offsetof(struct settings, name)

static const struct meta_option options[] = {
    { "type", META_CHOICE, DIFFICULTY, 0, 0, "difficulty|mean", AT(type), "Eq. 3, or the plain mean" },
    { "eta", META_REAL, 5, 0, 100, NULL, AT(eta), "how much more a hard task weighs" },
    { "epsilon", META_REAL, 1e-6, 1e-12, .5, NULL, AT(epsilon), "the least 1 - L under the logarithm" },
    { "start", META_INT, 0, 0, 1000000000, NULL, AT(start), "the meta-iteration from which type=difficulty acts" },
    { NULL, META_INT, 0, 0, 0, NULL, 0, NULL }
};

static int plain(const struct settings *s, long iteration) { return s->type == MEAN || iteration < s->start; }

static double value(const void *settings, double loss, long iteration)
{
    const struct settings *s = settings;
    if (plain(s, iteration)) return loss;
    return -pow(loss, s->eta) * log(fmax(s->epsilon, 1 - loss));
}

/* dDA/dL; the logarithm's part is 0 where epsilon replaces 1 - L. At L = 0 the first term is L^(eta-1) log(1 - L) ~ -L^eta. */
static double weight(const void *settings, double loss, long iteration)
{
    const struct settings *s = settings;
    if (plain(s, iteration)) return 1;
    double left = 1 - loss, power = pow(loss, s->eta);
    double first = loss > 0 && s->eta > 0 ? -s->eta * power / loss * log(fmax(s->epsilon, left)) : 0;
    return first + (left > s->epsilon ? power / left : 0);
}

static const struct meta_loss_functions functions = { value, weight };

__attribute__((visibility("default"))) extern const struct meta_plugin meta_plugin;
const struct meta_plugin meta_plugin = {
    META_PLUGIN_ABI, sizeof(struct meta_plugin), "meta_loss", META_ROLE_META_LOSS, "how tasks are weighed",
    sizeof(struct settings), options, NULL, NULL, &functions
};
