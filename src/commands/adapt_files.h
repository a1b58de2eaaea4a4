/* The files that `meta adapt` writes: NAME.cfg and NAME.weights, and from a folder or a CSV, which
   have no .data file, NAME.data and NAME.names, too, as from a .data file where they are there from
   an earlier run; NAME.onnx where it is asked for. */
#ifndef META_ADAPT_FILES_H
#define META_ADAPT_FILES_H

#include "base/lock.h"
#include "tasks/data_file.h"
#include "tasks/dataset.h"

struct meta_adapt_files {
    int named, onnx; /* whether NAME.data and NAME.names, and NAME.onnx, are written */
};
/* Whether NAME.data is of an earlier run, and `data`, which is adapted to, another file. */
int meta_adapt_files_named(const char *name, const char *data);
/* Refuses names that can't be written, to overwrite the .cfg and .weights that are adapted, and
   files that are not of `meta adapt`. */
int meta_adapt_files_check(const char *name, const char *cfg, const char *weights,
                           const struct meta_adapt_files *, struct meta_error *);
/* NAME.onnx, for which the caller asks; it frees. NULL with a message: no memory. */
char *meta_adapt_files_onnx(const char *name, struct meta_error *);
/* Keeps others from writing the files until the lock is released, and removes what a run that was
   killed has left. */
int meta_adapt_files_lock(struct meta_lock *, const char *name, struct meta_error *);
/* Begins NAME.names and NAME.data (base/file.h), whose decode= is that of the data, and so is
   range=, or it says how the images of the set were taken, that were adapted to. The caller ends
   both or drops both. */
struct meta_new_file;
int meta_adapt_files_names(struct meta_new_file *files[2], const char *name,
                           const struct meta_data *, const struct meta_dataset *,
                           struct meta_error *);
/* Warns of a NAME.onnx that was not written anew. */
void meta_adapt_files_warn(const char *name);

#endif
