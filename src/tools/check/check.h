/* A network's derivatives, checked on random data in double, on the reference backend. Each check
   reports identities: two ways to the same numbers, and how far apart they came out. */
#ifndef META_CHECK_H
#define META_CHECK_H

#include "engine/backend.h"
#include "config/model.h"

struct meta_identity {
    int layer;           /* index in the .cfg, from 0; -1: the whole network */
    const char *type;    /* of the layer; "network", "meta_loss"... */
    const char *text;    /* "u.Hv = v.Hu" */
    double error, limit; /* relative; it holds when error <= limit; NaN does not */
};

struct meta_check {
    const struct meta_model *model;
    uint64_t seed;
    void (*report)(void *context, const struct meta_identity *);
    void *context;
};

/* Every operation of the compiled network by itself: its four functions against each other and
   against differences. */
int meta_check_operations(const struct meta_check *, struct meta_error *);
/* The gradient against differences of the loss, the Hessian's symmetry, H v against differences of
   the gradient. */
int meta_check_network(const struct meta_check *, struct meta_error *);
/* [meta_loss]'s weight against differences of its value; the meta-gradient through at most two
   inner steps (a third repeats the second) against differences of the meta-loss, or under order=1
   against its definition. */
int meta_check_task(const struct meta_check *, struct meta_error *);
/* Each plugin's layer that can be exported against the sections that it is exported as
   (stock_form.h), by itself, on random input. */
int meta_check_stock(const struct meta_check *, struct meta_error *);
/* Another backend against the reference on the same data: loss, outputs, gradient, H v. */
int meta_check_backend(const struct meta_check *, const struct meta_backend *, struct meta_error *);

/* ---- what they share ------------------------------------------------------------------------- */

/* What random numbers are for: no two checks draw the same. */
enum meta_check_stream {
    META_CHECK_PARAMETERS,
    META_CHECK_IMAGES,
    META_CHECK_OPERATION,
    META_CHECK_NETWORK,
    META_CHECK_TASK,
    META_CHECK_STOCK
};

/* Draws n independent normal numbers, which depend on (seed, stream, item) alone. */
void meta_check_normal(const struct meta_check *, enum meta_check_stream, int item, double *x,
                       size_t n);
/* Fills parameters (network->parameters) with Darknet's initial weights, biases and scales moved
   off 0 and 1. */
int meta_check_parameters(const struct meta_check *, int item, double *parameters,
                          struct meta_error *);
/* Makes `count` images, (count, c, h, w) in [0,1], and their labels, 0, 1, ... in turn. The caller
   frees both, also after a failure. */
int meta_check_images(const struct meta_check *, int item, int count, float **images, int **labels,
                      struct meta_error *);
/* The number of images of a check: enough for batch statistics and for every class. */
int meta_check_batch(const struct meta_check *);
/* The number of support images that stand before them where a network pairs, else 0. */
int meta_check_support(const struct meta_check *);
/* Whether every layer has its tangents. A plugin layer may have none, under order=1; a network that
   pairs has none. */
int meta_check_has_tangents(const struct meta_check *);

/* ||a - b|| over the larger norm; 0 when both are 0. */
double meta_check_distance(const double *a, const double *b, size_t n);

/* How far `exact` (n) is from central differences of f along a direction, f(context, t, out) being
   f at t along it, out (n). A kink that lies between the two points spoils a difference, and the
   smaller the step the fewer do: steps from 1e-5 to 1e-8 are tried until one agrees within `limit`.
   A wrong derivative agrees with none. `scratch` is (2, n). */
double meta_check_differences(void (*f)(void *context, double t, double *out), void *context,
                              const double *exact, size_t n, double limit, double *scratch);

#endif
