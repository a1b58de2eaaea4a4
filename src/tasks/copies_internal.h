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
/* The images order[first] to order[*end - 1] (meta_copies_order) are all that are of the bytes of
   order[first]'s file. Whether they are of several pages or frames: then all of them belong
   together, also those of its copies, and pages of one colour, which are nobody's copy. */
int meta_copies_frames(const struct meta_dataset *, const int *order, int first, int *end);
/* The message of image i that is the same as image k of another class. Returns -1. */
int meta_copies_clash(const struct meta_dataset *, int i, int k, struct meta_error *);
/* Fills in `copy_of`, and `group` from `named_group`: images of one group, images that are
   copies, and pages or frames of one file, are in one group; an image that has neither stays in
   none. */
int meta_copies_unite(struct meta_dataset *, struct meta_error *);

#endif
