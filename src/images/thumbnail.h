/* Images as small gray ones, to be compared. */
#ifndef META_THUMBNAIL_H
#define META_THUMBNAIL_H

#include "image.h"

/* Side of the square, and its pixels; the longer side of what keeps its proportions. */
enum {
    META_THUMBNAIL = 64,
    META_THUMBNAIL_PIXELS = META_THUMBNAIL * META_THUMBNAIL,
    META_THUMBNAIL_LONGER = 100
};

struct meta_thumbnail {
    unsigned char square[META_THUMBNAIL_PIXELS]; /* (64, 64) the image without its proportions */
    int w, h;                                    /* at most 100, in proportion */
    unsigned char gray[META_THUMBNAIL_LONGER * META_THUMBNAIL_LONGER]; /* (h, w) */
};

/* Shrinks the image: each pixel is the mean brightness of the part of the image that it stands for.
   An image that is narrower or lower than the square has too few details to be told by them: its
   square is black, and w and h are 0. */
void meta_thumbnail(const struct meta_image *, struct meta_thumbnail *out);

#endif
