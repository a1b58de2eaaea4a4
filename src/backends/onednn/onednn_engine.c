/* The one CPU engine of the oneDNN backend, the instructions that META_MAX_ISA leaves it, and the
   block that its layout then has on this processor. */
#include "onednn_engine.h"
#include "onednn_guard.h"

#include <omp.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static dnnl_engine_t engine;
int meta_onednn_shift = 3;

dnnl_engine_t meta_onednn_engine(void) { return engine; }

/* Whether the environment leaves oneDNN no more than that: SSE4.1, AVX or AVX2. Of its own two
   variables it reads the first that says something. */
static int is_held(dnnl_cpu_isa_t most)
{
    static const struct {
        const char *name;
        dnnl_cpu_isa_t isa;
    } names[] = { { "SSE41", dnnl_cpu_isa_sse41 },
                  { "AVX", dnnl_cpu_isa_avx },
                  { "AVX2", dnnl_cpu_isa_avx2 } };
    const char *value = getenv("ONEDNN_MAX_CPU_ISA");
    if (!value || !*value) value = getenv("DNNL_MAX_CPU_ISA");
    for (size_t i = 0; value && i < sizeof names / sizeof *names; i++)
        if (!strcasecmp(value, names[i].name)) return names[i].isa <= most;
    return 0;
}

/* Holds oneDNN to META_MAX_ISA, which works before its first call in a process alone. */
static int hold_instructions(struct meta_error *error)
{
    static const struct {
        const char *name, *theirs;
        dnnl_cpu_isa_t isa;
    } limits[] = { { "base", "SSE41", dnnl_cpu_isa_sse41 }, { "avx2", "AVX2", dnnl_cpu_isa_avx2 } };
    int level = meta_fused_limit();
    if (level >= (int)(sizeof limits / sizeof *limits)) return 0;
    if (!is_held(limits[level].isa)) dnnl_set_max_cpu_isa(limits[level].isa);
    if (!(dnnl_get_effective_cpu_isa() & ~(unsigned)limits[level].isa)) return 0;
    return meta_fail(error,
                     "META_MAX_ISA=%s: oneDNN has begun in this process with larger instructions: "
                     "set DNNL_MAX_CPU_ISA=%s, too, or unset META_MAX_ISA",
                     limits[level].name, limits[level].theirs);
}

static int make_engine(void *unused, struct meta_error *error)
{
    if (hold_instructions(error)) return -1;
    dnnl_cpu_isa_t isa = dnnl_get_effective_cpu_isa();
    if ((isa & dnnl_cpu_isa_avx512_core) == dnnl_cpu_isa_avx512_core) meta_onednn_shift = 4;
    if (dnnl_engine_create(&engine, dnnl_cpu, 0) == dnnl_success) return 0;
    engine = NULL;
    return meta_fail(error, "oneDNN has no CPU engine here");
}

static int limit_threads(void *unused, struct meta_error *error)
{
    omp_set_num_threads(1);
    return 0;
}

/* A primitive is made for as many threads as its maker may use, so that the limit to one thread
   must come before the first primitive. OpenMP's library takes a few bytes for the first limit of
   a thread, and ends the process where it finds none. */
int meta_onednn_open(struct meta_error *error)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    static _Thread_local int limited;
    if (!limited && meta_onednn_make(limit_threads, NULL, error)) return -1;
    limited = 1;
    omp_set_num_threads(1);
    pthread_mutex_lock(&lock);
    int status = engine ? 0 : meta_onednn_make(make_engine, NULL, error);
    pthread_mutex_unlock(&lock);
    return status;
}

void meta_onednn_zero_padding(float *tensor, int batch, struct meta_shape shape)
{
    size_t block = (size_t)1 << meta_onednn_shift, P = (size_t)shape.h * shape.w;
    size_t used = shape.c & (block - 1), last = (meta_onednn_padded(shape.c) - block) * P;
    if (!tensor || !used || meta_onednn_planar(shape.c)) return;
    for (int b = 0; b < batch; b++)
        for (size_t p = 0; p < P; p++)
            memset(tensor + b * meta_onednn_image(shape) + last + p * block + used, 0,
                   (block - used) * sizeof *tensor);
}

const struct meta_fused *meta_onednn_sweeps(void)
{
    return meta_onednn_shift == 4 ? &meta_fused()->lanes16 : &meta_fused()->lanes8;
}
