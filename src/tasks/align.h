/* How one thumbnail has to be turned, enlarged and moved to lie on another, and how alike the two
   are then. */
#ifndef META_ALIGN_H
#define META_ALIGN_H

#include "images/thumbnail.h"

/* The pixel of b at which a pixel of a lies: (x, y) for the middle of a, and from there on turned
   by `angle` (radians, from x to y) and e^log_scale times as far. */
struct meta_alignment {
    float angle, log_scale, x, y;
};

enum { META_COARSE = (META_THUMBNAIL_LONGER + 2) / 3 };
/* Every third pixel of a thumbnail, of what its blur by 2 pixels has beyond that by 8. */
struct meta_coarse {
    int w, h;
    float middle_x, middle_y;               /* of the thumbnail, in its pixels */
    float value[META_COARSE * META_COARSE]; /* (h, w) */
};
void meta_coarse_make(const struct meta_thumbnail *, struct meta_coarse *out);

/* The correlation of what lies on each other. -1 where that is less than a quarter of a. */
float meta_align_lay(const struct meta_coarse *a, const struct meta_coarse *b,
                     const struct meta_alignment *);
/* Moves *at to where that is largest, and returns it. */
float meta_align_coarse(const struct meta_coarse *a, const struct meta_coarse *b,
                        struct meta_alignment *at);

/* Moves *at to where the thumbnails correlate best, in ever smaller steps and ever finer bands of
   frequencies, and returns the correlation of details there: of the difference of each pixel to the
   mean of the 9 x 9 pixels around it, in units of the contrast there. Black, which surrounds a
   round field of view, has none. -1 where less than a quarter of a is left, or where a band doesn't
   correlate. Allocates nothing. */
float meta_align(const struct meta_thumbnail *a, const struct meta_thumbnail *b,
                 struct meta_alignment *at);
/* How b lies on a. */
struct meta_alignment meta_align_inverse(const struct meta_thumbnail *a,
                                         const struct meta_thumbnail *b,
                                         const struct meta_alignment *);

#endif
