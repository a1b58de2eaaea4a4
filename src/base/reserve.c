/* The memory that the program keeps back, and a look at what can be had. */
#include "reserve.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>

/* What oneDNN takes in one call is less, but for buffers, of which it looks whether it has them. */
#define RESERVE ((size_t)16 << 20)

enum { NONE, KEPT, USED };

static void *kept;
static atomic_int state = NONE;

static void *take(size_t bytes)
{
    void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return p == MAP_FAILED ? NULL : p;
}

void meta_reserve_open(void)
{
    if (atomic_load(&state) == NONE && (kept = take(RESERVE))) atomic_store(&state, KEPT);
}

int meta_reserve_release(void)
{
    int expected = KEPT;
    return atomic_compare_exchange_strong(&state, &expected, USED) && !munmap(kept, RESERVE);
}

int meta_reserve_kept(void) { return atomic_load_explicit(&state, memory_order_relaxed) == KEPT; }

int meta_reserve_used(void) { return atomic_load_explicit(&state, memory_order_relaxed) == USED; }

int meta_reserve_room(size_t bytes)
{
    void *p = take(bytes);
    return p && !munmap(p, bytes);
}

/* Below the size from which on malloc maps a block of its own. */
#define BLOCK ((size_t)100 << 10)
#define BLOCKS 20

/* What is freed below a block that is in use stays in the heap; the last block lies highest. */
void *meta_reserve_small(void)
{
    void *block[BLOCKS], *last = NULL;
    int n = 0;
    while (n < BLOCKS && (block[n] = malloc(BLOCK))) n++;
    if (n == BLOCKS) last = block[--n];
    while (n) free(block[--n]);
    return last;
}
