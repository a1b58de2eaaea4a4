/* Rolling statistics of batch normalisation, as Darknet keeps them: they begin at 0, and each batch
   moves them to .99 old + .01 new. After n batches they are 1 - .99^n times a weighted mean of the
   batches' statistics: 0.33 times after 40. Files have them so; whoever normalises by them divides
   by that share first, as Adam does with its moments. */
#ifndef META_ROLLING_H
#define META_ROLLING_H

#include <stddef.h>
#include <stdint.h>

/* So many batches, and more: the share is 1 to 2e-9. Stands for an unknown number, too. */
#define META_ROLLING_SETTLED 2048

/* rolling (n), batch (n). */
void meta_rolling_move(float *rolling, const float *batch, size_t n);
/* The number of batches after `more` further ones. */
uint32_t meta_rolling_add(uint32_t batches, uint32_t more);
/* Divides statistics (n) that so many batches have moved by their share. Those that none has moved,
   or META_ROLLING_SETTLED, stay as they are. */
void meta_rolling_correct(float *rolling, size_t n, uint32_t batches);

#endif
