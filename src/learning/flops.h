/* What a network's passes cost in arithmetic, counted from its description.

   A convolution or connected layer of M multiply-adds an image (a tap of a direct convolution counts where it falls on the image, not
   on the padding) costs 2M floating-point operations for each of the products that a pass can't do without:

       forward              y = W x                                                    1
       backward             Wbar = ybar x', and xbar = W' ybar where x is active       1 or 2
       forward tangent      ydot = Wdot x + W xdot, xdot = 0 where x is not active     1 or 2
       backward tangent     Wbardot = ybardot x' + ybar xdot',
                            xbardot = W' ybardot + Wdot' ybar where x is active        1 or 4

   x is active when it depends on a parameter: the images do not. Everything else (normalisation, activations, pools, the optimiser) is
   counted as nothing, and an algorithm that does with fewer multiplications, as Winograd's, is still counted as direct. */
#ifndef META_FLOPS_H
#define META_FLOPS_H

#include "inner_loop.h"

/* Floating-point operations of one image; of a network that pairs, the average of a task's images. */
struct meta_flops {
    int layers;
    int pairs;                             /* of a network that pairs: support images take part in the query's pass */
    double (*layer)[META_PASS_COUNT];      /* (layers) */
    double pass[META_PASS_COUNT];          /* of the whole network */
};

/* support, query: images of a task, which only matter to a network that pairs. The caller frees with meta_flops_clear. */
int  meta_flops_count(struct meta_flops *, const struct meta_network *, int support, int query, struct meta_error *);
void meta_flops_clear(struct meta_flops *);

double meta_flops_gradient(const struct meta_flops *);    /* forward and backward, one image */
double meta_flops_product(const struct meta_flops *);     /* the two tangent passes alone, one image */
/* One whole task: the gradient of each step, that of the query set, and under order 2 the product of each step. What `keep` makes
   the program compute again is not counted. */
double meta_flops_task(const struct meta_flops *, const struct meta_inner *);

#endif
