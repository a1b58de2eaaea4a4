/* Convolutions of the oneDNN backend: their primitives, and where these work.

   A convolution of stride 1 is turned round by another convolution, with the weights transposed
   and rotated. Unlike oneDNN's backward-data, this one can add to its output, which the tangent
   xbardot = W' ybardot + Wdot' ybar needs, and it is as fast as forward. */
#include "onednn_conv.h"

#include <stdlib.h>
#include <string.h>

/* A piece of the larger tensor, input or output, has at most PIECE bytes, or is one image. */
#define PIECE (1 << 20)

/* What is being made, how, and what oneDNN last said. */
struct maker {
    const struct meta_op *op;
    struct meta_conv *s;
    dnnl_alg_kind_t algorithm;
    int tangents;
    dnnl_status_t status;
};

/* Notes what oneDNN says, and tells whether that is no. */
static int refused(struct maker *m, dnnl_status_t status)
{
    m->status = status;
    return status != dnnl_success;
}

static dnnl_format_tag_t tensor_tag(int channels)
{
    if (meta_onednn_planar(channels)) return dnnl_nchw;
    return meta_onednn_shift == 4 ? dnnl_nChw16c : dnnl_nChw8c;
}

/* Winograd's F(4x4, 3x3) has a quarter of the multiplications, and errs by 7e-7 of the result
   where direct errs by 2e-7; below about ten pixels a side its tiles are mostly padding. */
static int winograd_pays(const struct meta_op *op)
{
    const struct meta_layer *l = op->layer;
    return l->size == 3 && l->stride == 1 && l->padding <= 1 && op->in->c % 16 == 0
        && op->out.c % 16 == 0 && op->out.h >= 8 && op->out.w >= 8;
}

static dnnl_status_t set_tag(dnnl_memory_desc_t *md, int n, int c, int h, int w,
                             dnnl_format_tag_t tag)
{
    dnnl_dims_t dims = { n, c, h, w };
    return dnnl_memory_desc_init_by_tag(md, 4, dims, dnnl_f32, tag);
}

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

/* Makes a primitive that leaves its scratch memory to us, and notes how much it needs. Its
   descriptor, if `kept` is given, is the caller's. */
static int make(struct maker *m, const struct request *request, dnnl_primitive_t *out,
                dnnl_primitive_desc_t *kept)
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
        || refused(m, dnnl_primitive_create(out, pd));
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

/* Makes the reorder to the layout of the pass's weights, of a gradient the one back to plain,
   and two memory objects of that layout. */
static dnnl_status_t make_packing(struct meta_conv_pass *pass, const dnnl_memory_desc_t *plain,
                                  int is_gradient)
{
    dnnl_status_t status = is_gradient ? make_reorder(&pass->pack, &pass->weights, plain)
                                       : make_reorder(&pass->pack, plain, &pass->weights);
    dnnl_memory_t *memories[] = { &pass->packed, &pass->other };
    dnnl_engine_t engine = meta_onednn_engine();
    for (int i = 0; i < 2 && status == dnnl_success; i++)
        status = dnnl_memory_create(memories[i], &pass->weights, engine, DNNL_MEMORY_NONE);
    return status;
}

static void free_pass(struct meta_conv_pass *pass)
{
    dnnl_primitive_t primitives[] = { pass->run, pass->run_adding, pass->pack };
    dnnl_memory_t memories[] = { pass->packed, pass->other };
    for (int i = 0; i < 3; i++)
        if (primitives[i]) dnnl_primitive_destroy(primitives[i]);
    for (int i = 0; i < 2; i++)
        if (memories[i]) dnnl_memory_destroy(memories[i]);
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

/* A forward convolution from x to y. */
struct forward {
    const dnnl_memory_desc_t *x, *y;
    int stride, pad, size;
};

static dnnl_status_t describe_forward(struct maker *m, dnnl_convolution_desc_t *desc,
                                      const struct forward *f, const dnnl_memory_desc_t *weights)
{
    dnnl_dims_t strides = { f->stride, f->stride }, pads = { f->pad, f->pad };
    return dnnl_convolution_forward_desc_init(desc, dnnl_forward_training, m->algorithm, f->x,
                                              weights, NULL, f->y, strides, pads, pads);
}

/* Makes that convolution, and with tangents also an adding one, with weights in the layout that
   oneDNN likes best. The descriptor is the caller's. */
static int make_forward(struct maker *m, struct meta_conv_pass *pass, const struct forward *f,
                        dnnl_primitive_desc_t *kept)
{
    dnnl_convolution_desc_t desc;
    dnnl_memory_desc_t any;
    dnnl_primitive_desc_t pd = NULL;
    struct request plain = { &desc, 0, NULL }, adding = { &desc, 1, NULL };
    int out = f->y->dims[1], in = f->x->dims[1];
    if (refused(m, set_tag(&any, out, in, f->size, f->size, dnnl_format_tag_any))
        || refused(m, describe_forward(m, &desc, f, &any)) || make(m, &plain, &pass->run, &pd))
        return -1;
    pass->weights = *dnnl_primitive_desc_query_md(pd, dnnl_query_weights_md, 0);
    if (m->tangents
        && (refused(m, describe_forward(m, &desc, f, &pass->weights))
            || make(m, &adding, &pass->run_adding, NULL))) {
        dnnl_primitive_desc_destroy(pd);
        return -1;
    }
    *kept = pd;
    return 0;
}

/* The layouts of one part: its tensors, and its weights, plain and as oneDNN likes them. */
struct layouts {
    dnnl_memory_desc_t x, y, plain, any;
};

static int lay_out(struct maker *m, const struct meta_conv_part *part, struct layouts *l)
{
    struct meta_shape in = *m->op->in, out = m->op->out;
    int n = part->images, size = m->op->layer->size;
    return refused(m, set_tag(&l->x, n, in.c, in.h, in.w, tensor_tag(in.c)))
            || refused(m, set_tag(&l->y, n, out.c, out.h, out.w, tensor_tag(out.c)))
            || refused(m, set_tag(&l->plain, out.c, in.c, size, size, dnnl_oihw))
            || refused(m, set_tag(&l->any, out.c, in.c, size, size, dnnl_format_tag_any))
        ? -1
        : 0;
}

static int make_grad(struct maker *m, struct meta_conv_pass *pass, const struct layouts *l,
                     dnnl_primitive_desc_t forward)
{
    const struct meta_layer *layer = m->op->layer;
    dnnl_dims_t strides = { layer->stride, layer->stride };
    dnnl_dims_t pads = { layer->padding, layer->padding };
    dnnl_convolution_desc_t desc;
    dnnl_primitive_desc_t pd = NULL;
    struct request request = { &desc, 0, forward };
    if (refused(m,
                dnnl_convolution_backward_weights_desc_init(&desc, m->algorithm, &l->x, &l->any,
                                                            NULL, &l->y, strides, pads, pads))
        || make(m, &request, &pass->run, &pd))
        return -1;
    pass->weights = *dnnl_primitive_desc_query_md(pd, dnnl_query_diff_weights_md, 0);
    dnnl_primitive_desc_destroy(pd);
    return refused(m, make_packing(pass, &l->plain, 1)) ? -1 : 0;
}

static int make_rotated(struct maker *m, struct meta_conv_pass *pass, const struct layouts *l)
{
    const struct meta_layer *layer = m->op->layer;
    struct forward turned = { &l->y, &l->x, 1, layer->size - 1 - layer->padding, layer->size };
    dnnl_memory_desc_t plain;
    dnnl_primitive_desc_t pd = NULL;
    if (refused(m, set_tag(&plain, m->op->in->c, m->op->out.c, layer->size, layer->size, dnnl_oihw))
        || make_forward(m, pass, &turned, &pd))
        return -1;
    dnnl_primitive_desc_destroy(pd);
    return refused(m, make_packing(pass, &plain, 0)) ? -1 : 0;
}

static int make_back(struct maker *m, struct meta_conv_pass *pass, const struct layouts *l,
                     dnnl_primitive_desc_t forward)
{
    const struct meta_layer *layer = m->op->layer;
    dnnl_dims_t strides = { layer->stride, layer->stride };
    dnnl_dims_t pads = { layer->padding, layer->padding };
    dnnl_convolution_desc_t desc;
    dnnl_primitive_desc_t pd = NULL;
    struct request request = { &desc, 0, forward };
    if (m->s->rotated) return make_rotated(m, pass, l);
    if (refused(m,
                dnnl_convolution_backward_data_desc_init(&desc, m->algorithm, &l->x, &l->any, &l->y,
                                                         strides, pads, pads))
        || make(m, &request, &pass->run, &pd))
        return -1;
    pass->weights = *dnnl_primitive_desc_query_md(pd, dnnl_query_weights_md, 0);
    dnnl_primitive_desc_destroy(pd);
    return refused(m, make_packing(pass, &l->plain, 0)) ? -1 : 0;
}

static int make_part(struct maker *m, struct meta_conv_part *part)
{
    const struct meta_layer *layer = m->op->layer;
    struct layouts l;
    struct forward how = { &l.x, &l.y, layer->stride, layer->padding, layer->size };
    dnnl_primitive_desc_t forward = NULL;
    dnnl_engine_t engine = meta_onednn_engine();
    if (lay_out(m, part, &l) || make_forward(m, &part->out, &how, &forward)) return -1;
    int failed = refused(m, make_packing(&part->out, &l.plain, 0))
        || make_grad(m, &part->grad, &l, forward)
        || (m->op->x->bar && make_back(m, &part->back, &l, forward))
        || refused(m, dnnl_memory_create(&part->x, &l.x, engine, DNNL_MEMORY_NONE))
        || refused(m, dnnl_memory_create(&part->y, &l.y, engine, DNNL_MEMORY_NONE));
    dnnl_primitive_desc_destroy(forward);
    return failed ? -1 : 0;
}

static size_t larger(size_t a, size_t b) { return a > b ? a : b; }

/* Pieces are as large as they may be, but of one size where pieces of at least half that can be. */
static void cut_batch(const struct meta_op *op, struct meta_conv *s)
{
    size_t image = larger(meta_onednn_image(*op->in), meta_onednn_image(op->out)) * sizeof(float);
    int most = PIECE / image > 0 ? PIECE / image : 1, images = most < op->batch ? most : op->batch;
    for (int n = images; n > most / 2; n--)
        if (op->batch % n == 0) {
            images = n;
            break;
        }
    int pieces = op->batch / images, left = op->batch % images;
    s->part[0] = (struct meta_conv_part){ .images = images, .pieces = pieces };
    s->part[1] = (struct meta_conv_part){ .images = left, .first = pieces * images, .pieces = 1 };
    s->parts = left ? 2 : 1;
}

static size_t reserve(struct meta_op *op, size_t bytes)
{
    size_t at = op->scratch_bytes;
    op->scratch_bytes += (bytes + 63) / 64 * 64;
    return at;
}

/* Bytes of the largest packed weights of one pass over the parts; a pass that was not made takes
   none. */
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
    size_t packed = larger(packed_size(s, offsetof(struct meta_conv_part, out)),
                           packed_size(s, offsetof(struct meta_conv_part, back)));
    size_t grad = packed_size(s, offsetof(struct meta_conv_part, grad));
    size_t plain = op->weight_count * sizeof(float);
    size_t piece = s->part->images * meta_onednn_image(*op->in) * sizeof(float);
    op->scratch_bytes = 0;
    reserve(op, s->scratch_size);
    s->packed_at = reserve(op, packed);
    s->other_at = reserve(op, tangents ? packed : 0);
    s->sum_at = reserve(op, grad);
    s->grad_at = reserve(op, grad);
    s->turned_at = reserve(op, s->rotated ? plain : 0);
    s->more_at = reserve(op, s->parts > 1 ? plain : 0);
    s->more_x_at = reserve(op, tangents && !s->rotated ? piece : 0);
}

/* What the parts share: plain weights, the scratch memory of the primitives, and a stream. */
static int make_shared(struct maker *m)
{
    const struct meta_op *op = m->op;
    struct meta_conv *s = m->s;
    int size = op->layer->size;
    dnnl_memory_desc_t plain, scratch;
    dnnl_dims_t bytes = { s->scratch_size ? s->scratch_size : 1 };
    dnnl_engine_t engine = meta_onednn_engine();
    return refused(m, set_tag(&plain, op->out.c, op->in->c, size, size, dnnl_oihw))
            || refused(m, dnnl_memory_create(&s->plain, &plain, engine, DNNL_MEMORY_NONE))
            || refused(m, dnnl_memory_desc_init_by_tag(&scratch, 1, bytes, dnnl_u8, dnnl_a))
            || refused(m, dnnl_memory_create(&s->scratch, &scratch, engine, DNNL_MEMORY_NONE))
            || refused(m, dnnl_stream_create(&s->stream, engine, dnnl_stream_default_flags))
        ? -1
        : 0;
}

/* Winograd where it pays and oneDNN has it, else direct. */
int meta_conv_create(struct meta_op *op, int tangents, struct meta_error *error)
{
    static const dnnl_alg_kind_t algorithms[] = { dnnl_convolution_winograd,
                                                  dnnl_convolution_direct };
    struct maker m = { .op = op, .tangents = tangents };
    int made = 0;
    for (int i = !winograd_pays(op); i < 2 && !made; i++) {
        meta_conv_destroy(op);
        if (!(m.s = op->state = calloc(1, sizeof *m.s))) return meta_fail_memory(error);
        m.algorithm = algorithms[i];
        m.s->rotated = op->layer->stride == 1 && op->layer->padding < op->layer->size;
        cut_batch(op, m.s);
        made = 1;
        for (int k = 0; k < m.s->parts && made; k++) made = !make_part(&m, &m.s->part[k]);
        if (made) made = !make_shared(&m);
    }
    if (!made) {
        meta_conv_destroy(op);
        return meta_fail(error,
                         "oneDNN refuses a %dx%d convolution of %d to %d channels (status %d)",
                         op->layer->size, op->layer->size, op->in->c, op->out.c, m.status);
    }
    lay_out_scratch(op, m.s, tangents);
    return 0;
}
