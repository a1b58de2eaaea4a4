/* Where the outputs of [crop], [reorg] and [upsample] come from, by Darknet's crop_layer.c,
   reorg_layer.c and blas.c. */
#include "pick.h"

static size_t planar(struct meta_shape s, size_t k, size_t y, size_t x)
{
    return (k * s.h + y) * s.w + x;
}

/* The middle. Where as many pixels do not fit on both sides, the odd one is right and below. */
static size_t pick_crop(const struct meta_layer *l, size_t j)
{
    size_t top = (l->in.h - l->out.h) / 2, left = (l->in.w - l->out.w) / 2;
    size_t area = (size_t)l->out.h * l->out.w;
    return planar(l->in, j / area, top + j % area / l->out.w, left + j % l->out.w);
}

/* Number i of `coarse` maps as a number of the maps that are `stride` times finer: the first
   channels of `coarse` are the upper left pixels of all cells, the next the pixels beside them. */
static size_t to_fine(struct meta_shape coarse, int stride, size_t i)
{
    size_t area = (size_t)coarse.h * coarse.w, maps = coarse.c / (stride * stride);
    size_t k = i / area, y = i % area / coarse.w, x = i % coarse.w, pixel = k / maps;
    struct meta_shape fine = { (int)maps, coarse.h * stride, coarse.w * stride };
    return planar(fine, k % maps, y * stride + pixel / stride, x * stride + pixel % stride);
}

/* The number of `fine` maps that becomes number i of `coarse`: the inverse of to_fine. */
static size_t to_coarse(struct meta_shape coarse, int stride, size_t i)
{
    size_t maps = coarse.c / (stride * stride), w = (size_t)coarse.w * stride;
    size_t area = (size_t)coarse.h * stride * w, y = i % area / w, x = i % w;
    size_t pixel = y % stride * stride + x % stride;
    return planar(coarse, pixel * maps + i / area, y / stride, x / stride);
}

/* Darknet takes the input's shape for the coarse one in both directions, so that its way down is no
   inverse of its way up. */
static size_t pick_reorg(const struct meta_layer *l, size_t j)
{
    size_t area = (size_t)l->in.h * l->in.w, c = l->in.c;
    if (j >= meta_shape_numbers(l->in)) return META_NONE;
    if (l->flatten) return l->reverse ? j % area * c + j / area : j % c * area + j / c;
    if (l->extra) return j;
    return l->reverse ? to_coarse(l->in, l->stride, j) : to_fine(l->in, l->stride, j);
}

static size_t pick_upsample(const struct meta_layer *l, size_t j)
{
    size_t area = (size_t)l->out.h * l->out.w, w = l->out.w, s = l->stride;
    return planar(l->in, j / area, j % area / w / s, j % w / s);
}

size_t meta_pick(const struct meta_layer *l, size_t j)
{
    switch (l->type) {
    case META_CROP: return pick_crop(l, j);
    case META_UPSAMPLE: return pick_upsample(l, j);
    default: return pick_reorg(l, j);
    }
}
