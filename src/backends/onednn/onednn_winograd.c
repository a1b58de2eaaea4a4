/* 3x3 convolutions of stride 1 by Winograd's tiles (backends/winograd/winograd_kernels.h has the
   formulas). A batch goes through in groups of whole images, and a group in blocks of tiles that
   are small enough to stay in the caches between the transforms and the products.

   Within a pass each tensor is transformed once, whatever it is multiplied with, and the two terms
   of a tangent are one product of twice the depth. x may be overwritten by its own adjoint
   (struct meta_op), whose tiles overlap: xbar of a group is summed up in scratch memory, and copied
   when all of the group's x has been read. */
#include "onednn_winograd.h"
#include "onednn_engine.h"
#include "onednn_winograd_plan.h"

#include <string.h>

/* ---- pieces of a pass ------------------------------------------------------------------------ */

static float *in_scratch(const struct meta_op *op, size_t at)
{
    return (float *)((char *)op->scratch + at);
}

/* A block of tiles of a group: images from `image` on. */
struct block {
    int image, first, count;
};

/* A pass: its tensors, NULL where it does not read or write such a one, and how it is cut. */
struct pass {
    const struct meta_winograd_cut *cut;
    const float *x, *xdot, *ybar, *ybardot;
    float *y;    /* or its tangent */
    float *xbar; /* or its tangent */
};

static void take_x(const struct meta_op *op, const struct pass *p, struct block b, const float *x,
                   size_t at)
{
    const struct meta_winograd_cut *c = p->cut;
    c->kernels->take_inputs(x + b.image * meta_onednn_image(*op->in), &c->x, b.first, b.count,
                            (struct meta_winograd_tiles){ in_scratch(op, at), c->x_place,
                                                          c->x_row });
}

static void take_y(const struct meta_op *op, const struct pass *p, struct block b,
                   const float *ybar, size_t at)
{
    const struct meta_winograd_cut *c = p->cut;
    c->kernels->take_outputs(ybar + b.image * meta_onednn_image(op->out), &c->y, b.first, b.count,
                             (struct meta_winograd_tiles){ in_scratch(op, at), c->y_place,
                                                           c->y_row });
}

/* One term of a product: where in the scratch memory its two factors lie. */
struct term {
    size_t tiles, with;
};

static void multiply(const struct meta_op *op, const struct pass *pass,
                     struct meta_winograd_product p, int terms, const struct term *term)
{
    p.places = pass->cut->places;
    p.terms = terms;
    for (int i = 0; i < terms; i++) {
        p.a[i] = in_scratch(op, term[i].tiles);
        p.b[i] = in_scratch(op, term[i].with);
    }
    pass->cut->kernels->product(&p);
}

/* Tiles of x times weights, as tiles of y; or back. The terms' sum lies in scratch memory. */
static struct meta_winograd_tiles times_weights(const struct meta_op *op, const struct pass *pass,
                                                int tiles, int back, int terms,
                                                const struct term *term)
{
    const struct meta_winograd_plan *s = op->state;
    const struct meta_winograd_cut *c = pass->cut;
    float *product = in_scratch(op, s->product_at);
    struct meta_winograd_tiles x = { product, c->x_place, c->x_row };
    struct meta_winograd_tiles y = { product, c->y_place, c->y_row };
    struct meta_winograd_tiles from = back ? y : x, to = back ? x : y;
    int depth = back ? c->weights.out_padded : c->weights.in_padded;
    multiply(op, pass,
             (struct meta_winograd_product){ .rows = tiles,
                                             .depth = depth,
                                             .columns = back ? c->weights.in_padded
                                                             : c->weights.out_padded,
                                             .a_place = from.place,
                                             .a_row = from.row,
                                             .a_depth = 1,
                                             .b_place = c->weights.place,
                                             .b_panel = (size_t)depth * c->kernels->panel,
                                             .c = product,
                                             .c_place = to.place,
                                             .c_row = to.row },
             terms, term);
    return to;
}

/* y of a block. */
static void make_y(const struct meta_op *op, const struct pass *pass, struct block b, int terms,
                   const struct term *term)
{
    const struct meta_winograd_cut *c = pass->cut;
    c->kernels->put_outputs(pass->y + b.image * meta_onednn_image(op->out), &c->y, b.first, b.count,
                            times_weights(op, pass, b.count, 0, terms, term));
}

/* Adds to xbar of a group what a block gives to it. */
static void add_xbar(const struct meta_op *op, const struct pass *pass, struct block b, int terms,
                     const struct term *term)
{
    const struct meta_winograd_plan *s = op->state;
    const struct meta_winograd_cut *c = pass->cut;
    c->kernels->add_inputs(in_scratch(op, s->sum_at), &c->sum, b.first, b.count,
                           times_weights(op, pass, b.count, 1, terms, term));
}

/* Adds to wbar, places' matrices still, what a block gives to it: tiles of x times those of ybar.
 */
static void add_wbar(const struct meta_op *op, const struct pass *pass, struct block b, int terms,
                     const struct term *term)
{
    const struct meta_winograd_plan *s = op->state;
    const struct meta_winograd_cut *c = pass->cut;
    multiply(op, pass,
             (struct meta_winograd_product){ .rows = c->weights.in_padded,
                                             .depth = b.count,
                                             .columns = c->weights.out_padded,
                                             .adding = b.image > 0 || b.first > 0,
                                             .a_place = c->x_place,
                                             .a_row = 1,
                                             .a_depth = c->x_row,
                                             .b_place = c->y_place,
                                             .b_depth = c->y_row,
                                             .b_panel = c->kernels->panel,
                                             .c = in_scratch(op, s->wbar_at),
                                             .c_place = c->weights.place,
                                             .c_row = c->weights.out_padded },
             terms, term);
}

/* ---- passes ---------------------------------------------------------------------------------- */

typedef void of_block(const struct meta_op *, const struct pass *, struct block);

/* Brings xbar of these images from its sum, which reaches past it, to the tensor. */
static void put_sum(const struct meta_op *op, const struct pass *pass, int image, int images)
{
    const struct meta_winograd_plan *s = op->state;
    const struct meta_winograd_cut *c = pass->cut;
    size_t lanes = (size_t)1 << meta_onednn_shift, line = c->sum.w * lanes;
    const float *from = in_scratch(op, s->sum_at) + c->x.before * (line + lanes);
    float *to = pass->xbar + image * meta_onednn_image(*op->in);
    for (int b = 0; b < images * c->x.blocks; b++, from += c->sum.h * line)
        for (int y = 0; y < c->x.h; y++, to += c->x.w * lanes)
            memcpy(to, from + y * line, c->x.w * lanes * sizeof *to);
}

static void each_block(const struct meta_op *op, of_block *run, const struct pass *pass)
{
    const struct meta_winograd_plan *s = op->state;
    const struct meta_winograd_cut *c = pass->cut;
    size_t sum = c->sum.h * c->sum.w * meta_onednn_padded(op->in->c) * sizeof(float);
    for (int image = 0; image < op->batch; image += c->group) {
        int images = op->batch - image < c->group ? op->batch - image : c->group;
        int tiles = images * c->x.of_image;
        if (pass->xbar) memset(in_scratch(op, s->sum_at), 0, images * sum);
        for (int first = 0; first < tiles; first += c->block) {
            int count = tiles - first < c->block ? tiles - first : c->block;
            run(op, pass, (struct block){ image, first, count });
        }
        if (pass->xbar) put_sum(op, pass, image, images);
    }
}

static const float *weights_of(const struct meta_op *op, const void *parameters)
{
    return (const float *)parameters + op->weights;
}

static void transform(const struct meta_op *op, const struct meta_winograd_cut *c,
                      const void *parameters, size_t at)
{
    c->kernels->weights(weights_of(op, parameters), &c->weights, in_scratch(op, at));
}

static void transform_back(const struct meta_op *op, const struct meta_winograd_cut *c,
                           const void *parameters, size_t at)
{
    c->kernels->weights_back(weights_of(op, parameters), &c->weights, in_scratch(op, at));
}

static void put_wbar(const struct meta_op *op, const struct meta_winograd_cut *c, void *gradient)
{
    const struct meta_winograd_plan *s = op->state;
    c->kernels->weights_bar(in_scratch(op, s->wbar_at), &c->weights,
                            (float *)gradient + op->weights);
}

static void forward_block(const struct meta_op *op, const struct pass *p, struct block b)
{
    const struct meta_winograd_plan *s = op->state;
    take_x(op, p, b, p->x, s->x_at);
    make_y(op, p, b, 1, (struct term[]){ { s->x_at, s->u_at } });
}

static void winograd_forward(struct meta_op *op, const void *theta)
{
    const struct meta_winograd_plan *s = op->state;
    struct pass pass = { .cut = &s->forward, .x = op->x->value, .y = op->y.value };
    transform(op, pass.cut, theta, s->u_at);
    each_block(op, forward_block, &pass);
}

static void backward_block(const struct meta_op *op, const struct pass *p, struct block b)
{
    const struct meta_winograd_plan *s = op->state;
    take_x(op, p, b, p->x, s->x_at);
    take_y(op, p, b, p->ybar, s->y_at);
    add_wbar(op, p, b, 1, (struct term[]){ { s->x_at, s->y_at } });
    if (p->xbar) add_xbar(op, p, b, 1, (struct term[]){ { s->y_at, s->u_at } });
}

static void winograd_backward(struct meta_op *op, const void *theta, void *gradient)
{
    const struct meta_winograd_plan *s = op->state;
    struct pass pass = {
        .cut = &s->others, .x = op->x->value, .ybar = op->y.bar, .xbar = op->x->bar
    };
    if (pass.xbar) transform_back(op, pass.cut, theta, s->u_at);
    each_block(op, backward_block, &pass);
    put_wbar(op, pass.cut, gradient);
}

/* ydot = Wdot x + W xdot */
static void tangent_block(const struct meta_op *op, const struct pass *p, struct block b)
{
    const struct meta_winograd_plan *s = op->state;
    struct term terms[] = { { s->x_at, s->udot_at }, { s->xdot_at, s->u_at } };
    take_x(op, p, b, p->x, s->x_at);
    if (p->xdot) take_x(op, p, b, p->xdot, s->xdot_at);
    make_y(op, p, b, p->xdot ? 2 : 1, terms);
}

static void winograd_tangent(struct meta_op *op, const void *theta, const void *v)
{
    const struct meta_winograd_plan *s = op->state;
    struct pass pass = { .cut = &s->others, .x = op->x->value, .xdot = op->x->dot, .y = op->y.dot };
    transform(op, pass.cut, v, s->udot_at);
    if (pass.xdot) transform(op, pass.cut, theta, s->u_at);
    each_block(op, tangent_block, &pass);
}

/* Wbardot = x ybardot + xdot ybar, xbardot = W' ybardot + Wdot' ybar */
static void backward_tangent_block(const struct meta_op *op, const struct pass *p, struct block b)
{
    const struct meta_winograd_plan *s = op->state;
    struct term of_w[] = { { s->x_at, s->ydot_at }, { s->xdot_at, s->y_at } };
    struct term of_x[] = { { s->ydot_at, s->u_at }, { s->y_at, s->udot_at } };
    take_x(op, p, b, p->x, s->x_at);
    if (p->xdot) take_x(op, p, b, p->xdot, s->xdot_at);
    if (p->xdot || p->xbar) take_y(op, p, b, p->ybar, s->y_at);
    take_y(op, p, b, p->ybardot, s->ydot_at);
    add_wbar(op, p, b, p->xdot ? 2 : 1, of_w);
    if (p->xbar) add_xbar(op, p, b, 2, of_x);
}

static void winograd_backward_tangent(struct meta_op *op, const void *theta, const void *v,
                                      void *product)
{
    const struct meta_winograd_plan *s = op->state;
    struct pass pass = { .cut = &s->others,
                         .x = op->x->value,
                         .xdot = op->x->dot,
                         .ybar = op->y.bar,
                         .ybardot = op->y.bardot,
                         .xbar = op->x->bardot };
    if (pass.xbar) {
        transform_back(op, pass.cut, theta, s->u_at);
        transform_back(op, pass.cut, v, s->udot_at);
    }
    each_block(op, backward_tangent_block, &pass);
    put_wbar(op, pass.cut, product);
}

const struct meta_kernel meta_onednn_winograd = { .create = meta_winograd_plan_create,
                                                  .destroy = meta_winograd_plan_destroy,
                                                  .forward = winograd_forward,
                                                  .backward = winograd_backward,
                                                  .forward_tangent = winograd_tangent,
                                                  .backward_tangent = winograd_backward_tangent };
