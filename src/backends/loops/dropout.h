/* Dropout in plain loops; kernels.h includes this file. The map is linear and its own transpose. */

static void NAME(dropout_apply)(const struct meta_op *op, const REAL *x, REAL *y)
{
    size_t P = meta_pixels(op->out);
    for (int b = 0; b < op->batch; b++)
        for (int k = 0; k < op->out.c; k++)
            for (size_t p = 0; p < P; p++) {
                size_t at = AT(b, k, p, op->out.c, P);
                y[at] = op->mask ? x[at] * op->mask[((size_t)b * op->out.c + k) * P + p] : x[at];
            }
}

static void NAME(dropout_forward)(struct meta_op *op, const void *theta)
{
    NAME(dropout_apply)(op, op->x->value, op->y.value);
}

static void NAME(dropout_backward)(struct meta_op *op, const void *theta, void *gradient)
{
    if (op->x->bar) NAME(dropout_apply)(op, op->y.bar, op->x->bar);
}

static void NAME(dropout_forward_tangent)(struct meta_op *op, const void *theta, const void *v)
{
    NAME(dropout_apply)(op, op->x->dot, op->y.dot);
}

static void NAME(dropout_backward_tangent)(struct meta_op *op, const void *theta, const void *v,
                                           void *product)
{
    if (op->x->bardot) NAME(dropout_apply)(op, op->y.bardot, op->x->bardot);
}

__attribute__((unused)) static const struct meta_kernel NAME(dropout_kernel) = {
    .forward = NAME(dropout_forward),
    .backward = NAME(dropout_backward),
    .forward_tangent = NAME(dropout_forward_tangent),
    .backward_tangent = NAME(dropout_backward_tangent)
};
