/* What `meta evaluate` knows of a classifier's classes: their names in the order of its outputs. */
#ifndef META_EVALUATE_NAMES_H
#define META_EVALUATE_NAMES_H

#include "base/lines.h"
#include "classifier.h"

/* Zeroed, it has no memory. */
struct meta_evaluate_names {
    const struct meta_classifier *classifier;
    const char *cfg, *said;        /* NAME.cfg; the file of -names, or NULL */
    struct meta_data *own;         /* NAME.data beside NAME.cfg, or NULL */
    struct meta_lines file, noted; /* of `said`, of NAME.cfg; count 0: there are none */
};
/* Reads them. The classifier is open and stays with the caller, who clears, also after a failure. A
   NAME.data that is no good, as one of a classifier that was moved, is not asked where -names says
   them. */
int meta_evaluate_names_read(struct meta_evaluate_names *, const struct meta_classifier *,
                             const char *cfg, const char *said, struct meta_error *);
/* Puts the classes of `data` into the order of the outputs, where it is a folder or a CSV, whose
   classes are in any; a .data file must have them so. `first`, other data whose order is right, or
   NULL, is asked if nothing else says. */
int meta_evaluate_names_match(const struct meta_evaluate_names *, const struct meta_data *first,
                              struct meta_data *data, struct meta_error *);
/* Warns where answers to `data` get other names than NAME.cfg has: a folder's and a CSV's get those
   of -names, NAME.data or NAME.cfg. */
void meta_evaluate_names_warn(const struct meta_evaluate_names *, const struct meta_data *data);
void meta_evaluate_names_clear(struct meta_evaluate_names *);

#endif
