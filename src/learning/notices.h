/* Settings of a .cfg that do something else than they seem to. */
#ifndef META_NOTICES_H
#define META_NOTICES_H

#include "config/model.h"

/* Calls say(context, text) for each, with one line: a learning rate that is 0 at first, views with
   black edges, a loss that begins above where [meta_loss] caps it, a `start` that nothing reads, a
   [cost] that Darknet learns by, too, what begins past the model's max_batches, what the order of
   the meta-gradient or the number of steps leaves without effect, a head that is a plugin's
   layer, two values that are normalised together where something is learned from them. */
void meta_notices(const struct meta_model *, void (*say)(void *context, const char *text),
                  void *context);

#endif
