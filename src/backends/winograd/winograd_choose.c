/* Which set of Winograd kernels this process uses. */
#include "winograd_kernels.h"
#include "backends/fused/fused_kernels.h"

const struct meta_winograd_set *meta_winograd_kernels(void)
{
    const struct meta_fused_set *fused = meta_fused();
    return fused == &meta_fused_avx512 ? &meta_winograd_avx512
        : fused == &meta_fused_avx2    ? &meta_winograd_avx2
                                       : NULL;
}
