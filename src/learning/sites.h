/* The mean over sites of a vector that each of them has, and what a site does to its own before it
   is sent. */
#ifndef META_SITES_H
#define META_SITES_H

#include "engine/backend.h"
#include "federation.h"
#include "transport/transport.h"

/* What `about` of the transport is to be for a vector that one site sends. */
#define META_SITES_GRADIENT "gradient"
#define META_SITES_CHANGE "change of weights"

struct meta_sites;

struct meta_sites_parts {
    const struct meta_backend *backend;
    struct meta_transport *transport; /* must outlive what is made with it */
    struct meta_federation federation;
    size_t numbers; /* of a vector */
    int tasks;      /* of an iteration, shared out by meta_part, at least one a site */
};
/* The caller frees. */
int meta_sites_create(struct meta_sites **, const struct meta_sites_parts *, struct meta_error *);
void meta_sites_free(struct meta_sites *); /* may be NULL */

/* Replaces a backend vector (numbers) by the mean of those of all sites, the same bits everywhere.
   With a clip each site scales its own down to that norm first, and adds noise, whose random
   numbers have a new key of the operating system each time: with the run's seed, which all sites
   know, they could take it off again. Fails where a rank is lost, and on a site whose vector is not
   finite. */
int meta_sites_mean(struct meta_sites *, void *vector, struct meta_error *);

/* How much a site counts in a mean, in units of a site that counts like the average one. */
double meta_sites_counts(const struct meta_sites *, int rank);

#endif
