/* Whether all ranks compute by the same files, and on the same images. */
#ifndef META_SAME_BUILD_H
#define META_SAME_BUILD_H

#include "tasks/dataset.h"
#include "transport/transport.h"

/* Fails on all ranks where the file of the program or of a plugin is another on one of them, with
   both digests. All ranks call it. */
int meta_same_build(struct meta_transport *, struct meta_error *);

/* Fails on all ranks where the images, classes, groups, range or decoding of the set differ, which
   then is one that all have loaded; whose: "", or "the valid list's ", for the message. */
int meta_same_images(struct meta_transport *, const struct meta_dataset *, const char *whose,
                     struct meta_error *);

#endif
