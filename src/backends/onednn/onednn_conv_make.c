/* Convolutions of the oneDNN backend: their primitives, and where these work.

   A convolution of stride 1 is turned round by another convolution, with the weights transposed and rotated: unlike oneDNN's
   backward-data it can add to its output, which the tangent xbardot = W' ybardot + Wdot' ybar needs, and it is as fast as forward. */
#include "onednn_conv.h"

#include <stdlib.h>
#include <string.h>

/* A piece of the larger tensor, input or output, has at most so many bytes, or is one image. */
#define PIECE (1 << 20)

#define TRY(call) do { dnnl_status_t s_ = (call); if (s_ != dnnl_success) { *status = s_; goto fail; } } while (0)

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

static void note_scratch(struct meta_conv *s, dnnl_primitive_desc_t pd)
{
    const dnnl_memory_desc_t *md = dnnl_primitive_desc_query_md(pd, dnnl_query_scratchpad_md, 0);
    size_t size = md ? dnnl_memory_desc_get_size(md) : 0;
    if (size > s->scratch_size) s->scratch_size = size;
}

/* A primitive that leaves its scratch memory to us; adding: with destination += result. */
static int make(struct meta_conv *s, dnnl_primitive_t *out, dnnl_primitive_desc_t *kept, const void *desc, int adding,
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

/* Packing to the layout of `pass`'s weights, or back, and memory objects of two such arrays. */
static dnnl_status_t make_packing(struct meta_conv_pass *pass, const dnnl_memory_desc_t *plain, int is_gradient)
{
    dnnl_status_t status = is_gradient ? make_reorder(&pass->pack, &pass->weights, plain)
                                       : make_reorder(&pass->pack, plain, &pass->weights);
    dnnl_memory_t *memories[] = { &pass->packed, &pass->other };
    for (int i = 0; i < 2 && status == dnnl_success; i++)
        status = dnnl_memory_create(memories[i], &pass->weights, meta_onednn_engine(), DNNL_MEMORY_NONE);
    return status;
}

static void free_pass(struct meta_conv_pass *pass)
{
    dnnl_primitive_t primitives[] = { pass->run, pass->run_adding, pass->pack };
    dnnl_memory_t memories[] = { pass->packed, pass->other };
    for (int i = 0; i < 3; i++) if (primitives[i]) dnnl_primitive_destroy(primitives[i]);
    for (int i = 0; i < 2; i++) if (memories[i]) dnnl_memory_destroy(memories[i]);
}

void meta_conv_destroy(struct meta_op *op)
{
    struct meta_conv *s = op->state;
    if (!s) return;
    for (int i = 0; i < 2; i++) {
        struct meta_conv_part *p = &s->part[i];
        free_pass(&p->out);
        free_pass(&p->back);
        free_pass(&p->grad);
        if (p->x) dnnl_memory_destroy(p->x);
        if (p->y) dnnl_memory_destroy(p->y);
    }
    if (s->plain) dnnl_memory_destroy(s->plain);
    if (s->scratch) dnnl_memory_destroy(s->scratch);
    if (s->stream) dnnl_stream_destroy(s->stream);
    free(s);
    op->state = NULL;
}

/* A forward convolution of `size` and `pad` from x to y, plain and adding; weights in the layout oneDNN likes best. */
static int make_forward(struct meta_conv *s, struct meta_conv_pass *pass, dnnl_alg_kind_t algorithm, dnnl_primitive_desc_t *kept,
                        const dnnl_memory_desc_t *x, const dnnl_memory_desc_t *y, int stride, int pad, int size, int tangents,
                        dnnl_status_t *status)
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

static int make_part(const struct meta_op *op, struct meta_conv *s, struct meta_conv_part *part, int tangents, dnnl_alg_kind_t algorithm,
                     dnnl_status_t *status)
{
    const struct meta_layer *l = op->layer;
    dnnl_memory_desc_t x, y, plain, any;
    dnnl_primitive_desc_t forward = NULL, pd = NULL;
    dnnl_convolution_desc_t desc;
    dnnl_dims_t strides = { l->stride, l->stride }, pads = { l->padding, l->padding };
    *status = dnnl_success;
    TRY(set_tag(&x, part->images, op->in->c, op->in->h, op->in->w, tensor_tag(op->in->c)));
    TRY(set_tag(&y, part->images, op->out.c, op->out.h, op->out.w, tensor_tag(op->out.c)));
    TRY(set_tag(&plain, op->out.c, op->in->c, l->size, l->size, dnnl_oihw));
    TRY(set_tag(&any, op->out.c, op->in->c, l->size, l->size, dnnl_format_tag_any));
    if (make_forward(s, &part->out, algorithm, &forward, &x, &y, l->stride, l->padding, l->size, tangents, status)) goto fail;
    TRY(make_packing(&part->out, &plain, 0));

    TRY(dnnl_convolution_backward_weights_desc_init(&desc, algorithm, &x, &any, NULL, &y, strides, pads, pads));
    if (make(s, &part->grad.run, &pd, &desc, 0, forward, status)) goto fail;
    part->grad.weights = *dnnl_primitive_desc_query_md(pd, dnnl_query_diff_weights_md, 0);
    dnnl_primitive_desc_destroy(pd);
    pd = NULL;
    TRY(make_packing(&part->grad, &plain, 1));

    if (op->x->bar && s->rotated) {
        dnnl_memory_desc_t plain_turned;
        TRY(set_tag(&plain_turned, op->in->c, op->out.c, l->size, l->size, dnnl_oihw));
        if (make_forward(s, &part->back, algorithm, &pd, &y, &x, 1, l->size - 1 - l->padding, l->size, tangents, status)) goto fail;
        TRY(make_packing(&part->back, &plain_turned, 0));
    } else if (op->x->bar) {
        TRY(dnnl_convolution_backward_data_desc_init(&desc, algorithm, &x, &any, &y, strides, pads, pads));
        if (make(s, &part->back.run, &pd, &desc, 0, forward, status)) goto fail;
        part->back.weights = *dnnl_primitive_desc_query_md(pd, dnnl_query_weights_md, 0);
        TRY(make_packing(&part->back, &plain, 0));
    }
    TRY(dnnl_memory_create(&part->x, &x, meta_onednn_engine(), DNNL_MEMORY_NONE));
    TRY(dnnl_memory_create(&part->y, &y, meta_onednn_engine(), DNNL_MEMORY_NONE));
fail:
    if (pd) dnnl_primitive_desc_destroy(pd);
    if (forward) dnnl_primitive_desc_destroy(forward);
    return *status == dnnl_success ? 0 : -1;
}

/* Pieces as large as they may be, of one size if at least half as large ones can be. */
static void cut_batch(const struct meta_op *op, struct meta_conv *s)
{
    size_t in = meta_onednn_image(*op->in), out = meta_onednn_image(op->out), image = (in > out ? in : out) * sizeof(float);
    int most = PIECE / image > 0 ? PIECE / image : 1, images = most < op->batch ? most : op->batch;
    for (int n = images; n > most / 2; n--)
        if (op->batch % n == 0) { images = n; break; }
    s->part[0] = (struct meta_conv_part){ .images = images, .pieces = op->batch / images };
    s->part[1] = (struct meta_conv_part){ .images = op->batch % images, .first = op->batch / images * images, .pieces = 1 };
    s->parts = s->part[1].images ? 2 : 1;
}

static size_t reserve(struct meta_op *op, size_t bytes)
{
    size_t at = op->scratch_bytes;
    op->scratch_bytes += (bytes + 63) / 64 * 64;
    return at;
}

static size_t larger(size_t a, size_t b) { return a > b ? a : b; }

/* Bytes of the largest packed weights of one pass over the parts; a pass that isn't has none. */
static size_t packed_size(const struct meta_conv *s, size_t pass)
{
    size_t size = 0;
    for (int i = 0; i < s->parts; i++) {
        const struct meta_conv_pass *p = (const void *)((const char *)&s->part[i] + pass);
        if (p->run) size = larger(size, dnnl_memory_desc_get_size(&p->weights));
    }
    return size;
}

static void lay_out_scratch(struct meta_op *op, struct meta_conv *s, int tangents)
{
    size_t packed = larger(packed_size(s, offsetof(struct meta_conv_part, out)), packed_size(s, offsetof(struct meta_conv_part, back)));
    size_t grad = packed_size(s, offsetof(struct meta_conv_part, grad)), plain = op->weight_count * sizeof(float);
    op->scratch_bytes = 0;
    reserve(op, s->scratch_size);
    s->packed_at = reserve(op, packed);
    s->other_at = reserve(op, tangents ? packed : 0);
    s->sum_at = reserve(op, grad);
    s->grad_at = reserve(op, grad);
    s->turned_at = reserve(op, s->rotated ? plain : 0);
    s->more_at = reserve(op, s->parts > 1 ? plain : 0);
    s->more_x_at = reserve(op, tangents && !s->rotated ? s->part->images * meta_onednn_image(*op->in) * sizeof(float) : 0);
}

static int create_shared(const struct meta_op *op, struct meta_conv *s, dnnl_status_t *status)
{
    dnnl_memory_desc_t plain, scratch;
    dnnl_dims_t bytes = { s->scratch_size ? s->scratch_size : 1 };
    *status = dnnl_success;
    TRY(set_tag(&plain, op->out.c, op->in->c, op->layer->size, op->layer->size, dnnl_oihw));
    TRY(dnnl_memory_create(&s->plain, &plain, meta_onednn_engine(), DNNL_MEMORY_NONE));
    TRY(dnnl_memory_desc_init_by_tag(&scratch, 1, bytes, dnnl_u8, dnnl_a));
    TRY(dnnl_memory_create(&s->scratch, &scratch, meta_onednn_engine(), DNNL_MEMORY_NONE));
    TRY(dnnl_stream_create(&s->stream, meta_onednn_engine(), dnnl_stream_default_flags));
fail:
    return *status == dnnl_success ? 0 : -1;
}

int meta_conv_create(struct meta_op *op, int tangents, struct meta_error *error)
{
    dnnl_status_t status = dnnl_unimplemented;
    static const dnnl_alg_kind_t algorithms[] = { dnnl_convolution_winograd, dnnl_convolution_direct };
    for (int i = !winograd_pays(op); i < 2 && status != dnnl_success; i++) {
        struct meta_conv *s;
        meta_conv_destroy(op);
        if (!(s = op->state = calloc(1, sizeof *s))) return meta_fail(error, "out of memory");
        s->rotated = op->layer->stride == 1 && op->layer->padding < op->layer->size;
        cut_batch(op, s);
        status = dnnl_success;
        for (int k = 0; k < s->parts && status == dnnl_success; k++) make_part(op, s, &s->part[k], tangents, algorithms[i], &status);
        if (status == dnnl_success) create_shared(op, s, &status);
    }
    if (status != dnnl_success) {
        meta_conv_destroy(op);
        return meta_fail(error, "oneDNN refuses a %dx%d convolution of %d to %d channels (status %d)",
                         op->layer->size, op->layer->size, op->in->c, op->out.c, status);
    }
    lay_out_scratch(op, op->state, tangents);
    return 0;
}
