/* The images that a classifier has learned from, as its .cfg and those beside its weights say. */
#ifndef META_LEARNED_FROM_H
#define META_LEARNED_FROM_H

#include "adaptation/support_files.h"
#include "classifier.h"

struct meta_learned_from {
    struct meta_digest *all; /* (count) ascending, of all networks together */
    int count;
    char **untold; /* (untold_count) warnings about networks whose images are not known */
    int untold_count;
};
/* Reads the "support" comments of the classifier's .cfg and of STEM.cfg beside each STEM.weights.
   The caller clears, also after a failure. */
int meta_learned_from_read(struct meta_learned_from *, const struct meta_classifier *,
                           struct meta_error *);
/* Which of the images of a list it has learned from. */
struct meta_learned_marks {
    unsigned char *learned; /* (count of the list) 1: it has */
    int count;              /* of these */
    int beside; /* others of their groups, and of the groups of other pages of their files */
};
/* The caller frees marks->learned, also after a failure, which is one of memory. */
int meta_learned_from_mark(const struct meta_learned_from *, const struct meta_answers *,
                           struct meta_learned_marks *, struct meta_error *);
/* Fails where it has learned from images of the list, or from other pages or frames of their files:
   thresholds are to be chosen on the list, and it finds nearly all of these, whatever the threshold
   is. */
int meta_learned_from_check(const struct meta_learned_from *, const struct meta_dataset *,
                            struct meta_error *);
void meta_learned_from_clear(struct meta_learned_from *);

#endif
