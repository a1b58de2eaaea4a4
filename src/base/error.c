/* Notes refused memory, so that the program can't end as if nothing had been. */
#include "error.h"

#include <stdatomic.h>

static atomic_bool refused;

int meta_fail_memory(struct meta_error *error)
{
    refused = 1;
    return meta_fail(error, "out of memory");
}

int meta_fail_memory_for(struct meta_error *error, const char *what)
{
    refused = 1;
    return meta_fail(error, "%s: out of memory", what);
}

int meta_memory_refused(void) { return refused; }
