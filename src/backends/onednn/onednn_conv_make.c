/* Convolutions of the oneDNN backend: the form that each pass gets, and where it works.

   oneDNN has fast implementations for some forms of a convolution, and for the others a reference
   loop that takes a hundred times as long. Which ones depends on the processor: with AVX2 it wants
   at most three pixels of padding, and three channels of an image for the gradient of its weights;
   with AVX-512 channels in multiples of 16. Each pass takes the first form of a list that is not
   left to a reference loop.

   A convolution is turned round by another convolution, with the weights transposed and rotated.
   Unlike oneDNN's backward-data, this one can add to its output, which the tangent
   xbardot = W' ybardot + Wdot' ybar needs, and it is as fast as forward. */
#include "onednn_conv_pass.h"
#include "onednn_guard.h"

#include <stdlib.h>
#include <string.h>

/* A piece of the larger tensor, input or output, has at most PIECE bytes, or is one image. */
#define PIECE (1 << 20)

/* ---- forms ----------------------------------------------------------------------------------- */

#define ATTEMPTS 8 /* of a pass, at most */

static const struct meta_conv_attempt direct_attempts[][ATTEMPTS] = {
    [META_CONV_OUT] = { { META_CONV_OUT, META_FORM_OWN, 0 },
                        { META_CONV_OUT, META_FORM_PADDED, 0 },
                        { META_CONV_OUT, META_FORM_BLOCKED, 0 },
                        { META_CONV_OUT, META_FORM_WHOLE, 0 } },
    [META_CONV_BACK] = { { META_CONV_BACK, META_FORM_OWN, 1 },
                         { META_CONV_BACK, META_FORM_PADDED, 1 },
                         { META_CONV_BACK, META_FORM_OWN, 0 },
                         { META_CONV_BACK, META_FORM_PADDED, 0 },
                         { META_CONV_BACK, META_FORM_BLOCKED, 1 },
                         { META_CONV_BACK, META_FORM_BLOCKED, 0 },
                         { META_CONV_BACK, META_FORM_WHOLE, 0 },
                         { META_CONV_BACK, META_FORM_WHOLE, 1 } },
    [META_CONV_GRAD] = { { META_CONV_GRAD, META_FORM_OWN, 0 },
                         { META_CONV_GRAD, META_FORM_PADDED, 0 },
                         { META_CONV_GRAD, META_FORM_THREE, 0 },
                         { META_CONV_GRAD, META_FORM_BLOCKED, 0 },
                         { META_CONV_GRAD, META_FORM_WHOLE, 0 } },
};
static const int direct_count[] = {
    [META_CONV_OUT] = 4, [META_CONV_BACK] = 8, [META_CONV_GRAD] = 5
};

/* Winograd's F(4x4, 3x3) has a quarter of the multiplications, and errs by 7e-7 of the result
   where direct errs by 2e-7; below about ten pixels a side its tiles are mostly padding. It is
   worth channels of padding, too. */
static int winograd_pays(const struct meta_op *op)
{
    const struct meta_layer *l = op->layer;
    return l->size == 3 && l->stride == 1 && l->padding <= 1 && meta_layer_dilation(l) == 1
        && meta_onednn_padded(op->in->c) % 16 == 0 && meta_onednn_padded(op->out.c) % 16 == 0
        && op->out.h >= 8 && op->out.w >= 8;
}

static int make_winograd(struct meta_conv_maker *m, struct meta_conv_pass *pass,
                         enum meta_conv_direction direction)
{
    struct meta_conv_attempt a = { direction, META_FORM_PADDED, direction == META_CONV_BACK };
    return meta_conv_make_pass(m, pass, a);
}

/* If oneDNN has nothing fast, the first form that it has. */
static int make_direct(struct meta_conv_maker *m, struct meta_conv_pass *pass,
                       enum meta_conv_direction direction)
{
    for (m->takes_reference = 0; m->takes_reference < 2; m->takes_reference++)
        for (int i = 0; i < direct_count[direction]; i++) {
            if (!meta_conv_make_pass(m, pass, direct_attempts[direction][i])) return 0;
            if (m->status == dnnl_out_of_memory) return -1;
        }
    return -1;
}

static int make_pass(struct meta_conv_maker *m, struct meta_conv_pass *pass,
                     enum meta_conv_direction direction)
{
    m->takes_reference = 0;
    return m->algorithm == dnnl_convolution_winograd ? make_winograd(m, pass, direction)
                                                     : make_direct(m, pass, direction);
}

const char *meta_conv_slow(const struct meta_op *op)
{
    const struct meta_conv *s = op->state;
    for (const struct meta_conv_part *p = s->part; p < s->part + s->parts; p++) {
        const struct meta_conv_pass *passes[] = { &p->out, &p->back, &p->grad };
        for (int i = 0; i < 3; i++)
            if (passes[i]->run && meta_conv_is_reference(passes[i]->implementation))
                return passes[i]->implementation;
    }
    return NULL;
}

/* ---- pieces and scratch memory --------------------------------------------------------------- */

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

/* Bytes that the passes need of each kind of scratch memory: the most of all that were made. */
struct needs {
    size_t packed, grad, filled, x_copy, y_copy, more_x;
};

static void add_needs(struct needs *n, const struct meta_op *op, const struct meta_conv_part *part,
                      const struct meta_conv_pass *p, int tangents)
{
    if (!p->run) return;
    size_t weights = dnnl_memory_desc_get_size(&p->weights);
    size_t x = part->images * meta_view_numbers(&p->x) * sizeof(float);
    size_t y = part->images * meta_view_numbers(&p->y) * sizeof(float);
    size_t area = (size_t)op->layer->size * op->layer->size;
    int padded = p->x.channels != op->in->c || p->y.channels != op->out.c;
    if (p == &part->grad) n->grad = larger(n->grad, weights);
    else n->packed = larger(n->packed, weights);
    if (p->turned || padded)
        n->filled = larger(n->filled, area * p->x.channels * p->y.channels * sizeof(float));
    if (p->x.copied) n->x_copy = larger(n->x_copy, x);
    if (p->y.copied) n->y_copy = larger(n->y_copy, y);
    if (tangents && p == &part->back && !p->run_adding) n->more_x = larger(n->more_x, x);
}

static void lay_out_scratch(struct meta_op *op, struct meta_conv *s, int tangents)
{
    struct needs n = { 0 };
    for (struct meta_conv_part *p = s->part; p < s->part + s->parts; p++) {
        add_needs(&n, op, p, &p->out, tangents);
        add_needs(&n, op, p, &p->back, tangents);
        add_needs(&n, op, p, &p->grad, tangents);
    }
    op->scratch_bytes = 0;
    reserve(op, s->scratch_size);
    s->packed_at = reserve(op, n.packed);
    s->other_at = reserve(op, tangents ? n.packed : 0);
    s->sum_at = reserve(op, n.grad);
    s->grad_at = reserve(op, n.grad);
    s->filled_at = reserve(op, n.filled);
    s->more_at = reserve(op, s->parts > 1 ? op->weight_count * sizeof(float) : 0);
    s->x_copy_at = reserve(op, n.x_copy);
    s->y_copy_at = reserve(op, n.y_copy);
    s->more_x_at = reserve(op, n.more_x);
}

/* ---- the operation --------------------------------------------------------------------------- */

static int make_part(struct meta_conv_maker *m, struct meta_conv_part *part)
{
    m->images = part->images;
    return make_pass(m, &part->out, META_CONV_OUT) || make_pass(m, &part->grad, META_CONV_GRAD)
            || (m->op->x->bar && make_pass(m, &part->back, META_CONV_BACK))
        ? -1
        : 0;
}

/* What the parts share: the scratch memory of the primitives, and a stream. */
static int make_shared(struct meta_conv_maker *m)
{
    struct meta_conv *s = m->s;
    dnnl_memory_desc_t scratch;
    dnnl_dims_t bytes = { s->scratch_size ? s->scratch_size : 1 };
    dnnl_engine_t engine = meta_onednn_engine();
    m->status = dnnl_memory_desc_init_by_tag(&scratch, 1, bytes, dnnl_u8, dnnl_a);
    if (m->status == dnnl_success)
        m->status = dnnl_memory_create(&s->scratch, &scratch, engine, DNNL_MEMORY_NONE);
    if (m->status == dnnl_success)
        m->status = dnnl_stream_create(&s->stream, engine, dnnl_stream_default_flags);
    return m->status == dnnl_success ? 0 : -1;
}

void meta_conv_destroy(struct meta_op *op)
{
    struct meta_conv *s = op->state;
    if (!s) return;
    for (int i = 0; i < 2; i++) {
        meta_conv_free_pass(&s->part[i].out);
        meta_conv_free_pass(&s->part[i].back);
        meta_conv_free_pass(&s->part[i].grad);
    }
    if (s->scratch) dnnl_memory_destroy(s->scratch);
    if (s->stream) dnnl_stream_destroy(s->stream);
    free(s);
    op->state = NULL;
}

/* Winograd where it pays and oneDNN has it for every pass, else direct. A form that there was no
   memory for is no form that oneDNN does not have: another would give other last digits. */
static int make(void *maker, struct meta_error *error)
{
    static const dnnl_alg_kind_t algorithms[] = { dnnl_convolution_winograd,
                                                  dnnl_convolution_direct };
    struct meta_conv_maker *m = maker;
    struct meta_op *op = m->op;
    for (int i = !winograd_pays(op); i < 2 && m->status != dnnl_out_of_memory; i++) {
        meta_conv_destroy(op);
        if (!(m->s = op->state = calloc(1, sizeof *m->s))) return meta_fail_memory(error);
        m->algorithm = algorithms[i];
        cut_batch(op, m->s);
        int made = 1;
        for (int k = 0; k < m->s->parts && made; k++) made = !make_part(m, &m->s->part[k]);
        if (made && !make_shared(m)) return 0;
    }
    if (m->status == dnnl_out_of_memory) return meta_fail_memory(error);
    return meta_fail(error, "oneDNN refuses a %dx%d convolution of %d to %d channels (status %d)",
                     op->layer->size, op->layer->size, op->in->c, op->out.c, m->status);
}

int meta_conv_create(struct meta_op *op, int tangents, struct meta_error *error)
{
    struct meta_conv_maker m = { .op = op, .tangents = tangents };
    if (meta_onednn_make(make, &m, error)) {
        meta_conv_destroy(op);
        return -1;
    }
    lay_out_scratch(op, op->state, tangents);
    return 0;
}
