/* Draws numbers from Philox by (seed, use, iteration, task, item) and shapes them into
   distributions. */
#include "rng.h"

#include <math.h>
#include <Random123/philox.h>

struct meta_rng meta_rng_open(uint64_t seed, enum meta_use use, uint64_t iteration, uint32_t task,
                              uint32_t item)
{
    return (struct meta_rng){
        .seed = seed, .use = use, .iteration = iteration, .task = task, .item = item
    };
}

static void refill(struct meta_rng *r)
{
    philox4x64_ctr_t counter = { { r->block++, (uint64_t)r->task << 32 | r->item, r->iteration,
                                   0 } };
    philox4x64_key_t key = { { r->seed, r->use } };
    philox4x64_ctr_t drawn = philox4x64(counter, key);
    for (int i = 0; i < 4; i++) {
        r->words[2 * i] = (uint32_t)drawn.v[i];
        r->words[2 * i + 1] = (uint32_t)(drawn.v[i] >> 32);
    }
    r->left = 8;
}

uint32_t meta_rng_word(struct meta_rng *r)
{
    if (!r->left) refill(r);
    return r->words[8 - r->left--];
}

double meta_rng_uniform(struct meta_rng *r)
{
    uint64_t high = meta_rng_word(r) >> 5, low = meta_rng_word(r) >> 6;
    return (double)(high << 26 | low) * 0x1p-53;
}

double meta_rng_between(struct meta_rng *r, double a, double b)
{
    return a + (b - a) * meta_rng_uniform(r);
}

double meta_rng_normal(struct meta_rng *r)
{
    double radius = sqrt(-2 * log(1 - meta_rng_uniform(r))); /* 1 - u is never 0 */
    return radius * cos(2 * M_PI * meta_rng_uniform(r));
}

/* Lemire, "Fast random integer generation in an interval" (2019): a multiplication, and a rejection
   that makes each of the n answers come from the same number of words. */
uint32_t meta_rng_below(struct meta_rng *r, uint32_t n)
{
    uint64_t product = (uint64_t)meta_rng_word(r) * n;
    if ((uint32_t)product < n) {
        uint32_t least = -n % n;
        while ((uint32_t)product < least) product = (uint64_t)meta_rng_word(r) * n;
    }
    return product >> 32;
}

void meta_rng_shuffle(struct meta_rng *r, int *values, int count)
{
    for (int i = count - 1; i > 0; i--) {
        int j = meta_rng_below(r, i + 1), kept = values[i];
        values[i] = values[j];
        values[j] = kept;
    }
}
