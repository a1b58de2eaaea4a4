/* What the verbs that write files of ONNX share. */
#ifndef META_ONNX_FILE_H
#define META_ONNX_FILE_H

#include "network/filled.h"
#include "tasks/data_file.h"

/* The help of a flag that writes such a file. */
#define META_ONNX_HELP "for OpenCV 5, onnxruntime and others; by libdarknet-meta-onnx.so"

/* Begins the file (base/file.h), which the caller ends or drops, of a classifier with the names of
   its classes, or without (NULL). description: for people, one or more lines. */
struct meta_new_file;
int meta_begin_onnx(struct meta_new_file **, const struct meta_filled *, const struct meta_data *,
                    const char *description, const char *path, struct meta_error *);

#endif
