/* Hands inner steps to a plugin, array by array, in doubles. */
#include "inner_rule.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* An array that moves. */
struct part {
    struct meta_moved what;
    size_t offset; /* in the parameter block */
    size_t at;     /* among the numbers that move */
};

struct meta_rule {
    struct meta_rule_how how;
    const struct meta_backend *backend;
    size_t parameters;
    int count;
    struct part *parts; /* (count) */
    size_t numbers;     /* of all parts */
    int memories, steps;
    /* (numbers) each */
    double *phi, *phibar, *gradientbar;
    double *memory, *memorybar; /* (memories, numbers), part by part */
    double *gradient;           /* (steps or 1, numbers) */
    double *before;             /* (steps, memories, numbers): the memory before each step */
};

struct meta_rule_how meta_rule_how_of(const struct meta_inner_settings *s)
{
    return (struct meta_rule_how){ s->plugin ? s->plugin->inner : NULL, s->settings,
                                   meta_inner_name(s) };
}

const char *meta_inner_name(const struct meta_inner_settings *s)
{
    return s->plugin ? s->plugin->name : "inner_loop";
}

/* ---- what moves ------------------------------------------------------------------------------ */

static void add_part(struct meta_rule *r, const struct meta_rates *rates, struct meta_moved what,
                     size_t offset)
{
    const struct meta_inner_functions *f = r->how.functions;
    if (offset == META_NONE || !what.count || offset < rates->first) return;
    if (f->moves && !f->moves(r->how.settings, &what)) return;
    r->parts[r->count++] = (struct part){ what, offset, r->numbers };
    r->numbers += what.count;
}

/* Biases, scales, weights, and the arrays of a plugin that it does not hold. */
static void add_layer(struct meta_rule *r, const struct meta_rates *rates,
                      const struct meta_layer *l)
{
    const char *section = meta_layer_name(l);
    size_t rows = l->weights == META_NONE ? 0 : (size_t)meta_layer_rows(l), at = l->weights;
    for (int k = 0; k < l->array_count; at += l->arrays[k++].count)
        if (!l->arrays[k].held)
            add_part(r, rates,
                     (struct meta_moved){ section, l->arrays[k].name, l->arrays[k].count, 1 }, at);
    if (l->array_count) return;
    add_part(r, rates, (struct meta_moved){ section, "biases", rows, 1 }, l->biases);
    add_part(r, rates, (struct meta_moved){ section, "scales", rows, 1 }, l->scales);
    add_part(r, rates, (struct meta_moved){ section, "weights", l->weight_count, rows },
             l->weights);
}

/* The error names the sections that have parameters. */
static int fail_unmoved(const struct meta_network *net, struct meta_rule_how how,
                        struct meta_error *error)
{
    char names[200] = "";
    for (int i = 0; i < net->count; i++) {
        const struct meta_layer *l = &net->layers[i];
        char name[80];
        size_t used = strlen(names);
        if (l->weights == META_NONE) continue;
        snprintf(name, sizeof name, " [%s]", meta_layer_name(l));
        if (!strstr(names, name)) snprintf(names + used, sizeof names - used, "%s", name);
    }
    return meta_fail(error, "[%s] moves no array of this network: its options must leave some of%s",
                     how.name, names);
}

static double *numbers(size_t count) { return calloc(count + 1, sizeof(double)); }

int meta_rule_create(struct meta_rule **out, struct meta_rule_how how,
                     const struct meta_rule_for *whose, struct meta_error *error)
{
    const struct meta_network *net = whose->network;
    struct meta_rule *r = calloc(1, sizeof *r);
    if (!r) return meta_fail_memory(error);
    r->how = how;
    r->backend = whose->backend;
    r->parameters = net->parameters;
    r->memories = how.functions->memories ? how.functions->memories(how.settings) : 0;
    r->steps = whose->back ? whose->steps : 0;
    r->parts = calloc((size_t)net->count * META_MOST_ARRAYS + 1, sizeof *r->parts);
    if (!r->parts || r->memories < 0 || r->memories > META_MOST_MEMORIES) goto fail;
    for (int i = 0; i < net->count; i++) add_layer(r, whose->rates, &net->layers[i]);
    if (!r->numbers) {
        meta_rule_free(r);
        return fail_unmoved(net, how, error);
    }
    size_t memory = r->memories * r->numbers;
    if (!(r->phi = numbers(r->numbers)) || !(r->phibar = numbers(r->numbers))
        || !(r->gradientbar = numbers(r->numbers)) || !(r->memory = numbers(memory))
        || !(r->memorybar = numbers(memory)) || !(r->before = numbers(r->steps * memory))
        || !(r->gradient = numbers((r->steps ? r->steps : 1) * r->numbers)))
        goto fail;
    *out = r;
    return 0;
fail:
    if (r->memories < 0 || r->memories > META_MOST_MEMORIES)
        meta_fail(error, "the rule of the inner steps wants %d vectors of memory: must be 0 to %d",
                  r->memories, META_MOST_MEMORIES);
    else meta_fail_memory(error);
    meta_rule_free(r);
    return -1;
}

void meta_rule_free(struct meta_rule *r)
{
    if (!r) return;
    free(r->parts);
    free(r->phi);
    free(r->phibar);
    free(r->gradientbar);
    free(r->memory);
    free(r->memorybar);
    free(r->gradient);
    free(r->before);
    free(r);
}

size_t meta_rule_bytes(const struct meta_rule *r)
{
    size_t vectors = 3 + 2 * r->memories + (r->steps ? r->steps : 1) + r->steps * r->memories;
    return vectors * r->numbers * sizeof(double);
}

/* ---- calls ----------------------------------------------------------------------------------- */

/* The numbers that move, out of a parameter vector, and back into it. */
static void gather(const struct meta_rule *r, double *to, const void *vector)
{
    for (const struct part *p = r->parts; p < r->parts + r->count; p++)
        r->backend->download_double(to + p->at,
                                    (const char *)vector + p->offset * r->backend->element,
                                    p->what.count);
}

static void scatter(const struct meta_rule *r, void *vector, const double *from)
{
    for (const struct part *p = r->parts; p < r->parts + r->count; p++)
        r->backend->upload_double((char *)vector + p->offset * r->backend->element, from + p->at,
                                  p->what.count);
}

static double *gradient_of(const struct meta_rule *r, int s)
{
    return r->gradient + (r->steps ? s * r->numbers : 0);
}

/* The memory of a part lies behind that of the parts before, (memories, count). */
static struct meta_step step_of(const struct meta_rule *r, const struct part *p, int s, double rate)
{
    size_t memory = r->memories * p->at;
    return (struct meta_step){ .part = &p->what,
                               .step = s,
                               .rate = rate,
                               .phi = r->phi + p->at,
                               .gradient = gradient_of(r, s) + p->at,
                               .memory = r->memory + memory,
                               .phibar = r->phibar + p->at,
                               .gradientbar = r->gradientbar + p->at,
                               .memorybar = r->memorybar + memory };
}

void meta_rule_step(struct meta_rule *r, int s, double rate, void *to, const void *g)
{
    size_t memory = r->memories * r->numbers;
    if (!s) memset(r->memory, 0, memory * sizeof *r->memory);
    if (r->steps) memcpy(r->before + s * memory, r->memory, memory * sizeof *r->memory);
    gather(r, r->phi, to);
    gather(r, gradient_of(r, s), g);
    for (const struct part *p = r->parts; p < r->parts + r->count; p++) {
        struct meta_step step = step_of(r, p, s, rate);
        r->how.functions->step(r->how.settings, &step);
    }
    scatter(r, to, r->phi);
}

void meta_rule_begin_back(struct meta_rule *r)
{
    memset(r->memorybar, 0, r->memories * r->numbers * sizeof *r->memorybar);
}

void meta_rule_back(struct meta_rule *r, int s, double rate, const void *phi, void *v, void *out)
{
    size_t memory = r->memories * r->numbers;
    memcpy(r->memory, r->before + s * memory, memory * sizeof *r->memory);
    memset(r->gradientbar, 0, r->numbers * sizeof *r->gradientbar);
    gather(r, r->phi, phi);
    gather(r, r->phibar, v);
    for (const struct part *p = r->parts; p < r->parts + r->count; p++) {
        struct meta_step step = step_of(r, p, s, rate);
        r->how.functions->back(r->how.settings, &step);
    }
    scatter(r, v, r->phibar);
    r->backend->set(out, r->parameters, 0);
    scatter(r, out, r->gradientbar);
}
