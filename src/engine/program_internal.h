/* What is inside a program: for program.c, and for the checks that look at single operations. */
#ifndef META_PROGRAM_INTERNAL_H
#define META_PROGRAM_INTERNAL_H

#include "lower.h"
#include "program.h"

struct meta_program {
    const struct meta_network *network;
    const struct meta_backend *backend;
    int batch;                         /* images */
    int support;                       /* the first of them, of a network that pairs; else 0 */
    enum meta_passes passes;
    struct meta_lowered low;
    struct meta_planes *planes;        /* (tensor_count) where each tensor lives; NULL: it has no such plane */
    char *again;                       /* (op_count) a product runs this operation's backward again: see program_memory.c */
    char **accumulate;                 /* (op_count, inputs) this input's adjoint already holds a part: add to it */
    void *scratch;                     /* what an op writes that is then added */
    void *arena;
    void *workspace;                   /* where the operations' passes work; NULL: the owner of the shared memory gives it */
    size_t workspace_bytes;
    size_t bytes;
    int *labels;                       /* (batch) */
    float **masks;                     /* (op_count) dropout factors, planar, or NULL */
    int created;                       /* operations whose kernels were created */
    double *seconds;                   /* (op_count, META_PASS_COUNT), the caller's; NULL: nobody times this program */
};

#define META_PAGE 4096    /* no two tensors share one, and all start on a cache line */

/* Allocates p's planes, but for what lies in the shared memory; without that the program has it too. p's other members are set. */
int meta_program_place(struct meta_program *, char *shared, struct meta_error *);

#endif
