/* Protects what a site sends, and forms means over sites. */
#include "sites.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/rng.h"
#include "exchange.h"

struct meta_sites {
    struct meta_sites_parts parts;
    struct meta_exchange *exchange; /* of one vector a site */
    void **vectors;                 /* (sites) this site's own; else NULL */
    double *noise;                  /* (numbers), with noise */
    void *noise_there;              /* (numbers) a backend vector, with noise */
};

int meta_sites_create(struct meta_sites **out, const struct meta_sites_parts *p,
                      struct meta_error *error)
{
    struct meta_sites *s = calloc(1, sizeof *s);
    if (!s) return meta_fail_memory(error);
    s->parts = *p;
    int sites = p->transport->size, noisy = p->federation.noise > 0, status = 0;
    s->vectors = calloc((size_t)sites, sizeof *s->vectors);
    if (noisy) s->noise = malloc(p->numbers * sizeof *s->noise);
    if (noisy) s->noise_there = p->backend->allocate(p->numbers * p->backend->element);
    if (!s->vectors || (noisy && (!s->noise || !s->noise_there))) status = meta_fail_memory(error);
    if (!status)
        status = meta_exchange_create(&s->exchange, p->backend, p->transport, p->numbers, sites,
                                      error);
    if (status) meta_sites_free(s);
    else *out = s;
    return status;
}

void meta_sites_free(struct meta_sites *s)
{
    if (!s) return;
    if (s->noise_there) s->parts.backend->release(s->noise_there);
    meta_exchange_free(s->exchange);
    free(s->vectors);
    free(s->noise);
    free(s);
}

double meta_sites_counts(const struct meta_sites *s, int rank)
{
    int sites = s->parts.transport->size;
    size_t tasks = (size_t)s->parts.tasks;
    if (s->parts.federation.equal) return 1;
    struct meta_part own = meta_part(tasks, rank, sites);
    return (double)(own.end - own.begin) * sites / s->parts.tasks;
}

static int add_noise(struct meta_sites *s, void *vector, struct meta_error *error)
{
    uint64_t key[2];
    ssize_t got;
    do got = getrandom(key, sizeof key, 0);
    while (got < 0 && errno == EINTR);
    if (got != sizeof key)
        return meta_fail(error, "the operating system gives no random numbers: %s",
                         strerror(errno));
    struct meta_rng rng = meta_rng_open(key[0], META_USE_NOISE, key[1], 0, 0);
    for (size_t i = 0; i < s->parts.numbers; i++) s->noise[i] = meta_rng_normal(&rng);
    explicit_bzero(key, sizeof key);
    explicit_bzero(&rng, sizeof rng);
    s->parts.backend->upload_double(s->noise_there, s->noise, s->parts.numbers);
    s->parts.backend->axpy(vector, s->parts.numbers,
                           s->parts.federation.noise * s->parts.federation.clip, s->noise_there);
    return 0;
}

static int protect(struct meta_sites *s, void *vector, struct meta_error *error)
{
    const struct meta_backend *b = s->parts.backend;
    double norm = sqrt(b->dot(vector, vector, s->parts.numbers)), clip = s->parts.federation.clip;
    if (!isfinite(norm))
        return meta_fail(error,
                         "what this site would send is not finite: a lower learning_rate in "
                         "[inner_loop] or [net] may help");
    if (!(clip > 0)) return 0;
    if (norm > clip) b->scale(vector, s->parts.numbers, clip / norm);
    return s->parts.federation.noise > 0 ? add_noise(s, vector, error) : 0;
}

int meta_sites_mean(struct meta_sites *s, void *vector, struct meta_error *error)
{
    int sites = s->parts.transport->size, own = s->parts.transport->rank;
    if (protect(s, vector, error)) return -1;
    double counts = meta_sites_counts(s, own);
    if (counts != 1) s->parts.backend->scale(vector, s->parts.numbers, counts);
    s->vectors[own] = vector;
    return meta_exchange_mean(s->exchange, s->vectors, 1. / sites, vector, error);
}
