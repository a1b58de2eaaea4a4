/* Images that are the same, byte for byte, under several names of one list. */
#ifndef META_COPIES_INTERNAL_H
#define META_COPIES_INTERNAL_H

#include "dataset.h"

/* Whether the image's bytes tell it from others: something was read of it, and it is not plain. */
int meta_copies_tell(const struct meta_dataset *, int image);
/* The indices of the images in the order of their digests, those of equal ones in that of the list;
   the caller frees. NULL: no memory. */
int *meta_copies_order(const struct meta_dataset *);
/* Fills in copy_of (count): the first earlier image with the same bytes; -1: there is none, or
   the image's bytes don't tell it. */
int meta_copies_find(const struct meta_dataset *, int *copy_of, struct meta_error *);
/* Whether image order[i] (meta_copies_order) is of one file with the one before, as another page or
   frame of it. */
int meta_copies_is_frame(const struct meta_dataset *, const int *order, int i);
/* The message of image i that is the same as image k of another class. Returns -1. */
int meta_copies_clash(const struct meta_dataset *, int i, int k, struct meta_error *);
/* Fills in `copy_of`, and `group` from `named_group`: images of one group, images that are
   copies, and pages or frames of one file, are in one group; an image that has neither stays in
   none. */
int meta_copies_unite(struct meta_dataset *, struct meta_error *);

#endif
