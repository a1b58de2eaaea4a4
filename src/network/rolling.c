/* Moves rolling statistics, and corrects young ones. */
#include "rolling.h"

#include <math.h>

void meta_rolling_move(float *rolling, const float *batch, size_t n)
{
    for (size_t i = 0; i < n; i++) rolling[i] = .99f * rolling[i] + .01f * batch[i];
}

uint32_t meta_rolling_add(uint32_t batches, uint32_t more)
{
    return batches < META_ROLLING_SETTLED && more < META_ROLLING_SETTLED - batches
        ? batches + more
        : META_ROLLING_SETTLED;
}

void meta_rolling_correct(float *rolling, size_t n, uint32_t batches)
{
    if (!batches || batches >= META_ROLLING_SETTLED) return;
    double share = 1 - pow(.99, batches);
    for (size_t i = 0; i < n; i++) rolling[i] /= share;
}
