/* The members of a program, for the files of this folder. */
#ifndef META_PROGRAM_INTERNAL_H
#define META_PROGRAM_INTERNAL_H

#include "lower.h"
#include "program.h"

struct meta_program {
    const struct meta_network *network;
    const struct meta_backend *backend;
    int batch;   /* images in all */
    int support; /* of a network that pairs, the first images; else 0 */
    enum meta_passes passes;
    struct meta_lowered low;
    /* (tensor_count) where each tensor lies; NULL: it has no such plane */
    struct meta_planes *planes;
    /* (op_count) 1: a product runs this operation's backward again (program_memory.c) */
    char *again;
    char **accumulate; /* (op_count, inputs) 1: this input's adjoint holds a part already, to which
                          the operation's is added */
    void **sums;       /* (tensor_count) of what products are by what the body hands on, the size of
                          a tensor; NULL where it does not */
    void *scratch;     /* a plane for what an operation writes and the program then adds */
    void *arena;
    void *workspace; /* the operations' workspace; NULL: the owner of the shared memory gives it */
    size_t workspace_bytes;
    size_t bytes;
    unsigned loads;           /* of images so far; never 0 after the first */
    int *labels;              /* (batch) */
    float **masks;            /* (op_count) dropout factors, planar, or NULL */
    double *argument;         /* (pairs) of the last logistic function of a network that pairs */
    void *theta, *v, *untied; /* (low.tie->full->parameters) backend vectors of a network that ties
                                 parameters: those of a pass, a tangent and what comes out; else
                                 NULL */
    int created;              /* the number of operations whose kernels were created */
    double *seconds; /* (op_count, META_PASS_COUNT) the caller's; NULL: passes are not timed */
    int failed;      /* whether a pass failed, and why */
    struct meta_error failure;
};

/* What operations are given for a tangent of the caller's. */
const void *meta_program_along(struct meta_program *, const void *v);
/* Runs the backward of the operations before `index`, whose own is done, down to `first`. */
void meta_program_back(struct meta_program *, int index, int first, const void *theta, void *out);
/* The sums of the body: memory for them; before a product, whose tangent of what the body hands on
   is 0; after it; and as the adjoints of what the body hands on, with which they begin anew. */
int meta_program_allocate_sums(struct meta_program *, struct meta_error *);
void meta_program_free_sums(struct meta_program *);
void meta_program_begin_product(struct meta_program *);
void meta_program_add_to_sums(struct meta_program *);
void meta_program_take_sums(struct meta_program *);
/* At the end of each pass. */
void meta_program_note_failure(struct meta_program *);
/* Brings what operations have written to the caller's vector. */
void meta_program_tie(struct meta_program *, void *gradient);
int meta_program_allocate_untied(struct meta_program *, struct meta_error *);

#define META_PAGE 4096 /* no two tensors share a page, so that all start on a cache line */

/* Allocates p's planes; without `shared` those of the shared region as well. The members of p that
   lowering sets must be set. */
int meta_program_place(struct meta_program *, char *shared, struct meta_error *);

#endif
