/* A network as a file of ONNX, which OpenCV, onnxruntime and many other programs read. The library
   onnx is in a shared object of its own, which is opened by what first needs it. */
#ifndef META_ONNX_H
#define META_ONNX_H

#include "network/filled.h"

struct meta_onnx_about {
    const char *version;     /* of this program */
    const char *description; /* for people: one or more lines, or NULL */
    char *const *names;      /* (names_count) of the classes, or NULL */
    int names_count;         /* the network's outputs */
};

/* Fails where files can't be written since libdarknet-meta-onnx.so is not there, or a library that
   it needs is not. */
int meta_onnx_check(struct meta_error *);

/* Fails where the network of the file `path` can't be written as ONNX: it has a plugin's layer. */
int meta_onnx_check_network(const struct meta_network *, const char *path, struct meta_error *);

/* Begins such a network's file (base/file.h), once onnx's checker has taken it: the caller ends
   *file or drops it; NULL after a failure. Opset 10. The input is "data", float (batch, c, h, w),
   RGB from 0 to 1; the output is "probabilities", float (batch, classes). Normalisation by the
   statistics is folded into weights and biases. The metadata has `names`, as a names file has them:
   a line a class. */
struct meta_new_file;
int meta_onnx_begin(struct meta_new_file **file, const struct meta_filled *,
                    const struct meta_onnx_about *, const char *path, struct meta_error *);

#endif
