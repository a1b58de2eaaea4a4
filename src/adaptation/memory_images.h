/* The images that programs hand to libdarknet-meta, as a network sees them. */
#ifndef META_MEMORY_IMAGES_H
#define META_MEMORY_IMAGES_H

#include "config/net_section.h"
#include "darknet_meta.h"

/* Returns the images as the network sees them, (count, c, height, width); the caller frees. NULL:
   the error says which image is at fault, and why. */
float *meta_memory_images(const darknet_meta_image *images, int count,
                          const struct meta_net_settings *, struct meta_error *);
/* Refuses two of these, (count, numbers), that are the same and have other labels (count). */
int meta_memory_images_agree(const float *seen, size_t numbers, const int *labels, int count,
                             struct meta_error *);

#endif
