/* Inner rates that are learned: each layer's at each step (LSLR of MAML++), or each parameter's
   (Meta-SGD). They begin at gamma, are moved by [net]'s rule and rate like the meta-parameters, but
   do not decay, and may become negative. */
#ifndef META_LEARNED_RATES_H
#define META_LEARNED_RATES_H

#include "config/model.h"
#include "inner_rates.h"

struct meta_learned_rates;

/* The numbers are 0 until they are set. With META_RATES_FIXED *out is NULL, which the functions
   below take where they say so. The backend must outlive it. The caller frees. */
int meta_learned_create(struct meta_learned_rates **out, const struct meta_network *,
                        struct meta_rates_how, const struct meta_backend *, struct meta_error *);
void meta_learned_free(struct meta_learned_rates *); /* may be NULL */
/* The same with the numbers of STEM.rates, beside a .weights file (rates_file.h). */
int meta_learned_load(struct meta_learned_rates **out, const struct meta_network *,
                      struct meta_rates_how, const struct meta_backend *, const char *weights,
                      struct meta_error *);

/* What workers take; it stands where it is, and changes with the numbers. NULL of NULL. */
const struct meta_rates *meta_learned_rates(const struct meta_learned_rates *);
size_t meta_learned_numbers(const struct meta_learned_rates *); /* 0 of NULL */
/* value: (numbers). Set clears the moments of the rule. */
void meta_learned_fill(struct meta_learned_rates *, double gamma);
void meta_learned_set(struct meta_learned_rates *, const float *value);
void meta_learned_get(const struct meta_learned_rates *, float *value);
/* The numbers as a backend vector, and others in their place, which leaves the moments as they
   are. */
const void *meta_learned_vector(const struct meta_learned_rates *);
void meta_learned_replace(struct meta_learned_rates *, const void *vector);

int meta_learned_takes(const struct meta_learned_rates *, const void *gradient); /* is finite */
/* One update by [net]'s rule; the gradient, a backend vector (numbers), is scaled down to [net]
   clip by its own norm. */
void meta_learned_step(struct meta_learned_rates *, const struct meta_net_settings *,
                       void *gradient, double rate);
/* Whether numbers and moments are finite; 1 of NULL. */
int meta_learned_finite(const struct meta_learned_rates *);

/* For a checkpoint, bit for bit; of NULL nothing. */
size_t meta_learned_bytes(const struct meta_learned_rates *);
void meta_learned_save(const struct meta_learned_rates *, void *out);
void meta_learned_read(struct meta_learned_rates *, const void *in);

#endif
