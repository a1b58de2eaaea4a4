/* Looks methods of `meta test` up in the list of methods.h, and what they say of themselves. */
#include "methods.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ADDRESS(name, method) &method,
#define CHOICE(name, method) "|" #name

const struct meta_method *const meta_methods[] = { META_METHODS(ADDRESS) NULL };
const char meta_method_choices[] = META_METHODS(CHOICE);

const struct meta_method *meta_method_find(const char *name)
{
    for (const struct meta_method *const *m = meta_methods; *m; m++)
        if (!strcmp((*m)->name, name)) return *m;
    return NULL;
}

int meta_method_place(const struct meta_method *method)
{
    int place = 0;
    while (meta_methods[place] != method) place++;
    return place;
}

static const struct meta_method *first_that_pairs(int pairs)
{
    const struct meta_method *const *m = meta_methods;
    while ((*m)->pairs != pairs) m++;
    return *m;
}

const struct meta_method *meta_method_for(const struct meta_model *model)
{
    const struct meta_network *net = model->network;
    const struct meta_method *own = net->ways
        ? meta_method_find(meta_layer_name(&net->layers[net->pairing]))
        : NULL;
    return own && own->pairs ? own : first_that_pairs(net->ways > 0);
}

void meta_method_names(char *text, size_t size)
{
    size_t used = 0;
    *text = 0;
    for (const struct meta_method *const *m = meta_methods; *m && used < size; m++) {
        const char *between = m == meta_methods ? "" : m[1] ? ", " : " or ";
        used += snprintf(text + used, size - used, "%s%s", between, (*m)->name);
    }
}

/* ---- flags and settings ---------------------------------------------------------------------- */

const struct meta_method_flag *meta_method_flag(const struct meta_method *method, const char *name)
{
    for (const struct meta_method_flag *f = method->flags; f && f->name; f++)
        if (!strcmp(f->name, name)) return f;
    return NULL;
}

static int is_listed(const struct meta_method_flag **flags, int count, const char *name)
{
    for (int i = 0; i < count; i++)
        if (!strcmp(flags[i]->name, name)) return 1;
    return 0;
}

int meta_method_flags(const struct meta_method_flag **flags, int most)
{
    int count = 0;
    for (const struct meta_method *const *m = meta_methods; *m; m++)
        for (const struct meta_method_flag *f = (*m)->flags; f && f->name && count < most; f++)
            if (!is_listed(flags, count, f->name)) flags[count++] = f;
    return count;
}

int meta_method_reads(const struct meta_method *method, const char *flag)
{
    if (!strcmp(flag, "-bn")) return method->reads_bn;
    if (!strcmp(flag, "-temperature")) return method->tempers;
    return meta_method_flag(method, flag) != NULL;
}

void meta_method_readers(char *text, size_t size, const char *flag)
{
    size_t used = 0;
    *text = 0;
    for (const struct meta_method *const *m = meta_methods; *m && used < size; m++)
        if (meta_method_reads(*m, flag))
            used += snprintf(text + used, size - used, "%s%s", used ? ", " : "", (*m)->name);
}

int meta_method_settings(void **settings, const struct meta_method *method,
                         const struct meta_model *model,
                         const struct meta_episode_settings *episode, struct meta_error *error)
{
    *settings = calloc(1, method->settings_size + 1);
    if (!*settings) return meta_fail_memory(error);
    if (method->defaults) method->defaults(*settings, model, episode);
    return 0;
}

void meta_method_set(void *settings, const struct meta_method_flag *flag, double value)
{
    char *at = (char *)settings + flag->offset;
    if (flag->real) *(double *)at = value;
    else *(int *)at = value;
}

/* ---- what a method can do -------------------------------------------------------------------- */

static int refuse_pairs(const struct meta_method *method, const struct meta_model *model,
                        struct meta_error *error)
{
    const struct meta_network *net = model->network;
    const struct meta_layer *pairing = &net->layers[net->pairing];
    return meta_fail(error,
                     "%s:%d: [%s]: pairs the images of a task, which -method %s %s; allowed: "
                     "-method %s",
                     model->path, pairing->line, meta_layer_name(pairing), method->name,
                     method->pairs ? "does otherwise" : "knows nothing of",
                     meta_method_for(model)->name);
}

int meta_method_check(const struct meta_model *model, const struct meta_evaluation *e,
                      struct meta_error *error)
{
    const struct meta_method *method = e->method;
    int pairs = model->network->ways > 0;
    if (pairs && method != meta_method_for(model)) return refuse_pairs(method, model, error);
    if (!pairs && method->pairs)
        return meta_fail(error, "%s: has no [%s], which -method %s needs", model->path,
                         method->name, method->name);
    return method->check ? method->check(model, e, error) : 0;
}

double meta_method_flops(const struct meta_flops *flops, const struct meta_evaluation *e)
{
    if (e->method->flops) return e->method->flops(flops, e);
    return e->episode.ways * (e->episode.shots + e->episode.queries)
        * flops->pass[META_PASS_FORWARD];
}

int meta_evaluation_learns(const struct meta_evaluation *e)
{
    return e->method->learns && !e->with_count;
}
