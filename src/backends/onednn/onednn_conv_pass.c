/* Makes one pass of a convolution: what oneDNN sees of the tensors, its primitives, and the
   reorders of the weights. */
#include "onednn_conv_pass.h"

#include <string.h>

/* Notes what oneDNN says, and tells whether that is no. */
static int refused(struct meta_conv_maker *m, dnnl_status_t status)
{
    m->status = status;
    return status != dnnl_success;
}

int meta_conv_is_reference(const char *implementation)
{
    return !strncmp(implementation, "ref", 3);
}

/* ---- views ----------------------------------------------------------------------------------- */

/* A convolution as oneDNN is asked for it. */
struct geometry {
    struct meta_view x, y;
    int stride, pad, dilation; /* dilation: pixels between taps */
};

static void in_blocks(struct meta_view *v)
{
    if (!meta_onednn_planar(v->channels)) return;
    v->channels = 1 << meta_onednn_shift;
    v->copied = 1;
}

/* The copy with its padding: a convolution reads (count - 1) * stride + extent pixels of x, the
   first `padding` of which lie before the tensor. Turned, it reads the pixels of y, `stride` apart,
   within count + extent - 1. */
static void make_whole(struct geometry *g, const struct meta_op *op, int turned)
{
    const struct meta_layer *l = op->layer;
    struct meta_view *v = turned ? &g->y : &g->x;
    int extent = meta_layer_extent(l);
    v->copied = 1;
    v->at = turned ? extent - 1 - l->padding : l->padding;
    v->step = turned ? l->stride : 1;
    v->h = turned ? op->in->h + extent - 1 : (op->out.h - 1) * l->stride + extent;
    v->w = turned ? op->in->w + extent - 1 : (op->out.w - 1) * l->stride + extent;
    g->pad = 0;
}

static struct geometry geometry_of(const struct meta_op *op, struct meta_conv_attempt a)
{
    const struct meta_layer *l = op->layer;
    int padded = a.form != META_FORM_OWN;
    struct geometry g = { meta_view_of(*op->in, padded), meta_view_of(op->out, padded),
                          a.turned ? 1 : l->stride,
                          a.turned ? meta_layer_extent(l) - 1 - l->padding : l->padding,
                          meta_layer_dilation(l) - 1 };
    if (padded) in_blocks(&g.y);
    if (a.form == META_FORM_THREE) {
        g.x.channels = META_MOST_PLANAR;
        g.x.copied = op->in->c < META_MOST_PLANAR;
    }
    if (a.form >= META_FORM_BLOCKED) in_blocks(&g.x);
    if (a.form == META_FORM_WHOLE) make_whole(&g, op, a.turned);
    return g;
}

/* Whether there is such a convolution at all: one of another stride, or with more padding than its
   size, is turned round only by way of a whole copy. */
static int exists(const struct meta_op *op, struct meta_conv_attempt a)
{
    const struct meta_layer *l = op->layer;
    if (a.form == META_FORM_THREE && !meta_onednn_planar(op->in->c)) return 0;
    return !a.turned || a.form == META_FORM_WHOLE
        || (l->stride == 1 && l->padding < meta_layer_extent(l));
}

/* ---- layouts --------------------------------------------------------------------------------- */

/* Those of the tensors, and of the weights, plain and as oneDNN likes them. */
struct layouts {
    dnnl_memory_desc_t x, y, plain, any;
};

static dnnl_status_t set_tag(dnnl_memory_desc_t *md, int n, int c, int h, int w,
                             dnnl_format_tag_t tag)
{
    dnnl_dims_t dims = { n, c, h, w };
    return dnnl_memory_desc_init_by_tag(md, 4, dims, dnnl_f32, tag);
}

static dnnl_status_t set_view(dnnl_memory_desc_t *md, int images, const struct meta_view *v)
{
    dnnl_format_tag_t blocked = meta_onednn_shift == 4 ? dnnl_nChw16c : dnnl_nChw8c;
    return set_tag(md, images, v->channels, v->h, v->w,
                   meta_onednn_planar(v->channels) ? dnnl_nchw : blocked);
}

static int lay_out(struct meta_conv_maker *m, const struct geometry *g, int turned,
                   struct layouts *l)
{
    int out = turned ? g->x.channels : g->y.channels, in = turned ? g->y.channels : g->x.channels;
    int size = m->op->layer->size;
    return refused(m, set_view(&l->x, m->images, &g->x))
            || refused(m, set_view(&l->y, m->images, &g->y))
            || refused(m, set_tag(&l->plain, out, in, size, size, dnnl_oihw))
            || refused(m, set_tag(&l->any, out, in, size, size, dnnl_format_tag_any))
        ? -1
        : 0;
}

/* ---- primitives ------------------------------------------------------------------------------ */

/* A primitive to make from an operation's descriptor; `adding`: destination += result. */
struct request {
    const void *desc;
    int adding;
    dnnl_primitive_desc_t hint;
};

static dnnl_status_t set_attributes(dnnl_primitive_attr_t attr, dnnl_post_ops_t post, int adding)
{
    dnnl_status_t status = dnnl_primitive_attr_set_scratchpad_mode(attr, dnnl_scratchpad_mode_user);
    if (status == dnnl_success && adding) status = dnnl_post_ops_append_sum(post, 1);
    if (status == dnnl_success && adding) status = dnnl_primitive_attr_set_post_ops(attr, post);
    return status;
}

/* Of planar tensors on both sides oneDNN makes a product of matrices, which is twice to four times
   as slow as what it has for blocks, but for 1x1 kernels. */
static int is_product(const struct meta_conv_maker *m, const char *implementation)
{
    return m->op->layer->size > 1 && strstr(implementation, "gemm") != NULL;
}

/* Notes what oneDNN calls the implementation, and tells whether it is too slow where that will not
   do. */
static int is_too_slow(struct meta_conv_maker *m, struct meta_conv_pass *pass,
                       dnnl_primitive_desc_t pd)
{
    const char *name;
    if (refused(m, dnnl_primitive_desc_query(pd, dnnl_query_impl_info_str, 0, &name))) return 1;
    if (!pass->implementation || meta_conv_is_reference(name)) pass->implementation = name;
    return (meta_conv_is_reference(name) || is_product(m, name)) && !m->takes_reference;
}

/* Makes a primitive that leaves its scratch memory to us, and notes how much it needs. Its
   descriptor, if `kept` is given, is the caller's. */
static int make(struct meta_conv_maker *m, struct meta_conv_pass *pass,
                const struct request *request, dnnl_primitive_t *out, dnnl_primitive_desc_t *kept)
{
    dnnl_primitive_attr_t attr = NULL;
    dnnl_post_ops_t post = NULL;
    dnnl_primitive_desc_t pd = NULL;
    dnnl_engine_t engine = meta_onednn_engine();
    const dnnl_memory_desc_t *scratch;
    int failed = refused(m, dnnl_primitive_attr_create(&attr))
        || (request->adding && refused(m, dnnl_post_ops_create(&post)))
        || refused(m, set_attributes(attr, post, request->adding))
        || refused(m, dnnl_primitive_desc_create(&pd, request->desc, attr, engine, request->hint))
        || is_too_slow(m, pass, pd) || refused(m, dnnl_primitive_create(out, pd));
    if (!failed) {
        scratch = dnnl_primitive_desc_query_md(pd, dnnl_query_scratchpad_md, 0);
        size_t size = scratch ? dnnl_memory_desc_get_size(scratch) : 0;
        if (size > m->s->scratch_size) m->s->scratch_size = size;
    }
    if (post) dnnl_post_ops_destroy(post);
    if (attr) dnnl_primitive_attr_destroy(attr);
    if (pd && kept && !failed) *kept = pd;
    else if (pd) dnnl_primitive_desc_destroy(pd);
    return failed ? -1 : 0;
}

static dnnl_status_t describe_forward(struct meta_conv_maker *m, dnnl_convolution_desc_t *desc,
                                      const struct geometry *g, const struct layouts *l, int turned,
                                      const dnnl_memory_desc_t *weights)
{
    dnnl_dims_t strides = { g->stride, g->stride }, pads = { g->pad, g->pad },
                dilates = { g->dilation, g->dilation };
    return dnnl_dilated_convolution_forward_desc_init(desc, dnnl_forward_training, m->algorithm,
                                                      turned ? &l->y : &l->x, weights, NULL,
                                                      turned ? &l->x : &l->y, strides, dilates,
                                                      pads, pads);
}

/* Makes a forward convolution, from y to x if it is turned, and with tangents also an adding one,
   with weights in the layout that oneDNN likes best. */
static int make_forward(struct meta_conv_maker *m, struct meta_conv_pass *pass,
                        const struct geometry *g, const struct layouts *l)
{
    dnnl_convolution_desc_t desc;
    dnnl_primitive_desc_t pd = NULL;
    struct request plain = { &desc, 0, NULL }, adding = { &desc, 1, NULL };
    if (refused(m, describe_forward(m, &desc, g, l, pass->turned, &l->any))
        || make(m, pass, &plain, &pass->run, &pd))
        return -1;
    pass->weights = *dnnl_primitive_desc_query_md(pd, dnnl_query_weights_md, 0);
    dnnl_primitive_desc_destroy(pd);
    if (!m->tangents) return 0;
    if (refused(m, describe_forward(m, &desc, g, l, pass->turned, &pass->weights))) return -1;
    return make(m, pass, &adding, &pass->run_adding, NULL);
}

/* Makes the gradient of the weights, or the backward-data convolution. */
static int make_backward(struct meta_conv_maker *m, struct meta_conv_pass *pass,
                         const struct geometry *g, const struct layouts *l, int is_gradient)
{
    dnnl_dims_t strides = { g->stride, g->stride }, pads = { g->pad, g->pad },
                dilates = { g->dilation, g->dilation };
    dnnl_convolution_desc_t forward, desc;
    dnnl_primitive_desc_t hint = NULL, pd = NULL;
    if (refused(m, describe_forward(m, &forward, g, l, 0, &l->any))
        || refused(m,
                   dnnl_primitive_desc_create(&hint, &forward, NULL, meta_onednn_engine(), NULL)))
        return -1;
    struct request request = { &desc, 0, hint };
    dnnl_status_t described = is_gradient
        ? dnnl_dilated_convolution_backward_weights_desc_init(&desc, m->algorithm, &l->x, &l->any,
                                                              NULL, &l->y, strides, dilates, pads,
                                                              pads)
        : dnnl_dilated_convolution_backward_data_desc_init(&desc, m->algorithm, &l->x, &l->any,
                                                           &l->y, strides, dilates, pads, pads);
    int failed = refused(m, described) || make(m, pass, &request, &pass->run, &pd);
    dnnl_primitive_desc_destroy(hint);
    if (failed) return -1;
    dnnl_query_t which = is_gradient ? dnnl_query_diff_weights_md : dnnl_query_weights_md;
    pass->weights = *dnnl_primitive_desc_query_md(pd, which, 0);
    dnnl_primitive_desc_destroy(pd);
    return 0;
}

/* ---- memories -------------------------------------------------------------------------------- */

static dnnl_status_t make_reorder(dnnl_primitive_t *out, const dnnl_memory_desc_t *from,
                                  const dnnl_memory_desc_t *to)
{
    dnnl_primitive_desc_t pd;
    dnnl_engine_t engine = meta_onednn_engine();
    dnnl_status_t status = dnnl_reorder_primitive_desc_create(&pd, from, engine, to, engine, NULL);
    if (status != dnnl_success) return status;
    status = dnnl_primitive_create(out, pd);
    dnnl_primitive_desc_destroy(pd);
    return status;
}

/* Makes the reorder to the layout of the pass's weights, of a gradient the one back to plain, and
   the memory objects. */
static dnnl_status_t make_memories(struct meta_conv_pass *pass, const struct layouts *l,
                                   int is_gradient)
{
    dnnl_status_t status = is_gradient ? make_reorder(&pass->pack, &pass->weights, &l->plain)
                                       : make_reorder(&pass->pack, &l->plain, &pass->weights);
    const struct {
        dnnl_memory_t *memory;
        const dnnl_memory_desc_t *layout;
    } all[] = { { &pass->packed, &pass->weights },
                { &pass->other, &pass->weights },
                { &pass->plain, &l->plain },
                { &pass->x_memory, &l->x },
                { &pass->y_memory, &l->y } };
    for (int i = 0; i < 5 && status == dnnl_success; i++)
        status = dnnl_memory_create(all[i].memory, all[i].layout, meta_onednn_engine(),
                                    DNNL_MEMORY_NONE);
    return status;
}

/* ---- the pass -------------------------------------------------------------------------------- */

int meta_conv_make_pass(struct meta_conv_maker *m, struct meta_conv_pass *pass,
                        struct meta_conv_attempt a)
{
    int is_gradient = a.direction == META_CONV_GRAD;
    struct layouts l;
    m->status = dnnl_unimplemented;
    if (!exists(m->op, a)) return -1;
    struct geometry g = geometry_of(m->op, a);
    pass->x = g.x;
    pass->y = g.y;
    pass->turned = a.turned;
    int failed = lay_out(m, &g, a.turned, &l);
    if (!failed)
        failed = a.direction == META_CONV_OUT || a.turned
            ? make_forward(m, pass, &g, &l)
            : make_backward(m, pass, &g, &l, is_gradient);
    if (!failed && !refused(m, make_memories(pass, &l, is_gradient))) return 0;
    meta_conv_free_pass(pass);
    return -1;
}

void meta_conv_free_pass(struct meta_conv_pass *pass)
{
    dnnl_primitive_t primitives[] = { pass->run, pass->run_adding, pass->pack };
    dnnl_memory_t memories[] = { pass->packed, pass->other, pass->plain, pass->x_memory,
                                 pass->y_memory };
    for (int i = 0; i < 3; i++)
        if (primitives[i]) dnnl_primitive_destroy(primitives[i]);
    for (int i = 0; i < 5; i++)
        if (memories[i]) dnnl_memory_destroy(memories[i]);
    memset(pass, 0, sizeof *pass);
}
