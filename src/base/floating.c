/* Sets the floating-point mode. Loading libdarknet.so sets FTZ and DAZ in the thread that loads it,
   since Darknet is compiled with -Ofast. The program opens that library only where it needs it, and
   results must not depend on when: main() sets both before anything is computed or started. */
#include "floating.h"

#include <pmmintrin.h>

void meta_floating_flush(void)
{
    _MM_SET_FLUSH_ZERO_MODE(_MM_FLUSH_ZERO_ON);
    _MM_SET_DENORMALS_ZERO_MODE(_MM_DENORMALS_ZERO_ON);
}
