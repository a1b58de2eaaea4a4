/* Images that look like one photograph: of other bytes, but the same but for light, colour, a small
   shift, a flip or a quarter turn. */
#ifndef META_ALIKE_H
#define META_ALIKE_H

#include "base/error.h"
#include "images/thumbnail.h"

struct meta_pool;

/* Two images, a < b, and the correlation of their details, up to 1. */
struct meta_alike {
    int a, b;
    float correlation;
};
/* Details that correlate more than this are taken for those of one photograph. Of the pairs of ISIC
   2018 in different groups, the four that show the same have 0.43 to 0.93, the next has 0.37. */
#define META_ALIKE_LEAST 0.40f

/* Images to look at: thumbnails (images/thumbnail.h), and what need not be found, as images of one
   kind are known to belong together. */
struct meta_look {
    int count;
    const unsigned char *thumbnails; /* (count, 64, 64) */
    const int *known;                /* (count) -1: with none */
};
/* Finds pairs, the most alike first. First by perceptual hashes, the signs of 64 low frequencies of
   each image, of which all flips and quarter turns are compared; then by the normalised correlation
   of details in the middle of the images, the mean around each pixel taken away and its contrast
   evened out, over shifts of up to 4 pixels of 64. An image of one colour is like no other. The
   caller frees *pairs. */
int meta_alike_find(struct meta_alike **pairs, int *count, const struct meta_look *,
                    struct meta_pool *, struct meta_error *);

#endif
