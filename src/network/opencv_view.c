/* Counts shapes layer by layer as OpenCV's importer of Darknet files does. */
#include "opencv_view.h"

#include <stdlib.h>

int meta_opencv_view_begin(struct meta_opencv_view *v, struct meta_shape input, int room,
                           struct meta_error *error)
{
    *v = (struct meta_opencv_view){ .shape = input };
    v->channels = calloc(room + 1, sizeof *v->channels);
    v->flat = calloc(room + 1, 1);
    if (v->channels && v->flat) return 0;
    meta_opencv_view_clear(v);
    return meta_fail_memory(error);
}

void meta_opencv_view_clear(struct meta_opencv_view *v)
{
    free(v->channels);
    free(v->flat);
    *v = (struct meta_opencv_view){ 0 };
}

size_t meta_opencv_view_inputs(const struct meta_opencv_view *v)
{
    /* It looks at the width alone, and then takes a column for one number a channel. */
    return !v->count || v->shape.w > 1 ? meta_shape_numbers(v->shape) : (size_t)v->shape.c;
}

static void window(struct meta_opencv_view *v, const struct meta_layer *l, int padding)
{
    int extent = meta_layer_extent(l);
    v->shape.w = (v->shape.w + padding - extent) / l->stride + 1;
    v->shape.h = (v->shape.h + padding - extent) / l->stride + 1;
}

void meta_opencv_view_add(struct meta_opencv_view *v, const struct meta_layer *l)
{
    switch (l->type) {
    case META_CONVOLUTIONAL:
        window(v, l, 2 * l->padding);
        v->shape.c = l->filters;
        v->last_flat = 0;
        break;
    case META_CONNECTED:
        if (v->count) v->channels[v->count - 1] = meta_opencv_view_inputs(v);
        v->shape = (struct meta_shape){ l->filters, 1, 1 };
        v->last_flat = 1;
        break;
    case META_CROP:
    case META_LOCAL:
    case META_REORG: v->shape = l->out; break;
    case META_MAXPOOL: window(v, l, l->padding); break;
    case META_UPSAMPLE:
        v->shape.w *= l->stride;
        v->shape.h *= l->stride;
        break;
    case META_AVGPOOL: v->shape.w = v->shape.h = 1; break;
    case META_SCALE_CHANNELS: v->last_flat = v->flat[l->from[0]]; break;
    case META_ROUTE: /* width and height stay those of the layer before */
        v->shape.c = 0;
        for (int k = 0; k < l->from_count; k++) v->shape.c += v->channels[l->from[k]];
        v->last_flat = v->flat[l->from[0]];
        break;
    default: break;
    }
    v->channels[v->count] = v->shape.c;
    v->flat[v->count++] = v->last_flat;
}
