/* How long convolutions of every number of channels and size take, beside the next multiple of 16
   channels and stock libdarknet. A count of channels that a backend has no fast way for stands out
   there. */
#ifndef META_SWEEP_H
#define META_SWEEP_H

#include "engine/backend.h"

struct meta_sweep_plan {
    const struct meta_backend *backend;
    int least_channels, most_channels; /* 1 or more */
    int least_size, most_size;         /* of kernels, 1 or more */
    double seconds;                    /* for which each shape is timed */
};

/* What is swept: C stands for the channels. Maps are META_SWEEP_SIDE pixels a side, and padding is
   half the size. */
enum meta_sweep_family {
    META_SWEEP_BOTH,   /* C to C */
    META_SWEEP_IN,     /* C to 32 */
    META_SWEEP_OUT,    /* 32 to C */
    META_SWEEP_GRAY,   /* an image's 1 to C: no adjoint of the input */
    META_SWEEP_COLOUR, /* an image's 3 to C */
    META_SWEEP_FAMILIES
};
#define META_SWEEP_SIDE 14

struct meta_sweep_shape {
    enum meta_sweep_family family;
    int channels, size;
};

static inline int meta_sweep_in(struct meta_sweep_shape s)
{
    return s.family == META_SWEEP_OUT   ? 32
        : s.family == META_SWEEP_GRAY   ? 1
        : s.family == META_SWEEP_COLOUR ? 3
                                        : s.channels;
}

static inline int meta_sweep_out(struct meta_sweep_shape s)
{
    return s.family == META_SWEEP_IN ? 32 : s.channels;
}

/* Whether it is a first layer, whose input has no adjoint. */
static inline int meta_sweep_is_first(struct meta_sweep_shape s)
{
    return s.family == META_SWEEP_GRAY || s.family == META_SWEEP_COLOUR;
}

/* Seconds of processor time of one image on one thread, the least of several rounds. */
struct meta_sweep_row {
    struct meta_sweep_shape shape;
    double gradient, product; /* forward and backward; the two tangents */
    double stock;             /* forward and backward in stock libdarknet */
    double ratio;             /* to the shape with the next multiple of 16 channels: the larger of
                                 the gradient's and the product's; 1 for a multiple */
    const char *slow;         /* name of a reference implementation that it was left to, or NULL */
};

struct meta_sweep {
    const struct meta_sweep_plan *plan;
    void (*timed)(const struct meta_sweep *, enum meta_sweep_family); /* after each family */
    int rows;
    struct meta_sweep_row *row; /* (rows): by family, then size, then channels */
};

/* Times everything. The caller sets plan and timed, zeroes the rest, and clears the sweep, also
   after a failure. Forks: to be called while this process has no other threads. */
int meta_sweep_run(struct meta_sweep *, struct meta_error *);
void meta_sweep_clear(struct meta_sweep *);

const struct meta_sweep_row *meta_sweep_find(const struct meta_sweep *, struct meta_sweep_shape);
/* The row with the largest ratio, and the one that is the fewest times as fast as stock. */
const struct meta_sweep_row *meta_sweep_worst(const struct meta_sweep *);
const struct meta_sweep_row *meta_sweep_worst_of_stock(const struct meta_sweep *);

/* Writes all of it as JSON to the file `path`, whole or not at all. */
int meta_sweep_write(const struct meta_sweep *, const char *path, struct meta_error *);

/* For meta_child_start: forward and backward of one shape after the other in stock libdarknet, an
   image at a time. The question begins zeroed but for the shapes. numbers: seconds of processor
   time of an image. */
struct meta_sweep_question {
    const struct meta_sweep_row *row;
    int next;
};
int meta_sweep_serve(void *question, double *numbers, struct meta_error *);

#endif
