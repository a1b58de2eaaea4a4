/* Calls plugins' functions that may refuse, and looks at what they hand back. */
#include "plugin_call.h"
#include "one_line.h"
#include "rng.h"

#include <float.h>
#include <math.h>
#include <string.h>

enum { MOST_NAME = 64 };

int meta_plugin_refuses(struct meta_error *error, const char *otherwise)
{
    char *text = error->text;
    text[sizeof error->text - 1] = 0;
    if (!*text) return meta_fail(error, "%s", otherwise);
    meta_one_line(text);
    return -1;
}

/* A member of the settings that the program reads itself. */
struct member {
    const char *name;
    size_t offset;
    int real;
    double least, most;
};
/* clang-format off */
#define EPISODE(name, real, least, most) \
    { #name, offsetof(struct meta_episode_settings, name), real, least, most }
#define INNER(name, real, least, most) \
    { #name, offsetof(struct meta_inner_settings, name), real, least, most }
/* clang-format on */

/* The bounds are those of plugins/episode and plugins/inner_loop. */
static const struct member episode_members[] = {
    EPISODE(ways, 0, 2, 1000),  EPISODE(shots, 0, 1, 1000), EPISODE(queries, 0, 1, 1000),
    EPISODE(tasks, 0, 1, 1000), EPISODE(sampler, 0, 0, 1),  EPISODE(window, 0, 1, 1000),
    EPISODE(explore, 1, 0, 1),  { NULL, 0, 0, 0, 0 }
};
static const struct member inner_members[] = { INNER(steps, 0, 0, 1000),
                                               INNER(test_steps, 0, 0, 1000),
                                               INNER(learning_rate, 1, 0, 10),
                                               INNER(order, 0, 0, 2),
                                               INNER(second_order_start, 0, 0, 1e9),
                                               INNER(keep, 0, 0, 1000),
                                               INNER(adapt, 0, 0, 1),
                                               INNER(rates, 0, 0, 2),
                                               INNER(multi_step, 0, 0, 1e9),
                                               INNER(head, 0, 0, 1),
                                               { NULL, 0, 0, 0, 0 } };

static int check_members(const struct member *members, const void *settings,
                         struct meta_error *error)
{
    for (const struct member *m = members; m->name; m++) {
        const void *field = (const char *)settings + m->offset;
        double value = m->real ? *(const double *)field : *(const int *)field;
        if (!(value >= m->least && value <= m->most))
            return meta_fail(error, "the plugin sets %s=%.10g: must be %g to %.10g", m->name, value,
                             m->least, m->most);
    }
    return 0;
}

/* What needs steps, and what Reptile can't do. */
static int check_inner(const struct meta_inner_settings *s, struct meta_error *error)
{
    static const char *const rates[] = { "fixed", "layer", "parameter" };
    if (!s->steps && s->rates)
        return meta_fail(error,
                         "rates=%s with steps=0: there is no step to learn rates of: must be "
                         "fixed",
                         rates[s->rates]);
    if (!s->steps && s->multi_step)
        return meta_fail(error, "multi_step=%d with steps=0: there is no step to score: must be 0",
                         s->multi_step);
    if (s->order) return 0;
    if (!s->steps)
        return meta_fail(error,
                         "order=0 with steps=0: Reptile follows the steps: must be at least 1");
    if (s->adapt == META_ADAPT_HEAD)
        return meta_fail(error,
                         "order=0 with adapt=head: Reptile moves what the steps move, and the "
                         "other layers would never learn: must be all");
    if (s->rates)
        return meta_fail(error,
                         "order=0 with rates=%s: Reptile has no gradient by the rates: must be "
                         "fixed",
                         rates[s->rates]);
    if (s->head == META_HEAD_IMPRINTED)
        return meta_fail(error,
                         "order=0 with head=imprinted: Reptile follows the steps, and what they "
                         "start from has no gradient: must be learned");
    if (s->multi_step)
        return meta_fail(error, "order=0 with multi_step=%d: Reptile has no query loss: must be 0",
                         s->multi_step);
    return 0;
}

/* What needs plain steps. */
static int check_rule(const struct meta_inner_settings *s, struct meta_error *error)
{
    if (!s->order)
        return meta_fail(error,
                         "order=0: Reptile adds up the gradients of plain steps, and these are of "
                         "a plugin's: must be 1 or 2");
    if (s->rates)
        return meta_fail(error,
                         "rates=%s: rates are learned of plain steps, and these are of a plugin's: "
                         "must be fixed",
                         s->rates == META_RATES_LAYER ? "layer" : "parameter");
    return 0;
}

int meta_plugin_check(const struct meta_plugin *plugin, void *settings, struct meta_error *error)
{
    error->text[0] = 0;
    if (plugin->check && plugin->check(settings, error))
        return meta_plugin_refuses(error, "the plugin refuses its options and does not say why");
    if (plugin->role == META_ROLE_EPISODE) return check_members(episode_members, settings, error);
    if (plugin->role != META_ROLE_INNER_LOOP) return 0;
    return check_members(inner_members, settings, error) || check_inner(settings, error)
            || (plugin->inner && check_rule(settings, error))
        ? -1
        : 0;
}

int meta_plugin_shape(const struct meta_plugin *plugin, const void *settings, struct meta_shape in,
                      size_t most, struct meta_shape *out, struct meta_error *error)
{
    *out = (struct meta_shape){ 0, 0, 0 };
    error->text[0] = 0;
    if (plugin->role == META_ROLE_LAYER && !plugin->layer->shape) *out = in;
    else if (plugin->role == META_ROLE_PAIRING ? plugin->pairing->shape(settings, in, out, error)
                                               : plugin->layer->shape(settings, in, out, error))
        return meta_plugin_refuses(error, "the plugin refuses its input and does not say why");
    if (out->c < 1 || out->h < 1 || out->w < 1)
        return meta_fail(error, "the plugin's output is %dx%dx%d: empty", out->w, out->h, out->c);
    if ((size_t)out->c > most || (size_t)out->h > most / out->c
        || (size_t)out->w > most / out->c / out->h)
        return meta_fail(error, "the plugin's output is %dx%dx%d: must be at most %zu numbers",
                         out->w, out->h, out->c, most);
    if (plugin->role != META_ROLE_LAYER || !plugin->layer->multiply_adds) return 0;
    double adds = plugin->layer->multiply_adds(settings, in);
    if (isfinite(adds) && adds >= 0) return 0;
    return meta_fail(error, "the plugin's multiply-adds are %g: must be a number from 0", adds);
}

/* What is wrong with array k; NULL: nothing. `left`: how many numbers it may have. */
static const char *wrong_array(const struct meta_array *arrays, int k, size_t left)
{
    const struct meta_array *a = &arrays[k];
    if (!a->name || !*a->name || strnlen(a->name, MOST_NAME + 1) > MOST_NAME
        || a->name[strspn(a->name, "abcdefghijklmnopqrstuvwxyz0123456789_-")])
        return "its name must be lower-case letters, digits, _ and -";
    for (int i = 0; i < k; i++)
        if (!strcmp(arrays[i].name, a->name)) return "another array has the same name";
    if (!a->count) return "it is empty";
    if (a->count > left) return "the arrays have too many numbers";
    if ((unsigned)a->begin > META_BEGIN_UNIFORM) return "its begin is unknown";
    if (!isfinite(a->value) || fabs(a->value) > FLT_MAX)
        return "the value that it begins with is no number of a float";
    return NULL;
}

int meta_plugin_arrays(const struct meta_plugin *plugin, const void *settings, struct meta_shape in,
                       size_t most, struct meta_array arrays[META_MOST_ARRAYS],
                       struct meta_error *error)
{
    memset(arrays, 0, META_MOST_ARRAYS * sizeof *arrays);
    if (!plugin->layer || !plugin->layer->arrays) return 0;
    error->text[0] = 0;
    int count = plugin->layer->arrays(settings, in, arrays, error);
    if (count < 0)
        return meta_plugin_refuses(error, "the plugin refuses its input and does not say why");
    if (count > META_MOST_ARRAYS)
        return meta_fail(error, "the plugin has %d arrays of parameters: must be at most %d", count,
                         META_MOST_ARRAYS);
    for (int k = 0; k < count; k++) {
        const char *wrong = wrong_array(arrays, k, most);
        if (wrong) return meta_fail(error, "the plugin's array %d of parameters: %s", k + 1, wrong);
        most -= arrays[k].count;
    }
    return count;
}

void meta_plugin_begin(const struct meta_array *arrays, int count, struct meta_rng *rng, float *to)
{
    for (const struct meta_array *a = arrays; a < arrays + count; a++)
        for (size_t k = 0; k < a->count; k++)
            *to++ = a->begin == META_BEGIN_CONSTANT ? a->value
                : a->begin == META_BEGIN_NORMAL     ? a->value * meta_rng_normal(rng)
                                                    : a->value * meta_rng_between(rng, -1, 1);
}
