/* Images that look like photographs of one thing: of other bytes, but the same but for light and
   colour and a small shift, a flip or a quarter turn, or taken from elsewhere: shifted, turned by
   any angle, from half to twice as large. */
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
/* Likewise for images that are laid on each other first, whose details are coarser (align.h), the
   mean of one on the other and the other on the one. */
#define META_ALIKE_MOVED_LEAST 0.50f

/* Images to look at: thumbnails (images/thumbnail.h), and what need not be found, as images of one
   kind are known to belong together. */
struct meta_look {
    int count;
    const struct meta_thumbnail *thumbnails; /* (count) */
    const int *known;                        /* (count) -1: with none */
};
/* Finds pairs, the most alike first, by two searches. One is by perceptual hashes, the signs of 64
   low frequencies of each image, of which all flips and quarter turns are compared, and then by the
   normalised correlation of details in the middle of the images, the mean around each pixel taken
   away and its contrast evened out, over shifts of up to 4 pixels of 64. The other is by keypoints
   (keypoints.h): images of which several keypoints are near each other are laid on each other as
   these say, which is then bettered, and the correlation of details decides. An image of one colour
   is like no other. The caller frees *pairs. */
int meta_alike_find(struct meta_alike **pairs, int *count, const struct meta_look *,
                    struct meta_pool *, struct meta_error *);

#endif
