/* Which images a list is of, whatever their files are called. */
#ifndef META_IDENTITY_H
#define META_IDENTITY_H

#include "dataset.h"

/* Digests over the images of a list in their order. */
struct meta_identity {
    struct meta_digest images;          /* the bytes of their files */
    struct meta_digest classes, groups; /* which images are of one class, by its number; which are
                                           in one group, whatever it is called */
};
/* Of a data set whose images were read. */
int meta_identity(struct meta_identity *, const struct meta_dataset *, struct meta_error *);
/* The images of a task in their order: items (n) of the data set. */
struct meta_digest meta_identity_of(const struct meta_dataset *, const int *items, int n,
                                    struct meta_digest before);

#endif
