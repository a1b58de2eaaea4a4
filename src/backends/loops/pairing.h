/* Kernels of networks that pair query images with classes, in plain loops: included once a backend, after host_kernels.h. They have
   no tangents: such a network adapts nothing in a task. */

/* ---- pairing: planar doubles at the border ----------------------------------------------------------------------------- */

struct NAME(pairing) { double *x, *xbar, *y; };     /* (batch, in) twice, (out_batch, out); y is also ybar */

static void NAME(pairing_destroy)(struct meta_op *op)
{
    struct NAME(pairing) *s = op->state;
    if (!s) return;
    free(s->x);
    free(s->xbar);
    free(s->y);
    free(s);
}

static int NAME(pairing_create)(struct meta_op *op, int tangents, struct meta_error *error)
{
    size_t in = op->batch * op->in->c * NAME(pixels)(*op->in), out = op->out_batch * op->out.c * NAME(pixels)(op->out);
    struct NAME(pairing) *s = op->state = calloc(1, sizeof *s);
    if (!s) return meta_fail(error, "out of memory");
    s->x = calloc(in, sizeof *s->x);
    s->xbar = calloc(in, sizeof *s->xbar);
    s->y = calloc(out, sizeof *s->y);
    if (s->x && s->xbar && s->y) return 0;
    NAME(pairing_destroy)(op);
    op->state = NULL;
    return meta_fail(error, "out of memory");
}

static struct meta_set NAME(pairing_set)(const struct meta_op *op)
{
    return (struct meta_set){ op->ways, op->support, op->batch - op->support, op->labels };
}

static void NAME(pairing_forward)(struct meta_op *op, const void *theta)
{
    struct NAME(pairing) *s = op->state;
    struct meta_set set = NAME(pairing_set)(op);
    op->layer->plugin->pairing->forward(op->layer->settings, *op->in, &set, NAME(to_planar)(s->x, op->x->value, op->batch, *op->in), s->y);
    NAME(from_planar)(s->y, op->y.value, op->out_batch, op->out);
}

static void NAME(pairing_backward)(struct meta_op *op, const void *theta, void *gradient)
{
    struct NAME(pairing) *s = op->state;
    struct meta_set set = NAME(pairing_set)(op);
    if (!op->x->bar) return;
    op->layer->plugin->pairing->backward(op->layer->settings, *op->in, &set, NAME(to_planar)(s->x, op->x->value, op->batch, *op->in),
                                         NAME(to_planar)(s->y, op->y.bar, op->out_batch, op->out), s->xbar);
    NAME(from_planar)(s->xbar, op->x->bar, op->batch, *op->in);
}

__attribute__((unused)) static const struct meta_kernel NAME(pairing_kernel) = {
    NAME(pairing_create), NAME(pairing_destroy), NAME(pairing_forward), NAME(pairing_backward), NULL, NULL
};

/* ---- squares: mean of (score - target)^2 over the pairs, the target of query image q and class k being [k is q's label] ---- */

static inline double NAME(squares_target)(const struct meta_op *op, int pair)
{
    return op->labels[pair / op->ways] == pair % op->ways;
}

static void NAME(squares_forward)(struct meta_op *op, const void *theta)
{
    struct NAME(loss) *s = op->state;
    const REAL *x = op->x->value;
    op->loss = 0;
    for (int b = 0; b < op->batch; b++) {
        double d = x[NAME(logit)(op, b, 0)] - NAME(squares_target)(op, b);
        s->p[b] = x[NAME(logit)(op, b, 0)];
        op->loss += d * d / op->batch;
    }
}

static void NAME(squares_backward)(struct meta_op *op, const void *theta, void *gradient)
{
    struct NAME(loss) *s = op->state;
    REAL *xbar = op->x->bar;
    for (int b = 0; xbar && b < op->batch; b++)
        xbar[NAME(logit)(op, b, 0)] = 2 * (s->p[b] - NAME(squares_target)(op, b)) / op->batch;
}

/* One number an item has no padding in any layout. */
__attribute__((unused)) static const struct meta_kernel NAME(squares_kernel) = {
    NAME(loss_create), NAME(loss_destroy), NAME(squares_forward), NAME(squares_backward), NULL, NULL
};
