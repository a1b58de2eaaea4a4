/* Deals labelled images out to training, watching and testing, groups whole. */
#ifndef META_SPLIT_H
#define META_SPLIT_H

#include <stdint.h>

#include "dataset.h"
#include "labelled.h"

enum meta_part { META_PART_TRAIN, META_PART_VALID, META_PART_TEST, META_PARTS };
#define META_PART_NONE META_PARTS

struct meta_split {
    double valid, test; /* shares of each class's images */
    uint64_t seed;
    const unsigned char *rare; /* (classes) 1: all of the class's images are to test; NULL: none */
};
/* part (count): enum meta_part of each image, or META_PART_NONE. Images of one group, files of the
   same bytes, and pages or frames of one file are in one part; the set is the labelled images' own,
   with digests. Of each class, the rarest first, the groups are taken in an order that a digest of
   the seed and the group's name gives, so that a group keeps its place in it when others come and
   go: to test and then to valid, each while that brings the number of its images nearer to the
   share. With rare classes, an image of another class whose group has images of a rare one is in no
   part. Files of the same bytes in two classes are an error. */
int meta_split(int *part, const struct meta_labelled *, const struct meta_dataset *set,
               const struct meta_split *, struct meta_error *);

#endif
