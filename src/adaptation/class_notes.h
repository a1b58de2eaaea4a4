/* The order of a classifier's classes, told by its .cfg: a comment "class K NAME" for each output,
   K from 0, so that answers are not given the names of other classes. */
#ifndef META_CLASS_NOTES_H
#define META_CLASS_NOTES_H

#include <stdio.h>

#include "base/lines.h"
#include "tasks/data_file.h"

/* Writes a line "class K NAME" for each class. */
void meta_class_notes(FILE *, const struct meta_data *);
/* Reads these lines of a .cfg that is adapted and has `classes` outputs: names->line (names->count)
   are the names in order; none where the .cfg has none. The caller frees. Errors: lines that leave
   out or repeat a class. */
int meta_class_notes_read(struct meta_lines *names, const char *cfg, int classes,
                          struct meta_error *);

/* Names of classes in an order, and the file that they are of. */
struct meta_class_order {
    const char *path;
    char *const *names; /* (classes) */
    int classes;
};
/* A classifier's files: the .cfg, and the .weights (count) that are read by it. */
struct meta_class_files {
    const char *cfg;
    char *const *weights;
    int count;
};
/* Fails where the order is turned beside that of these lines of the .cfg, of the .cfg of a .weights
   beside it, or of a NAME.data beside NAME.cfg that can be read and has as many classes. */
int meta_class_notes_check(const struct meta_class_order *, const struct meta_class_files *,
                           struct meta_error *);
/* Fails where a class is called otherwise than in the .cfg, or than in the .cfg of a .weights
   beside it: a warning, of classes that meta_class_notes_check lets pass. */
int meta_class_notes_alike(const struct meta_class_order *, const struct meta_class_files *,
                           struct meta_error *);
/* Fails where a class of the one has the name of another class of the other, of as many. Classes
   may be called otherwise, as in another language. */
int meta_class_order_turned(const struct meta_class_order *, const struct meta_class_order *known,
                            struct meta_error *);
/* Fails where the two lists, of as many classes, differ. */
int meta_class_order_same(const struct meta_class_order *, const struct meta_class_order *known,
                          struct meta_error *);

#endif
