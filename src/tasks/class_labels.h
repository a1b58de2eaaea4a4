/* Labels as Darknet's classifier has them: an image is of the class whose label is part of its
 * path. */
#ifndef META_CLASS_LABELS_H
#define META_CLASS_LABELS_H

#include "base/error.h"

/* Images whose classes are known, and the folder that they lie in, a folder a class. */
struct meta_classed {
    int count, classes;
    char *const *paths;   /* (count) */
    const int *label;     /* (count) */
    char *const *folders; /* (classes) names of the classes' folders */
    const char *root;     /* the folder of those, as the paths begin */
};
/* *labels (classes): "/FOLDER/", or where one of those is part of a path of another class, or not
   of one of its own, "ROOT/FOLDER/". NULL: some path has not exactly the label of its class with
   these either. The caller frees them by meta_class_labels_free. Fails without memory. */
int meta_class_labels(char ***labels, const struct meta_classed *, struct meta_error *);
void meta_class_labels_free(char **labels, int classes);

#endif
