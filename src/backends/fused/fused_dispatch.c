/* Which set of sweeps this process uses. */
#include "fused_kernels.h"

#include <pthread.h>
#include <stdlib.h>
#include <strings.h>

static const struct meta_fused_set *chosen;

/* The level that the environment's variable names, in our words or in oneDNN's for what lies below
   AVX-512; without a name we know, the fallback. */
static int allowed(const char *variable, int fallback)
{
    static const struct {
        const char *name;
        int level;
    } names[] = { { "base", 0 }, { "SSE41", 0 },     { "AVX", 0 },
                  { "avx2", 1 }, { "AVX2_VNNI", 1 }, { "avx512", 2 } };
    const char *value = getenv(variable);
    for (size_t i = 0; value && i < sizeof names / sizeof *names; i++)
        if (!strcasecmp(value, names[i].name)) return names[i].level;
    return fallback;
}

int meta_fused_limit(void) { return allowed("META_MAX_ISA", 2); }

static void choose(void)
{
    int most = 0, limit = allowed("META_MAX_ISA", allowed("DNNL_MAX_CPU_ISA", 2));
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) most = 1;
    if (most && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw")
        && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq"))
        most = 2;
    if (limit < most) most = limit;
    chosen = most == 2 ? &meta_fused_avx512 : most == 1 ? &meta_fused_avx2 : &meta_fused_base;
}

const struct meta_fused_set *meta_fused(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, choose);
    return chosen;
}
