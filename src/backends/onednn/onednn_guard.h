/* oneDNN's calls, with what can go wrong in them. Its functions in C throw std::bad_alloc, and of
   its own small allocations it does not see that they failed: it then ends by SIGSEGV. So each call
   is made where an exception is caught; before primitives are made there is a look whether memory
   can be had; and a program that keeps a reserve (base/reserve.h) is asked whether it was needed.

   Kernels return nothing. What went wrong in one is kept for its thread, as errno is, until
   meta_onednn_failed is asked. */
#ifndef META_ONEDNN_GUARD_H
#define META_ONEDNN_GUARD_H

#include <oneapi/dnnl/dnnl.h>
#include "base/error.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Runs a primitive. */
void meta_onednn_execute(dnnl_primitive_t, dnnl_stream_t, int count, const dnnl_exec_arg_t *args);
/* c = alpha a b + beta c, as dnnl_sgemm. */
void meta_onednn_sgemm(char transa, char transb, dnnl_dim_t m, dnnl_dim_t n, dnnl_dim_t k,
                       float alpha, const float *a, dnnl_dim_t lda, const float *b, dnnl_dim_t ldb,
                       float beta, float *c, dnnl_dim_t ldc);
/* What went wrong on this thread in the two above since it was last asked: 0, or -1 with a
   message. */
int meta_onednn_failed(struct meta_error *);

/* Calls make(context), which makes primitives and returns 0 or -1 with a message. -1, too, when
   there is no memory, or was none in a part of it. */
int meta_onednn_make(int (*make)(void *context, struct meta_error *), void *context,
                     struct meta_error *);
/* The first products of a process generate the code of all of them, which is where oneDNN does not
   see that it has no memory: better when an operation is created than in a pass. */
int meta_onednn_make_products(struct meta_error *);

#ifdef __cplusplus
}
#endif

#endif
