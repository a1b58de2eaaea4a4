/* Counter-based random numbers (Random123's Philox4x64-10): every draw is a function of its key
   alone, so the result does not depend on threads, on order, or on where a run was cut and resumed.

   The key is (seed, use) and the counter (block, task << 32 | item, iteration, 0). Every field has
   its whole width, so that no two streams meet; Philox4x32 has no room for that. The low half of
   each of a block's four 64-bit numbers is drawn first. */
#ifndef META_RNG_H
#define META_RNG_H

#include <stdint.h>

/* What a stream is for; two uses never share numbers. New uses are added at the end, since
   checkpoints depend on the values. */
enum meta_use {
    META_USE_WEIGHTS = 1,
    META_USE_EPISODE,
    META_USE_AUGMENT,
    META_USE_DROPOUT,
    META_USE_CHECK,
    META_USE_BOOTSTRAP,
    META_USE_CURRICULUM,
    META_USE_NOISE /* its seed is no run's: sites.h */
};

/* A stream of numbers. One thread uses it at a time. */
struct meta_rng {
    uint64_t seed;
    uint32_t use; /* enum meta_use */
    uint64_t iteration;
    uint32_t task;
    uint32_t item;  /* an image of the task or a layer of the network; 0 where there is only one */
    uint32_t block; /* blocks of eight words drawn so far */
    uint32_t words[8];
    int left; /* unused words */
};

struct meta_rng meta_rng_open(uint64_t seed, enum meta_use use, uint64_t iteration, uint32_t task,
                              uint32_t item);
uint32_t meta_rng_word(struct meta_rng *);
double meta_rng_uniform(struct meta_rng *); /* [0, 1), 53 bits */
double meta_rng_between(struct meta_rng *, double a, double b);
double meta_rng_normal(struct meta_rng *); /* mean 0, variance 1 (Box-Muller, one a call) */
uint32_t meta_rng_below(struct meta_rng *, uint32_t n);           /* 0..n-1 without bias; n >= 1 */
void meta_rng_shuffle(struct meta_rng *, int *values, int count); /* Fisher-Yates */

#endif
