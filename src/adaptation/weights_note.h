/* Which .weights a classifier's .cfg was written with, told by its comment "weights DIGEST"
   (network/export.h): one has the classes of the other. */
#ifndef META_WEIGHTS_NOTE_H
#define META_WEIGHTS_NOTE_H

#include "class_notes.h"

/* Fails, for a warning, where the .weights number i is not the file that its .cfg was written with:
   the .cfg beside it or, where none is, that of a single one. A .cfg without the comment, and files
   that can't be read, pass. */
int meta_weights_note_check(const struct meta_class_files *, int i, struct meta_error *why);
/* Fails, for good, where the .weights is NAME.weights beside its NAME.cfg and is not the file that
   this was written with. Weights of another name, as of a training that went on, pass. */
int meta_weights_note_own(const char *cfg, const char *weights, struct meta_error *);

#endif
