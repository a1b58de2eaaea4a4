/* The files that `meta adapt` writes: NAME.cfg and NAME.weights, and from a folder or a CSV, which
   have no .data file, NAME.data and NAME.names, too; NAME.onnx where it is asked for. */
#ifndef META_ADAPT_FILES_H
#define META_ADAPT_FILES_H

#include "base/lock.h"
#include "tasks/data_file.h"

/* Refuses names that can't be written, to overwrite the .cfg and .weights that are adapted, and,
   with `named`, a NAME.data or NAME.names that is not of `meta adapt`. */
int meta_adapt_files_check(const char *name, const char *cfg, const char *weights, int named,
                           struct meta_error *);
/* NAME.onnx, for which the caller asks; it frees. NULL with a message: no memory. */
char *meta_adapt_files_onnx(const char *name, struct meta_error *);
/* Keeps others from writing the files until the lock is released, and removes what a run that was
   killed has left. */
int meta_adapt_files_lock(struct meta_lock *, const char *name, struct meta_error *);
/* Writes NAME.names, then NAME.data. */
int meta_adapt_files_names(const char *name, const struct meta_data *, struct meta_error *);

#endif
