/* A network as files that any Darknet reads: stock sections alone. */
#ifndef META_EXPORT_H
#define META_EXPORT_H

#include "filled.h"

/* Writes NAME.weights, then NAME.cfg, each whole or not at all. `comment` (one or more lines, or NULL) stands at the .cfg's head. The
   probabilities are those of the network with its statistics as rolling ones, here and in the stock library; and in OpenCV's importer, which
   differs in three things, of which two are met by other numbers that mean the same:
     - it normalises by sqrt(v + 1e-6) where Darknet does by sqrt(v) + 1e-6. They agree at v = .25, where a channel of v < .1 is put, its
       scale making up for it;
     - it reads the normalisation of [connected] before the weights, Darknet after: that is folded into the weights;
     - it knows no [activation], no softmax temperature, and no beta of [shortcut]: these stay as they are, for Darknet alone.
   A plugin's layer is an error. */
int meta_export(const struct meta_filled *, const char *name, const char *comment, struct meta_error *);

#endif
