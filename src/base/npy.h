/* NumPy's files (.npy, format version 1.0) of float32 in C order. */
#ifndef META_NPY_H
#define META_NPY_H

#include "file.h"

/* Begins a file (file.h) whose numbers are `rows` times `columns`; what is put into it then are
   these numbers, row by row. */
int meta_npy_begin(struct meta_new_file **, const char *path, size_t rows, size_t columns,
                   struct meta_error *);

#endif
