/* Moves parameters by the rates of inner steps, multiplies vectors by them, and differentiates by
   them. */
#include "inner_rates.h"

#include <stdio.h>
#include <stdlib.h>

struct meta_rates_how meta_rates_how_of(const struct meta_inner_settings *s)
{
    return (struct meta_rates_how){ s->rates, s->steps, s->adapt == META_ADAPT_HEAD };
}

const char *meta_rates_name(int kind)
{
    static const char *const names[] = { [META_RATES_FIXED] = "fixed",
                                         [META_RATES_LAYER] = "layer",
                                         [META_RATES_PARAMETER] = "parameter" };
    return names[kind];
}

const char *meta_rates_words(char text[META_RATES_WORDS], int kind, double gamma)
{
    if (kind == META_RATES_FIXED) snprintf(text, META_RATES_WORDS, "%g", gamma);
    else snprintf(text, META_RATES_WORDS, "learned rates");
    return text;
}

const struct meta_layer *meta_rates_head(const struct meta_network *net)
{
    const struct meta_layer *l = &net->layers[net->count - 1];
    while (l > net->layers && l->weights == META_NONE) l--;
    return l;
}

static int holds(const struct meta_network *net)
{
    for (int i = 0; i < net->count; i++)
        for (int k = 0; k < net->layers[i].array_count; k++)
            if (net->layers[i].arrays[k].held) return 1;
    return 0;
}

struct meta_rates meta_rates_fixed(const struct meta_network *net, double gamma, int head)
{
    size_t first = head ? meta_layer_first(meta_rates_head(net)) : 0;
    return (struct meta_rates){ .how = { .head = head },
                                .holds = holds(net) ? net : NULL,
                                .gamma = gamma,
                                .first = first,
                                .count = net->parameters - first };
}

static void find_layers(struct meta_rates *r, const struct meta_network *net)
{
    size_t end = net->parameters;
    for (int i = 0; i < net->count; i++) {
        const struct meta_layer *l = &net->layers[i];
        if (l->weights == META_NONE || meta_layer_first(l) < r->first) continue;
        r->layer[r->layers++] = (struct meta_rates_layer){ i, meta_layer_first(l), 0 };
    }
    for (int k = r->layers - 1; k >= 0; k--) {
        r->layer[k].count = end - r->layer[k].offset;
        end = r->layer[k].offset;
    }
}

int meta_rates_shape(struct meta_rates *r, const struct meta_network *net,
                     struct meta_rates_how how, struct meta_error *error)
{
    *r = meta_rates_fixed(net, 0, how.head);
    r->how = how;
    if (!(r->layer = calloc(net->count, sizeof *r->layer))) return meta_fail_memory(error);
    find_layers(r, net);
    return 0;
}

int meta_rates_create(struct meta_rates *r, const struct meta_network *net,
                      struct meta_rates_how how, const struct meta_backend *b,
                      struct meta_error *error)
{
    if (meta_rates_shape(r, net, how, error)) return -1;
    if (how.kind == META_RATES_FIXED) return 0;
    if (how.kind == META_RATES_LAYER)
        r->by_layer = calloc(meta_rates_numbers(r), sizeof *r->by_layer);
    else r->by_parameter = b->allocate(r->count * b->element);
    return r->by_layer || r->by_parameter ? 0 : meta_fail_memory(error);
}

void meta_rates_clear(struct meta_rates *r, const struct meta_backend *b)
{
    free(r->layer);
    free(r->by_layer);
    if (r->by_parameter) b->release(r->by_parameter);
    *r = (struct meta_rates){ 0 };
}

size_t meta_rates_numbers(const struct meta_rates *r)
{
    if (r->how.kind == META_RATES_FIXED) return 0;
    return r->how.kind == META_RATES_LAYER ? (size_t)r->how.steps * r->layers : r->count;
}

int meta_rates_plain(const struct meta_rates *r)
{
    return r->how.kind == META_RATES_FIXED && !r->first && !r->holds;
}

static void *part(const struct meta_backend *b, const void *vector, size_t offset)
{
    return (char *)vector + offset * b->element;
}

void meta_rates_hold(const struct meta_rates *r, const struct meta_backend *b, void *vector)
{
    for (int i = 0; r->holds && i < r->holds->count; i++) {
        const struct meta_layer *l = &r->holds->layers[i];
        size_t at = l->weights;
        for (int k = 0; k < l->array_count; at += l->arrays[k++].count)
            if (l->arrays[k].held) b->set(part(b, vector, at), l->arrays[k].count, 0);
    }
}

/* (layers) of step s. */
static double *row(const struct meta_rates *r, double *rows, int s)
{
    return rows + (size_t)(s < r->how.steps ? s : r->how.steps - 1) * r->layers;
}

void meta_rates_step(const struct meta_rates *r, const struct meta_backend *b, int s, void *to,
                     const void *g, void *scratch)
{
    void *moved = part(b, to, r->first);
    const void *moving = part(b, g, r->first);
    switch (r->how.kind) {
    case META_RATES_FIXED: b->axpy(moved, r->count, -r->gamma, moving); break;
    case META_RATES_LAYER:
        for (int k = 0; k < r->layers; k++) {
            const struct meta_rates_layer *l = &r->layer[k];
            b->axpy(part(b, to, l->offset), l->count, -row(r, r->by_layer, s)[k],
                    part(b, g, l->offset));
        }
        break;
    case META_RATES_PARAMETER:
        b->copy(scratch, moving, r->count);
        b->multiply(scratch, r->count, r->by_parameter);
        b->axpy(moved, r->count, -1, scratch);
        break;
    }
}

void meta_rates_multiply(const struct meta_rates *r, const struct meta_backend *b, int s, void *out,
                         const void *v)
{
    void *moved = part(b, out, r->first);
    b->set(out, r->first, 0);
    b->copy(moved, part(b, v, r->first), r->count);
    switch (r->how.kind) {
    case META_RATES_FIXED: b->scale(moved, r->count, r->gamma); break;
    case META_RATES_LAYER:
        for (int k = 0; k < r->layers; k++)
            b->scale(part(b, out, r->layer[k].offset), r->layer[k].count,
                     row(r, r->by_layer, s)[k]);
        break;
    case META_RATES_PARAMETER: b->multiply(moved, r->count, r->by_parameter); break;
    }
    meta_rates_hold(r, b, out);
}

void meta_rates_differentiate(const struct meta_rates *r, const struct meta_backend *b, int s,
                              struct meta_rates_terms t, void *sum)
{
    if (r->how.kind == META_RATES_LAYER) {
        for (int k = 0; k < r->layers; k++) {
            const struct meta_rates_layer *l = &r->layer[k];
            row(r, sum, s)[k] -= b->dot(part(b, t.g, l->offset - r->first), part(b, t.v, l->offset),
                                        l->count);
        }
    } else if (r->how.kind == META_RATES_PARAMETER) {
        b->copy(t.scratch, t.g, r->count);
        b->multiply(t.scratch, r->count, part(b, t.v, r->first));
        b->axpy(sum, r->count, -1, t.scratch);
    }
}
