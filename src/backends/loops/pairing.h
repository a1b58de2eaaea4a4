/* Pairing layers of plugins, which put every query image beside every class: planar doubles on
   the way in and out. They have no tangents, as a network that pairs adapts nothing in a task.
   kernels.h includes this file. */

struct NAME(pairing) {
    double *x, *xbar; /* (batch, in) planar */
    double *y;        /* (out_batch, out) planar, also for ybar */
};

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
    size_t in = op->batch * op->in->c * meta_pixels(*op->in);
    size_t out = op->out_batch * op->out.c * meta_pixels(op->out);
    struct NAME(pairing) *s = op->state = calloc(1, sizeof *s);
    if (!s) return meta_fail_memory(error);
    s->x = calloc(in, sizeof *s->x);
    s->xbar = calloc(in, sizeof *s->xbar);
    s->y = calloc(out, sizeof *s->y);
    if (s->x && s->xbar && s->y) return 0;
    NAME(pairing_destroy)(op);
    op->state = NULL;
    return meta_fail_memory(error);
}

static struct meta_set NAME(pairing_set)(const struct meta_op *op)
{
    return (struct meta_set){ op->ways, op->support, op->batch - op->support, op->labels };
}

static void NAME(pairing_forward)(struct meta_op *op, const void *theta)
{
    struct NAME(pairing) *s = op->state;
    struct meta_set set = NAME(pairing_set)(op);
    NAME(to_planar)(s->x, op->x->value, op->batch, *op->in);
    op->layer->plugin->pairing->forward(op->layer->settings, *op->in, &set, s->x, s->y);
    NAME(from_planar)(s->y, op->y.value, op->out_batch, op->out);
}

static void NAME(pairing_backward)(struct meta_op *op, const void *theta, void *gradient)
{
    struct NAME(pairing) *s = op->state;
    struct meta_set set = NAME(pairing_set)(op);
    if (!op->x->bar) return;
    NAME(to_planar)(s->x, op->x->value, op->batch, *op->in);
    NAME(to_planar)(s->y, op->y.bar, op->out_batch, op->out);
    op->layer->plugin->pairing->backward(op->layer->settings, *op->in, &set, s->x, s->y, s->xbar);
    NAME(from_planar)(s->xbar, op->x->bar, op->batch, *op->in);
}

__attribute__((unused)) static const struct meta_kernel NAME(pairing_kernel) = {
    .create = NAME(pairing_create),
    .destroy = NAME(pairing_destroy),
    .forward = NAME(pairing_forward),
    .backward = NAME(pairing_backward)
};
