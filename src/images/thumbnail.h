/* Images as small gray squares, to be compared. */
#ifndef META_THUMBNAIL_H
#define META_THUMBNAIL_H

#include "image.h"

/* Side of a thumbnail, and its pixels. */
enum { META_THUMBNAIL = 64, META_THUMBNAIL_PIXELS = META_THUMBNAIL * META_THUMBNAIL };

/* Shrinks the image to a square: each pixel is the mean brightness of the part of the image that it
   stands for. An image that is narrower or lower than a thumbnail has too few details to be told by
   them, and becomes black. */
void meta_thumbnail(const struct meta_image *, unsigned char out[META_THUMBNAIL_PIXELS]);

#endif
