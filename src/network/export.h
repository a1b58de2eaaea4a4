/* A network as files of stock sections, which any Darknet reads. */
#ifndef META_EXPORT_H
#define META_EXPORT_H

#include "filled.h"

/* Writes NAME.weights, then NAME.cfg, each whole or not at all. `comment`, one or more lines or
   NULL, stands at the head of the .cfg. The files give the probabilities of the network with its
   statistics as rolling ones, here, in the stock library and in OpenCV's importer. The importer
   differs from Darknet in three ways; the first two are met by numbers that mean the same in both:
     - it normalises by sqrt(v + 1e-6), Darknet by sqrt(v) + 1e-6. The two agree at v = .25: a
       channel of v < .1 is written with that variance and a scale that makes up for it;
     - it reads the normalisation of [connected] before the weights, Darknet behind them: the
       normalisation is folded into the weights;
     - it knows no [activation], no temperature of [softmax] and no beta of [shortcut]: only Darknet
       reads these right.
   A plugin's layer is an error. */
int meta_export(const struct meta_filled *, const char *name, const char *comment,
                struct meta_error *);

#endif
