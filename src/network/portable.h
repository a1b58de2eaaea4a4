/* A network in a form that Darknets and OpenCV read alike. */
#ifndef META_PORTABLE_H
#define META_PORTABLE_H

#include "filled.h"

/* What becomes of normalisation with rolling statistics. Readers differ in what they add to a
   variance: 1e-6 to its root (Darknet), 1e-6 (OpenCV) or 1e-5 (newer Darknets) to itself. */
enum meta_fold {
    /* folded into weights and biases, but for the network's first, whose statistics say what images
       the network knows; that one is kept as META_FOLD_NONE keeps it */
    META_FOLD_REST,
    META_FOLD_ALL,
    /* kept in [convolutional], with each filter's weights and statistics in such units that its
       variance is large beside what readers add; folded in [connected], whose numbers OpenCV reads
       in another order */
    META_FOLD_NONE
};

/* Makes a network of the same outputs, up to rounding:
     - normalisation as enum meta_fold says;
     - the temperature of [softmax] divides the weights and biases before it;
     - the factors of [shortcut], and the sampling of a larger map, are convolutions of their own,
       with weights that are 0 but for the factor;
     - [activation] joins a linear layer before it, or is a convolution that changes nothing else;
     - a 1x1 convolution with a stride or with padding, which Darknet ignores, is a 3x3 one of whose
       weights the middle alone is not 0;
     - a convolution with dilation is one with a wider kernel, of zeros between the taps; the scale
   of [upsample] is a convolution before it;
     - [connected] and [convolutional] take each other's place where they are the same and OpenCV's
       importer would not have the one;
     - an identity stands before a network without a map, by whose number newer Darknets divide, and
       in place of a [dropout] of the image, which Darknets have no memory for.
   What has no such form stays as it is: readers.h finds it. A plugin's layer is an error. The
   caller clears. */
int meta_portable(struct meta_filled *, const struct meta_filled *from, enum meta_fold,
                  struct meta_error *);

#endif
