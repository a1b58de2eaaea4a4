/* What a network's passes cost in arithmetic, counted from its description.

   A convolution or connected layer of M multiply-adds an image (a tap of a direct convolution
   counts where it falls on the image, not on the padding) costs 2M floating-point operations for
   each of the products that a pass can't do without:

       forward              y = W x                                                    1
       backward             Wbar = ybar x', and xbar = W' ybar where x is active       1 or 2
       forward tangent      ydot = Wdot x + W xdot, xdot = 0 where x is not active     1 or 2
       backward tangent     Wbardot = ybardot x' + ybar xdot',
                            xbardot = W' ybardot + Wdot' ybar where x is active        1 or 4

   x is active when it depends on a parameter; the images do not. Everything else (normalisation,
   activations, pools, the optimiser) counts as nothing, and an algorithm that needs fewer
   multiplications, such as Winograd's, counts as a direct one. */
#ifndef META_FLOPS_H
#define META_FLOPS_H

#include "inner_loop.h"

/* Floating-point operations of one image; for a network that pairs, the mean over the images of a
   task. */
struct meta_flops {
    int layers;
    int frozen;                       /* layers whose gradient no step needs: those below a head
                                         that moves alone */
    int common;                       /* whether steps have one pass of these in common: they draw
                                         no dropout, or right before the head alone */
    int pairs;                        /* whether the network pairs: support images take part
                                         in the pass of the query images */
    double (*layer)[META_PASS_COUNT]; /* (layers) */
    double pass[META_PASS_COUNT];     /* of the whole network */
};

/* Of `inner` it takes how much of the network the steps move, and the numbers of images, which
   matter to a network that pairs alone. The caller clears. */
int meta_flops_count(struct meta_flops *, const struct meta_network *, const struct meta_inner *,
                     struct meta_error *);
void meta_flops_clear(struct meta_flops *);

double meta_flops_gradient(const struct meta_flops *); /* forward and backward, one image */
double meta_flops_product(const struct meta_flops *);  /* the two tangent passes alone, one image */
/* So many inner steps below order 2, one image. Layers that stand still have no gradient, and are
   passed once for all steps where these have that in common. */
double meta_flops_steps(const struct meta_flops *, int steps);
/* One whole task: what each step computes of its gradient, the gradient of the query set, and with
   order 2 the product of each step; of Reptile a forward of the query set in place of its gradient.
   Layers that the steps have in common have one backward in place of products.
   What is computed again because of `keep` or memory that is shared, and the query set after
   earlier steps (`multi_step`), do not count. */
double meta_flops_task(const struct meta_flops *, const struct meta_inner *);

#endif
