/* What libdarknet-meta-onnx.so exports: a model of ONNX, built node by node with the library
   onnx. */
#ifndef META_ONNX_PART_H
#define META_ONNX_PART_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A tensor's name and its dimensions; -1 is the number of images. */
struct meta_onnx_tensor {
    const char *name;
    const int64_t *dimensions; /* (count) */
    int count;
};

enum meta_onnx_role { META_ONNX_INPUT, META_ONNX_OUTPUT, META_ONNX_BETWEEN };

struct meta_onnx_model;

/* Functions that add something tell of no failure; `finish` does. Names and numbers are copied. */
struct meta_onnx_part {
    size_t size; /* sizeof(struct meta_onnx_part) */
    /* A model without nodes, of a program of that version. NULL: no memory. */
    struct meta_onnx_model *(*create)(const char *version, const char *description);
    void (*destroy)(struct meta_onnx_model *);
    /* A line of the model's metadata. */
    void (*note)(struct meta_onnx_model *, const char *key, const char *value);
    /* The dimensions of a tensor that is computed or given; inference must find the same. */
    void (*declare)(struct meta_onnx_model *, enum meta_onnx_role, struct meta_onnx_tensor);
    /* Constants: numbers of single precision, or whole numbers in a row. */
    void (*reals)(struct meta_onnx_model *, struct meta_onnx_tensor, const float *values);
    void (*wholes)(struct meta_onnx_model *, const char *name, const int64_t *values, int count);
    /* A node, which bears the name of its output; then inputs and attributes of that node. */
    void (*node)(struct meta_onnx_model *, const char *operation, const char *output);
    void (*input)(struct meta_onnx_model *, const char *name);
    void (*ints)(struct meta_onnx_model *, const char *attribute, const int64_t *values, int count);
    void (*integer)(struct meta_onnx_model *, const char *attribute, int64_t value);
    void (*real)(struct meta_onnx_model *, const char *attribute, float value);
    /* The bytes of the file, after onnx's checker and its inference of types and dimensions have
       found nothing wrong. The caller frees *bytes. */
    int (*finish)(struct meta_onnx_model *, char **bytes, size_t *size, struct meta_error *);
};

#define META_ONNX_PART "meta_onnx_part"
extern const struct meta_onnx_part meta_onnx_part __attribute__((visibility("default")));

#ifdef __cplusplus
}
#endif

#endif
