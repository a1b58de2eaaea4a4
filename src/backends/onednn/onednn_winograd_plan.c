/* Plans a convolution by Winograd's tiles. */
#include "onednn_winograd_plan.h"
#include "onednn_engine.h"
#include "onednn_winograd.h"

#include <stdlib.h>

/* A block's tiles of x and y have at most so many bytes, but are at least LEAST_TILES, and
   transformed weights, which each block reads, at most MOST_WEIGHTS. */
#define BLOCK_BYTES (3 << 19)
#define LEAST_TILES 24
#define MOST_WEIGHTS (8 << 20)

/* ---- which tile ------------------------------------------------------------------------------ */

static int tiles_along(int pixels, int tile) { return (pixels + tile - 1) / tile; }

static const struct meta_winograd *kernels_of(int which)
{
    const struct meta_winograd_set *set = meta_winograd_kernels();
    return meta_onednn_shift == 4 ? &set->lanes16[which] : &set->lanes8[which];
}

/* What an image costs in one of the nine products of a step, in multiplications of a vector. A
   transform of a number costs as much as TRANSFORM of them, and a step has 13 transforms. */
#define TRANSFORM 18.
static double cost_of_tiles(const struct meta_op *op, const struct meta_winograd *k)
{
    double tiles = (double)tiles_along(op->out.h, k->tile) * tiles_along(op->out.w, k->tile);
    double places = (k->tile + 2) * (k->tile + 2);
    double in = meta_onednn_padded(op->in->c), out = meta_onednn_padded(op->out.c);
    return tiles * places * (in * out + 13. / 18 * TRANSFORM * (in + out));
}

static double cost_of_sums(const struct meta_op *op)
{
    double in = meta_onednn_padded(op->in->c), out = meta_onednn_padded(op->out.c);
    return 1.1 * op->out.h * op->out.w * 9 * in * out;
}

static size_t bytes_of_weights(const struct meta_op *op, const struct meta_winograd *k)
{
    return sizeof(float) * (k->tile + 2) * (k->tile + 2) * meta_onednn_padded(op->in->c)
        * meta_onednn_padded(op->out.c);
}

/* The kernels that are expected to be fastest; NULL: sums are. The first set is of tiles of 4. */
static const struct meta_winograd *choose(const struct meta_op *op, int sets)
{
    const struct meta_winograd *best = NULL;
    double least = cost_of_sums(op);
    for (int i = 0; i < sets; i++) {
        const struct meta_winograd *k = kernels_of(i);
        if (bytes_of_weights(op, k) > MOST_WEIGHTS || cost_of_tiles(op, k) >= least) continue;
        best = k;
        least = cost_of_tiles(op, k);
    }
    return best;
}

int meta_onednn_winograd_fits(const struct meta_op *op)
{
    const struct meta_layer *l = op->layer;
    return meta_winograd_kernels() && l->size == 3 && l->stride == 1 && l->padding <= 2
        && meta_layer_dilation(l) == 1 && meta_layer_groups(l) == 1
        && !meta_onednn_planar(op->in->c) && !meta_onednn_planar(op->out.c) && choose(op, 1);
}

/* ---- memory ---------------------------------------------------------------------------------- */

static size_t larger(size_t a, size_t b) { return a > b ? a : b; }
static int smaller(int a, int b) { return a < b ? a : b; }

/* The largest part that cuts `whole` into parts of at most `most` that differ little. */
static int even_part(int whole, int most)
{
    int parts = (whole + most - 1) / most;
    return (whole + parts - 1) / parts;
}

/* An odd number of cache lines that so many numbers fit into: what lies as far apart does not share
   the same few lines of a cache. */
static size_t apart(size_t numbers) { return (numbers + 31) / 32 * 32 + 16; }

static size_t reserve(struct meta_op *op, size_t numbers)
{
    size_t at = op->scratch_bytes;
    op->scratch_bytes += (numbers * sizeof(float) + 63) / 64 * 64;
    return at;
}

static void cut_batch(struct meta_winograd_cut *c, int batch)
{
    size_t tile = c->places * (c->x_row + c->y_row) * sizeof(float);
    int most = BLOCK_BYTES / tile > LEAST_TILES ? BLOCK_BYTES / tile : LEAST_TILES;
    int images = most / c->x.of_image > 1 ? most / c->x.of_image : 1;
    c->group = even_part(batch, smaller(images, batch));
    c->block = even_part(c->group * c->x.of_image, most);
    c->x_place = apart(c->block * c->x_row);
    c->y_place = apart(c->block * c->y_row);
}

static struct meta_winograd_cut make_cut(const struct meta_op *op, int sets)
{
    const struct meta_winograd *k = choose(op, sets);
    int lanes = 1 << meta_onednn_shift, tile = k->tile;
    int in = meta_onednn_padded(op->in->c), out = meta_onednn_padded(op->out.c);
    int across = tiles_along(op->out.w, tile), down = tiles_along(op->out.h, tile);
    struct meta_winograd_maps maps = { .across = across, .of_image = across * down };
    struct meta_winograd_cut c = { .kernels = k, .places = (tile + 2) * (tile + 2) };
    c.x = c.y = c.sum = maps;
    c.x.h = op->in->h;
    c.x.w = op->in->w;
    c.x.before = op->layer->padding;
    c.x.blocks = c.sum.blocks = in / lanes;
    c.y.h = op->out.h;
    c.y.w = op->out.w;
    c.y.blocks = out / lanes;
    c.sum.h = down * tile + 2;
    c.sum.w = across * tile + 2;
    c.x_row = apart(in);
    c.y_row = apart(out);
    c.weights = (struct meta_winograd_weights){ op->in->c, op->out.c, in, out,
                                                apart((size_t)in * out) };
    cut_batch(&c, op->batch);
    return c;
}

/* Numbers of all places. */
static size_t weights_of(const struct meta_winograd_cut *c) { return c->places * c->weights.place; }
static size_t x_of(const struct meta_winograd_cut *c) { return c->places * c->x_place; }
static size_t y_of(const struct meta_winograd_cut *c) { return c->places * c->y_place; }

static void lay_out_scratch(struct meta_op *op, struct meta_winograd_plan *s, int tangents)
{
    const struct meta_winograd_cut *f = &s->forward, *o = &s->others;
    size_t x = larger(x_of(f), x_of(o)), y = larger(y_of(f), y_of(o));
    size_t image = (size_t)o->sum.h * o->sum.w * meta_onednn_padded(op->in->c);
    op->scratch_bytes = 0;
    s->u_at = reserve(op, larger(weights_of(f), weights_of(o)));
    s->udot_at = reserve(op, tangents ? weights_of(o) : 0);
    s->wbar_at = reserve(op, weights_of(o));
    s->x_at = reserve(op, x);
    s->xdot_at = reserve(op, tangents ? x_of(o) : 0);
    s->y_at = reserve(op, y_of(o));
    s->ydot_at = reserve(op, tangents ? y_of(o) : 0);
    s->product_at = reserve(op, larger(x, y));
    s->sum_at = reserve(op, op->x->bar ? o->group * image : 0);
}

int meta_winograd_plan_create(struct meta_op *op, int tangents, struct meta_error *error)
{
    struct meta_winograd_plan *s = op->state = calloc(1, sizeof *s);
    if (!s) return meta_fail_memory(error);
    s->forward = make_cut(op, 1);
    s->others = make_cut(op, 2);
    lay_out_scratch(op, s, tangents);
    return 0;
}

void meta_winograd_plan_destroy(struct meta_op *op)
{
    free(op->state);
    op->state = NULL;
}
