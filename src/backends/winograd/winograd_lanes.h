/* Vectors of LANES numbers: one pixel's channels of a block. winograd_kernels.c includes this file
   once for 8 and once for 16. */
#define PASTE_(name, lanes) name##lanes
#define PASTE(name, lanes) PASTE_(name, lanes)
#define N(name) PASTE(name##_, LANES)

typedef float N(V) __attribute__((vector_size(4 * LANES), aligned(4), may_alias));
#define V N(V)
#define AT(p) (*(const V *)(p))
#define PUT(p) (*(V *)(p))
#define FILL(f) ((f) - (V){ 0 })

#include "winograd_product.h"

#define TILE 4
#include "winograd_transforms.h"
#undef TILE
#define TILE 6
#include "winograd_transforms.h"
#undef TILE

#undef N
#undef V
