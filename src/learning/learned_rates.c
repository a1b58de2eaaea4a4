/* Keeps learned inner rates and the moments of their update. */
#include "learned_rates.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "optimiser.h"
#include "rates_file.h"

struct meta_learned_rates {
    const struct meta_backend *backend;
    struct meta_rates rates;
    size_t numbers;
    void *value;          /* (numbers) */
    void *first, *second; /* (numbers) the moments, as in optimiser.c */
    int64_t t;            /* updates done */
};

int meta_learned_create(struct meta_learned_rates **out, const struct meta_network *net,
                        struct meta_rates_how how, const struct meta_backend *b,
                        struct meta_error *error)
{
    *out = NULL;
    if (how.kind == META_RATES_FIXED) return 0;
    struct meta_learned_rates *l = calloc(1, sizeof *l);
    if (!l) return meta_fail_memory(error);
    l->backend = b;
    if (meta_rates_create(&l->rates, net, how, b, error)) goto fail;
    l->numbers = meta_rates_numbers(&l->rates);
    l->first = b->allocate(l->numbers * b->element);
    l->second = b->allocate(l->numbers * b->element);
    l->value = how.kind == META_RATES_PARAMETER ? l->rates.by_parameter
                                                : b->allocate(l->numbers * b->element);
    if (!l->value || !l->first || !l->second) {
        meta_fail_memory(error);
        goto fail;
    }
    *out = l;
    return 0;
fail:
    meta_learned_free(l);
    return -1;
}

void meta_learned_free(struct meta_learned_rates *l)
{
    if (!l) return;
    if (l->first) l->backend->release(l->first);
    if (l->second) l->backend->release(l->second);
    if (l->value && l->value != l->rates.by_parameter) l->backend->release(l->value);
    meta_rates_clear(&l->rates, l->backend);
    free(l);
}

int meta_learned_load(struct meta_learned_rates **out, const struct meta_network *net,
                      struct meta_rates_how how, const struct meta_backend *b, const char *weights,
                      struct meta_error *error)
{
    float *value = NULL;
    if (meta_learned_create(out, net, how, b, error)) return -1;
    if (!*out) return 0;
    int status = meta_rates_load(net, how, weights, &value, error);
    if (!status) meta_learned_set(*out, value);
    free(value);
    if (!status) return 0;
    meta_learned_free(*out);
    *out = NULL;
    return -1;
}

const struct meta_rates *meta_learned_rates(const struct meta_learned_rates *l)
{
    return l ? &l->rates : NULL;
}

size_t meta_learned_numbers(const struct meta_learned_rates *l) { return l ? l->numbers : 0; }

/* Workers read the rates of layers as doubles. */
static void spread(struct meta_learned_rates *l)
{
    if (l->rates.by_layer) l->backend->download_double(l->rates.by_layer, l->value, l->numbers);
}

static void forget(struct meta_learned_rates *l)
{
    l->t = 0;
    l->backend->set(l->first, l->numbers, 0);
    l->backend->set(l->second, l->numbers, 0);
    spread(l);
}

void meta_learned_fill(struct meta_learned_rates *l, double gamma)
{
    l->backend->set(l->value, l->numbers, gamma);
    forget(l);
}

void meta_learned_set(struct meta_learned_rates *l, const float *value)
{
    l->backend->upload(l->value, value, l->numbers);
    forget(l);
}

void meta_learned_get(const struct meta_learned_rates *l, float *value)
{
    l->backend->download(value, l->value, l->numbers);
}

const void *meta_learned_vector(const struct meta_learned_rates *l) { return l->value; }

void meta_learned_replace(struct meta_learned_rates *l, const void *vector)
{
    l->backend->copy(l->value, vector, l->numbers);
    spread(l);
}

int meta_learned_takes(const struct meta_learned_rates *l, const void *gradient)
{
    return isfinite(l->backend->dot(gradient, gradient, l->numbers));
}

void meta_learned_step(struct meta_learned_rates *l, const struct meta_net_settings *s,
                       void *gradient, double rate)
{
    const struct meta_backend *b = l->backend;
    size_t n = l->numbers;
    double norm = sqrt(b->dot(gradient, gradient, n));
    if (s->clip > 0 && norm > s->clip) b->scale(gradient, n, s->clip / norm);
    l->t++;
    if (s->adam)
        b->adam(l->value, gradient, l->first, l->second, n, rate, s->B1, s->B2, s->eps, 0, l->t);
    else b->momentum(l->value, gradient, l->first, n, rate, s->momentum, 0);
    spread(l);
}

int meta_learned_finite(const struct meta_learned_rates *l)
{
    if (!l) return 1;
    const void *vectors[] = { l->value, l->first, l->second };
    for (int i = 0; i < 3; i++)
        if (!isfinite(l->backend->dot(vectors[i], vectors[i], l->numbers))) return 0;
    return 1;
}

size_t meta_learned_bytes(const struct meta_learned_rates *l)
{
    return l ? 3 * l->numbers * l->backend->element + sizeof l->t : 0;
}

void meta_learned_save(const struct meta_learned_rates *l, void *out)
{
    char *at = out;
    if (!l) return;
    const void *vectors[] = { l->value, l->first, l->second };
    for (int i = 0; i < 3; i++, at += l->numbers * l->backend->element)
        meta_vector_save(l->backend, vectors[i], l->numbers, at);
    memcpy(at, &l->t, sizeof l->t);
}

void meta_learned_read(struct meta_learned_rates *l, const void *in)
{
    const char *at = in;
    if (!l) return;
    void *vectors[] = { l->value, l->first, l->second };
    for (int i = 0; i < 3; i++, at += l->numbers * l->backend->element)
        meta_vector_load(l->backend, vectors[i], l->numbers, at);
    memcpy(&l->t, at, sizeof l->t);
    spread(l);
}
