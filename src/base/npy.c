/* Writes the head of NumPy's files, as numpy.lib.format describes it. */
#include "npy.h"

#include <stdio.h>
#include <string.h>

/* The head ends at a multiple of so many bytes, so that the numbers are aligned when the file is
   mapped. */
enum { ALIGNED = 64, MOST = 4 * ALIGNED };

int meta_npy_begin(struct meta_new_file **out, const char *path, size_t rows, size_t columns,
                   struct meta_error *error)
{
    const union {
        unsigned short number;
        char bytes[2];
    } order = { 1 };
    char head[MOST] = "\x93NUMPY\x01";
    const int fixed = 10; /* the magic bytes, the version 1.0, and the length of the rest */
    int n = fixed
        + snprintf(head + fixed, sizeof head - fixed,
                   "{'descr': '%cf4', 'fortran_order': False, 'shape': (%zu, %zu), }",
                   order.bytes[0] ? '<' : '>', rows, columns);
    int size = (n + 1 + ALIGNED - 1) / ALIGNED * ALIGNED;
    memset(head + n, ' ', (size_t)(size - n));
    head[size - 1] = '\n';
    head[8] = (char)((size - fixed) & 255);
    head[9] = (char)((size - fixed) >> 8);
    return meta_new_file_of(out, path, &(struct meta_chunk){ head, (size_t)size }, 1, error);
}
