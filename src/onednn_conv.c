/* Convolutions of the oneDNN backend. Parameters stay in Darknet's order (o, i, y, x) in their one block; each pass packs the few
   it needs into the layout that oneDNN chose, which costs about a hundredth of the pass.

   A convolution of stride 1 is turned round by another convolution, with the weights transposed and rotated: unlike oneDNN's
   backward-data it can add to its output, which the tangent xbardot = W' ybardot + Wdot' ybar needs, and it is as fast as forward. */
#include "onednn_internal.h"

#include <stdlib.h>
#include <string.h>

#define TRY(call) do { dnnl_status_t s_ = (call); if (s_ != dnnl_success) { *status = s_; goto fail; } } while (0)

/* A tensor's or a weight array's memory object; its data pointer is set before each use. */
struct pass {
    dnnl_primitive_t run, run_adding;   /* run_adding: destination += result; NULL where oneDNN has none */
    dnnl_memory_desc_t weights;         /* the layout it wants them in */
    dnnl_primitive_t pack;              /* plain to that layout (of the weight gradient: back to plain) */
    dnnl_memory_t packed, other;        /* packed: theta's weights; other: a tangent's */
    float *packed_data, *other_data;
};

struct conv {
    dnnl_stream_t stream;
    dnnl_memory_t x, y, plain, scratch;
    size_t scratch_size;
    struct pass out, back, grad;        /* y from x; xbar from ybar; Wbar from x and ybar */
    int rotated;                        /* `back` is a forward convolution over rotated weights */
    float *turned;                      /* (c, filters, size, size) rotated weights */
    float *more;                        /* a second weight gradient, plain, then added */
    float *more_x;                      /* a second xbardot where `back` can't add; NULL where it can */
};

static dnnl_format_tag_t tensor_tag(int channels)
{
    if (meta_onednn_planar(channels)) return dnnl_nchw;
    return meta_onednn_shift == 4 ? dnnl_nChw16c : dnnl_nChw8c;
}

/* Winograd's F(4x4, 3x3) has a quarter of the multiplications, and errs by 7e-7 of the result where direct errs by 2e-7; below
   about ten pixels a side its tiles are mostly padding. */
static int winograd_pays(const struct meta_op *op)
{
    const struct meta_layer *l = op->layer;
    return l->size == 3 && l->stride == 1 && l->padding <= 1 && op->in->c % 16 == 0 && op->out.c % 16 == 0
        && op->out.h >= 8 && op->out.w >= 8;
}

static dnnl_status_t set_tag(dnnl_memory_desc_t *md, int n, int c, int h, int w, dnnl_format_tag_t tag)
{
    dnnl_dims_t dims = { n, c, h, w };
    return dnnl_memory_desc_init_by_tag(md, 4, dims, dnnl_f32, tag);
}

static void note_scratch(struct conv *s, dnnl_primitive_desc_t pd)
{
    const dnnl_memory_desc_t *md = dnnl_primitive_desc_query_md(pd, dnnl_query_scratchpad_md, 0);
    size_t size = md ? dnnl_memory_desc_get_size(md) : 0;
    if (size > s->scratch_size) s->scratch_size = size;
}

/* A primitive that leaves its scratch memory to us; adding: with destination += result. */
static int make(struct conv *s, dnnl_primitive_t *out, dnnl_primitive_desc_t *kept, const void *desc, int adding,
                dnnl_primitive_desc_t hint, dnnl_status_t *status)
{
    dnnl_primitive_attr_t attr = NULL;
    dnnl_post_ops_t post = NULL;
    dnnl_primitive_desc_t pd = NULL;
    *status = dnnl_success;
    TRY(dnnl_primitive_attr_create(&attr));
    TRY(dnnl_primitive_attr_set_scratchpad_mode(attr, dnnl_scratchpad_mode_user));
    if (adding) {
        TRY(dnnl_post_ops_create(&post));
        TRY(dnnl_post_ops_append_sum(post, 1));
        TRY(dnnl_primitive_attr_set_post_ops(attr, post));
    }
    TRY(dnnl_primitive_desc_create(&pd, desc, attr, meta_onednn_engine(), hint));
    TRY(dnnl_primitive_create(out, pd));
    note_scratch(s, pd);
fail:
    if (post) dnnl_post_ops_destroy(post);
    if (attr) dnnl_primitive_attr_destroy(attr);
    if (pd && kept && *status == dnnl_success) *kept = pd;
    else if (pd) dnnl_primitive_desc_destroy(pd);
    return *status == dnnl_success ? 0 : -1;
}

static dnnl_status_t make_reorder(dnnl_primitive_t *out, const dnnl_memory_desc_t *from, const dnnl_memory_desc_t *to)
{
    dnnl_primitive_desc_t pd;
    dnnl_engine_t engine = meta_onednn_engine();
    dnnl_status_t status = dnnl_reorder_primitive_desc_create(&pd, from, engine, to, engine, NULL);
    if (status != dnnl_success) return status;
    status = dnnl_primitive_create(out, pd);
    dnnl_primitive_desc_destroy(pd);
    return status;
}

static dnnl_status_t make_packed(dnnl_memory_t *memory, float **data, const dnnl_memory_desc_t *md)
{
    void *p = NULL;
    size_t size = dnnl_memory_desc_get_size(md);
    if (posix_memalign(&p, 64, size)) return dnnl_out_of_memory;
    memset(p, 0, size);
    *data = p;
    return dnnl_memory_create(memory, md, meta_onednn_engine(), p);
}

/* The layout of `pass`'s weights, its packing, and room for theta's (and a tangent's) packed. */
static dnnl_status_t make_room(struct pass *pass, const dnnl_memory_desc_t *plain, int is_gradient, int tangents)
{
    dnnl_status_t status = is_gradient ? make_reorder(&pass->pack, &pass->weights, plain)
                                       : make_reorder(&pass->pack, plain, &pass->weights);
    if (status == dnnl_success) status = make_packed(&pass->packed, &pass->packed_data, &pass->weights);
    if (status == dnnl_success && tangents) status = make_packed(&pass->other, &pass->other_data, &pass->weights);
    return status;
}

static void free_pass(struct pass *pass)
{
    if (pass->run) dnnl_primitive_destroy(pass->run);
    if (pass->run_adding) dnnl_primitive_destroy(pass->run_adding);
    if (pass->pack) dnnl_primitive_destroy(pass->pack);
    if (pass->packed) dnnl_memory_destroy(pass->packed);
    if (pass->other) dnnl_memory_destroy(pass->other);
    free(pass->packed_data);
    free(pass->other_data);
}

static void conv_destroy(struct meta_op *op)
{
    struct conv *s = op->state;
    if (!s) return;
    free_pass(&s->out);
    free_pass(&s->back);
    free_pass(&s->grad);
    dnnl_memory_t memories[] = { s->x, s->y, s->plain, s->scratch };
    for (size_t i = 0; i < sizeof memories / sizeof *memories; i++)
        if (memories[i]) dnnl_memory_destroy(memories[i]);
    if (s->stream) dnnl_stream_destroy(s->stream);
    free(s->turned);
    free(s->more);
    free(s->more_x);
    free(s);
    op->state = NULL;
}

/* A forward convolution of `size` and `pad` from x to y, plain and adding; weights in the layout oneDNN likes best. */
static int make_forward(struct conv *s, struct pass *pass, dnnl_alg_kind_t algorithm, dnnl_primitive_desc_t *kept, const dnnl_memory_desc_t *x,
                        const dnnl_memory_desc_t *y, int stride, int pad, int size, int tangents, dnnl_status_t *status)
{
    dnnl_convolution_desc_t desc;
    dnnl_memory_desc_t weights;
    dnnl_primitive_desc_t pd = NULL;
    dnnl_dims_t strides = { stride, stride }, pads = { pad, pad };
    *status = dnnl_success;
    TRY(set_tag(&weights, y->dims[1], x->dims[1], size, size, dnnl_format_tag_any));
    TRY(dnnl_convolution_forward_desc_init(&desc, dnnl_forward_training, algorithm, x, &weights, NULL, y,
                                           strides, pads, pads));
    if (make(s, &pass->run, &pd, &desc, 0, NULL, status)) goto fail;
    pass->weights = *dnnl_primitive_desc_query_md(pd, dnnl_query_weights_md, 0);
    if (tangents) {
        TRY(dnnl_convolution_forward_desc_init(&desc, dnnl_forward_training, algorithm, x, &pass->weights, NULL, y,
                                               strides, pads, pads));
        if (make(s, &pass->run_adding, NULL, &desc, 1, NULL, status)) goto fail;
    }
    *kept = pd;
    return 0;
fail:
    if (pd) dnnl_primitive_desc_destroy(pd);
    return -1;
}

static int create_primitives(struct meta_op *op, struct conv *s, int tangents, dnnl_alg_kind_t algorithm, dnnl_status_t *status)
{
    const struct meta_layer *l = op->layer;
    dnnl_memory_desc_t x, y, plain, any;
    dnnl_primitive_desc_t forward = NULL, pd = NULL;
    dnnl_convolution_desc_t desc;
    dnnl_dims_t strides = { l->stride, l->stride }, pads = { l->padding, l->padding };
    *status = dnnl_success;
    TRY(set_tag(&x, op->batch, op->in->c, op->in->h, op->in->w, tensor_tag(op->in->c)));
    TRY(set_tag(&y, op->batch, op->out.c, op->out.h, op->out.w, tensor_tag(op->out.c)));
    TRY(set_tag(&plain, op->out.c, op->in->c, l->size, l->size, dnnl_oihw));
    TRY(set_tag(&any, op->out.c, op->in->c, l->size, l->size, dnnl_format_tag_any));
    if (make_forward(s, &s->out, algorithm, &forward, &x, &y, l->stride, l->padding, l->size, tangents, status)) goto fail;
    TRY(make_room(&s->out, &plain, 0, tangents));

    TRY(dnnl_convolution_backward_weights_desc_init(&desc, algorithm, &x, &any, NULL, &y, strides, pads, pads));
    if (make(s, &s->grad.run, &pd, &desc, 0, forward, status)) goto fail;
    s->grad.weights = *dnnl_primitive_desc_query_md(pd, dnnl_query_diff_weights_md, 0);
    dnnl_primitive_desc_destroy(pd);
    pd = NULL;
    TRY(make_room(&s->grad, &plain, 1, 0));

    s->rotated = l->stride == 1 && l->padding < l->size;
    if (op->x->bar && s->rotated) {
        dnnl_memory_desc_t plain_turned;
        TRY(set_tag(&plain_turned, op->in->c, op->out.c, l->size, l->size, dnnl_oihw));
        if (make_forward(s, &s->back, algorithm, &pd, &y, &x, 1, l->size - 1 - l->padding, l->size, tangents, status)) goto fail;
        TRY(make_room(&s->back, &plain_turned, 0, tangents));
    } else if (op->x->bar) {
        TRY(dnnl_convolution_backward_data_desc_init(&desc, algorithm, &x, &any, &y, strides, pads, pads));
        if (make(s, &s->back.run, &pd, &desc, 0, forward, status)) goto fail;
        s->back.weights = *dnnl_primitive_desc_query_md(pd, dnnl_query_weights_md, 0);
        TRY(make_room(&s->back, &plain, 0, tangents));
    }
    TRY(dnnl_memory_create(&s->x, &x, meta_onednn_engine(), DNNL_MEMORY_NONE));
    TRY(dnnl_memory_create(&s->y, &y, meta_onednn_engine(), DNNL_MEMORY_NONE));
    TRY(dnnl_memory_create(&s->plain, &plain, meta_onednn_engine(), DNNL_MEMORY_NONE));
fail:
    if (pd) dnnl_primitive_desc_destroy(pd);
    if (forward) dnnl_primitive_desc_destroy(forward);
    return *status == dnnl_success ? 0 : -1;
}

static int create_buffers(struct meta_op *op, struct conv *s, int tangents)
{
    dnnl_memory_desc_t md;
    dnnl_dims_t dims = { s->scratch_size ? s->scratch_size : 1 };
    op->scratch_bytes = s->scratch_size;
    if (dnnl_memory_desc_init_by_tag(&md, 1, dims, dnnl_u8, dnnl_a) != dnnl_success) return -1;
    if (dnnl_memory_create(&s->scratch, &md, meta_onednn_engine(), DNNL_MEMORY_NONE) != dnnl_success) return -1;
    if (dnnl_stream_create(&s->stream, meta_onednn_engine(), dnnl_stream_default_flags) != dnnl_success) return -1;
    if (!(s->turned = malloc(op->weight_count * sizeof *s->turned))) return -1;
    if (tangents && !(s->more = malloc(op->weight_count * sizeof *s->more))) return -1;
    size_t n = op->batch * meta_onednn_image(*op->in);
    if (tangents && op->x->bar && !s->rotated && !(s->more_x = malloc(n * sizeof *s->more_x))) return -1;
    return 0;
}

static int conv_create(struct meta_op *op, int tangents, struct meta_error *error)
{
    dnnl_status_t status = dnnl_unimplemented;
    static const dnnl_alg_kind_t algorithms[] = { dnnl_convolution_winograd, dnnl_convolution_direct };
    for (int i = !winograd_pays(op); i < 2 && status != dnnl_success; i++) {
        conv_destroy(op);
        if (!(op->state = calloc(1, sizeof(struct conv)))) return meta_fail(error, "out of memory");
        create_primitives(op, op->state, tangents, algorithms[i], &status);
    }
    if (status != dnnl_success) {
        conv_destroy(op);
        return meta_fail(error, "oneDNN refuses a %dx%d convolution of %d to %d channels (status %d)",
                         op->layer->size, op->layer->size, op->in->c, op->out.c, status);
    }
    if (create_buffers(op, op->state, tangents)) {
        conv_destroy(op);
        return meta_fail(error, "out of memory");
    }
    return 0;
}

/* ---- passes ---------------------------------------------------------------------------------------------------------- */

static void run(struct conv *s, dnnl_primitive_t primitive, int ia, dnnl_memory_t a, int ib, dnnl_memory_t b, int ic, dnnl_memory_t c)
{
    dnnl_exec_arg_t args[] = { { ia, a }, { ib, b }, { DNNL_ARG_SCRATCHPAD, s->scratch }, { ic, c } };
    if (dnnl_primitive_execute(primitive, s->stream, c ? 4 : 3, args) != dnnl_success) abort();
}

static void reorder(struct conv *s, const struct pass *pass, dnnl_memory_t from, dnnl_memory_t to)
{
    run(s, pass->pack, DNNL_ARG_FROM, from, DNNL_ARG_TO, to, 0, NULL);
}

static void point(dnnl_memory_t memory, const void *data)
{
    dnnl_memory_set_data_handle(memory, (void *)data);
}

static void pack(struct conv *s, const struct pass *pass, const float *weights, dnnl_memory_t into)
{
    point(s->plain, weights);
    reorder(s, pass, s->plain, into);
}

/* (o, i, y, x) to (i, o, size-1-y, size-1-x), packed. */
static void pack_back(struct meta_op *op, struct conv *s, const float *weights, dnnl_memory_t into)
{
    int O = op->out.c, I = op->in->c, area = op->layer->size * op->layer->size;
    if (!s->rotated) {
        pack(s, &s->back, weights, into);
        return;
    }
    for (int o = 0; o < O; o++)
        for (int i = 0; i < I; i++) {
            const float *from = weights + ((size_t)o * I + i) * area;
            float *to = s->turned + ((size_t)i * O + o) * area;
            for (int k = 0; k < area; k++) to[area - 1 - k] = from[k];
        }
    pack(s, &s->back, s->turned, into);
}

static void outputs(struct conv *s, dnnl_primitive_t primitive, const void *x, dnnl_memory_t weights, void *y)
{
    point(s->x, x);
    point(s->y, y);
    run(s, primitive, DNNL_ARG_SRC, s->x, DNNL_ARG_WEIGHTS, weights, DNNL_ARG_DST, s->y);
}

static void inputs(struct conv *s, dnnl_primitive_t primitive, const void *ybar, dnnl_memory_t weights, void *xbar)
{
    point(s->x, xbar);
    point(s->y, ybar);
    if (s->rotated) run(s, primitive, DNNL_ARG_SRC, s->y, DNNL_ARG_WEIGHTS, weights, DNNL_ARG_DST, s->x);
    else run(s, primitive, DNNL_ARG_DIFF_DST, s->y, DNNL_ARG_WEIGHTS, weights, DNNL_ARG_DIFF_SRC, s->x);
}

/* wbar: plain, (o, i, y, x) */
static void weights_bar(struct conv *s, const void *x, const void *ybar, float *wbar)
{
    point(s->x, x);
    point(s->y, ybar);
    run(s, s->grad.run, DNNL_ARG_SRC, s->x, DNNL_ARG_DIFF_DST, s->y, DNNL_ARG_DIFF_WEIGHTS, s->grad.packed);
    point(s->plain, wbar);
    reorder(s, &s->grad, s->grad.packed, s->plain);
}

/* The state, ready for a pass */
static struct conv *ready(struct meta_op *op)
{
    struct conv *s = op->state;
    point(s->scratch, op->scratch);
    return s;
}

static void conv_forward(struct meta_op *op, const void *theta)
{
    struct conv *s = ready(op);
    pack(s, &s->out, (const float *)theta + op->weights, s->out.packed);
    outputs(s, s->out.run, op->x->value, s->out.packed, op->y.value);
}

static void conv_backward(struct meta_op *op, const void *theta, void *gradient)
{
    struct conv *s = ready(op);
    weights_bar(s, op->x->value, op->y.bar, (float *)gradient + op->weights);
    if (!op->x->bar) return;
    pack_back(op, s, (const float *)theta + op->weights, s->back.packed);
    inputs(s, s->back.run, op->y.bar, s->back.packed, op->x->bar);
}

/* The last forward packed theta's weights already, and the last backward turned them. */
static void conv_forward_tangent(struct meta_op *op, const void *theta, const void *v)
{
    struct conv *s = ready(op);
    pack(s, &s->out, (const float *)v + op->weights, s->out.other);
    outputs(s, s->out.run, op->x->value, s->out.other, op->y.dot);
    if (op->x->dot) outputs(s, s->out.run_adding, op->x->dot, s->out.packed, op->y.dot);
}

static void conv_backward_tangent(struct meta_op *op, const void *theta, const void *v, void *product)
{
    struct conv *s = ready(op);
    float *wbardot = (float *)product + op->weights;
    weights_bar(s, op->x->value, op->y.bardot, wbardot);
    if (op->x->dot) {
        weights_bar(s, op->x->dot, op->y.bar, s->more);
        for (size_t i = 0; i < op->weight_count; i++) wbardot[i] += s->more[i];
    }
    if (!op->x->bardot) return;
    pack_back(op, s, (const float *)v + op->weights, s->back.other);
    inputs(s, s->back.run, op->y.bardot, s->back.packed, op->x->bardot);
    if (s->rotated) {
        inputs(s, s->back.run_adding, op->y.bar, s->back.other, op->x->bardot);
    } else {
        size_t n = op->batch * meta_onednn_image(*op->in);
        float *xbardot = op->x->bardot;
        inputs(s, s->back.run, op->y.bar, s->back.other, s->more_x);
        for (size_t i = 0; i < n; i++) xbardot[i] += s->more_x[i];
    }
}

const struct meta_kernel meta_onednn_conv = {
    conv_create, conv_destroy, conv_forward, conv_backward, conv_forward_tangent, conv_backward_tangent
};
