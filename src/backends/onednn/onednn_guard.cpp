/* The calls of oneDNN that must not end the process: no exception leaves this file. */
#include "onednn_guard.h"
#include "base/reserve.h"

#include <cstdlib>
#include <execinfo.h>
#include <memory>
#include <mutex>

/* What is free before primitives are made where there is no reserve. The largest that oneDNN makes
   generates less than a megabyte of code; the rest is for what other threads take meanwhile. */
static const size_t room = static_cast<size_t>(16) << 20;

static thread_local dnnl_status_t failure = dnnl_success;

static dnnl_status_t checked(dnnl_status_t status)
{
    return meta_reserve_used() ? dnnl_out_of_memory : status;
}

static void note(dnnl_status_t status)
{
    if (failure == dnnl_success) failure = checked(status);
}

void meta_onednn_execute(dnnl_primitive_t primitive, dnnl_stream_t stream, int count,
                         const dnnl_exec_arg_t *args)
try {
    note(dnnl_primitive_execute(primitive, stream, count, args));
} catch (...) {
    note(dnnl_out_of_memory);
}

void meta_onednn_sgemm(char transa, char transb, dnnl_dim_t m, dnnl_dim_t n, dnnl_dim_t k,
                       float alpha, const float *a, dnnl_dim_t lda, const float *b, dnnl_dim_t ldb,
                       float beta, float *c, dnnl_dim_t ldc)
try {
    note(dnnl_sgemm(transa, transb, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc));
} catch (...) {
    note(dnnl_out_of_memory);
}

int meta_onednn_failed(struct meta_error *error)
{
    const dnnl_status_t status = failure;
    failure = dnnl_success;
    if (status == dnnl_success) return 0;
    if (status == dnnl_out_of_memory) return meta_fail_memory(error);
    return meta_fail(error, "oneDNN fails (status %d)", static_cast<int>(status));
}

/* An exception of oneDNN's may pass through libc's pthread_once, and libc loads what it needs for
   that then, or ends the process: better now. */
static int loads_unwinder()
{
    void *here;
    return backtrace(&here, 1) > 0;
}

int meta_onednn_make(int (*make)(void *, struct meta_error *), void *context,
                     struct meta_error *error)
try {
    static std::recursive_mutex one; /* or the looks of two threads find the same memory */
    std::unique_lock<std::recursive_mutex> lock(one, std::defer_lock);
    std::unique_ptr<void, void (*)(void *)> small(nullptr, std::free);
    if (!meta_reserve_kept()) {
        lock.lock();
        small.reset(meta_reserve_small());
        if (!small || !loads_unwinder() || !meta_reserve_room(room)) return meta_fail_memory(error);
    }
    if (make(context, error)) return -1;
    return meta_reserve_used() ? meta_fail_memory(error) : 0;
} catch (...) {
    return meta_fail_memory(error);
}

/* A product of one number goes by the code of vectors, one of two columns by the code for matrices
   that are not copied: each is generated at its first use. */
static int first_products(void *, struct meta_error *error)
{
    const float x[4] = { 0, 0, 0, 0 };
    float y[4];
    for (int n = 1; n <= 2; n++) {
        meta_onednn_sgemm('N', 'N', n, n, n, 1, x, n, x, n, 0, y, n);
        meta_onednn_sgemm('N', 'T', n, n, n, 1, x, n, x, n, 0, y, n);
        meta_onednn_sgemm('T', 'N', n, n, n, 1, x, n, x, n, 0, y, n);
    }
    return meta_onednn_failed(error);
}

int meta_onednn_make_products(struct meta_error *error)
{
    return meta_onednn_make(first_products, nullptr, error);
}
