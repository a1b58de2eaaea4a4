/* Layers whose outputs are single numbers of their input, times a factor, plus a term: [crop],
   [reorg] and [upsample]. kernels.h includes this file. */

struct NAME(pick) {
    size_t *from, *to; /* (count) places in an image of the input and of the output */
    size_t count;      /* the outputs that are no zeros */
    double gain, term;
};

static void NAME(pick_destroy)(struct meta_op *op)
{
    struct NAME(pick) *s = op->state;
    if (!s) return;
    free(s->from);
    free(s->to);
    free(s);
    op->state = NULL;
}

static int NAME(pick_create)(struct meta_op *op, int tangents, struct meta_error *error)
{
    size_t n = meta_shape_numbers(op->out), P = meta_pixels(*op->in), Q = meta_pixels(op->out);
    struct NAME(pick) *s = op->state = calloc(1, sizeof *s);
    if (s) {
        s->from = malloc(n * sizeof *s->from);
        s->to = malloc(n * sizeof *s->to);
    }
    if (!s || !s->from || !s->to) {
        NAME(pick_destroy)(op);
        return meta_fail_memory(error);
    }
    for (size_t j = 0; j < n; j++) {
        size_t i = meta_pick(op->layer, j);
        if (i == META_NONE) continue;
        s->from[s->count] = AT(0, i / P, i % P, op->in->c, P);
        s->to[s->count++] = AT(0, j / Q, j % Q, op->out.c, Q);
    }
    s->gain = op->layer->type == META_UPSAMPLE ? op->layer->alpha : op->layer->adjust ? 2 : 1;
    s->term = op->layer->adjust ? -1 : 0;
    return 0;
}

/* y = gain x + term where x is picked, and 0 elsewhere, in the padding too; x NULL is zeros. */
static void NAME(pick_take)(const struct meta_op *op, const REAL *x, double term, REAL *y)
{
    const struct NAME(pick) *s = op->state;
    memset(y, 0, op->batch * IMAGE(op->out) * sizeof *y);
    for (int b = 0; x && b < op->batch; b++) {
        const REAL *from = x + b * IMAGE(*op->in);
        REAL *to = y + b * IMAGE(op->out);
        for (size_t j = 0; j < s->count; j++) to[s->to[j]] = s->gain * from[s->from[j]] + term;
    }
}

/* The transpose of pick_take. */
static void NAME(pick_give)(const struct meta_op *op, const REAL *ybar, REAL *xbar)
{
    const struct NAME(pick) *s = op->state;
    if (!xbar) return;
    memset(xbar, 0, op->batch * IMAGE(*op->in) * sizeof *xbar);
    for (int b = 0; b < op->batch; b++) {
        const REAL *from = ybar + b * IMAGE(op->out);
        REAL *to = xbar + b * IMAGE(*op->in);
        for (size_t j = 0; j < s->count; j++) to[s->from[j]] += s->gain * from[s->to[j]];
    }
}

static void NAME(pick_forward)(struct meta_op *op, const void *theta)
{
    NAME(pick_take)(op, op->x->value, ((struct NAME(pick) *)op->state)->term, op->y.value);
}

static void NAME(pick_backward)(struct meta_op *op, const void *theta, void *gradient)
{
    NAME(pick_give)(op, op->y.bar, op->x->bar);
}

static void NAME(pick_forward_tangent)(struct meta_op *op, const void *theta, const void *v)
{
    NAME(pick_take)(op, op->x->dot, 0, op->y.dot);
}

static void NAME(pick_backward_tangent)(struct meta_op *op, const void *theta, const void *v,
                                        void *product)
{
    NAME(pick_give)(op, op->y.bardot, op->x->bardot);
}

__attribute__((unused)) static const struct meta_kernel NAME(pick_kernel) = {
    .create = NAME(pick_create),
    .destroy = NAME(pick_destroy),
    .forward = NAME(pick_forward),
    .backward = NAME(pick_backward),
    .forward_tangent = NAME(pick_forward_tangent),
    .backward_tangent = NAME(pick_backward_tangent)
};
