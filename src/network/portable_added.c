/* Adds layers to a network that is rewritten: copies, and layers that multiply channels. */
#include "portable_internal.h"

#define MOST_ADDED ((size_t)1 << 22) /* weights of a layer that is added */

int meta_rewrite_last_index(const struct meta_rewrite *r) { return r->to->network->count - 1; }
struct meta_layer *meta_rewrite_last(const struct meta_rewrite *r)
{
    return &r->to->network->layers[meta_rewrite_last_index(r)];
}

struct meta_shape meta_rewrite_last_shape(const struct meta_rewrite *r)
{
    return meta_rewrite_last_index(r) < 0 ? r->to->network->input : meta_rewrite_last(r)->out;
}

int meta_rewrite_reads_vector(const struct meta_rewrite *r)
{
    return r->view.last_flat && meta_shape_pixels(meta_rewrite_last_shape(r)) == 1;
}

int meta_rewrite_add(struct meta_rewrite *r, struct meta_layer layer)
{
    if (meta_filled_add(r->to, layer, r->error)) return -1;
    meta_opencv_view_add(&r->view, meta_rewrite_last(r));
    return 0;
}

int meta_rewrite_copy(struct meta_rewrite *r, int i)
{
    if (meta_filled_copy_layer(r->to, r->from, i, 0, r->place, r->error)) return -1;
    meta_opencv_view_add(&r->view, meta_rewrite_last(r));
    return 0;
}

int meta_rewrite_affordable(size_t outputs, size_t inputs, size_t kernel)
{
    return outputs <= MOST_ADDED / inputs && outputs * inputs <= MOST_ADDED / kernel;
}

int meta_rewrite_add_diagonal(struct meta_rewrite *r, struct meta_diagonal d)
{
    int connected = d.connected || meta_rewrite_reads_vector(r);
    size_t kernel = connected ? 1 : (size_t)d.size * d.size,
           tap = connected ? 0 : (size_t)d.padding * d.size + d.padding,
           inputs = connected ? meta_shape_numbers(meta_rewrite_last_shape(r))
                              : (size_t)meta_rewrite_last_shape(r).c;
    if (meta_rewrite_add(r,
                         (struct meta_layer){ .type = connected ? META_CONNECTED
                                                                : META_CONVOLUTIONAL,
                                              .filters = d.outputs,
                                              .size = d.size,
                                              .stride = d.stride,
                                              .padding = d.padding,
                                              .activation = d.activation }))
        return -1;
    float *weights = r->to->parameters + meta_rewrite_last(r)->weights;
    for (size_t k = 0; k < (size_t)d.outputs && k < inputs; k++)
        weights[(k * inputs + k) * kernel + tap] = k < (size_t)d.scaled ? d.factor : d.rest;
    return 0;
}

struct meta_diagonal meta_rewrite_identity(const struct meta_rewrite *r,
                                           enum meta_activation activation)
{
    int n = meta_rewrite_last_shape(r).c;
    return (struct meta_diagonal){
        .outputs = n, .scaled = n, .factor = 1, .size = 1, .stride = 1, .activation = activation
    };
}
