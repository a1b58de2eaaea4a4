/* Average pooling over the whole map in plain loops; kernels.h includes this file. */

/* x: (batch, c, h, w); y: (batch, c, 1, 1) */
static void NAME(avgpool_reduce)(const struct meta_op *op, const REAL *x, REAL *y)
{
    size_t P = meta_pixels(*op->in);
    for (int b = 0; b < op->batch; b++)
        for (int k = 0; k < op->in->c; k++) {
            double sum = 0;
            for (size_t p = 0; p < P; p++) sum += x[AT(b, k, p, op->in->c, P)];
            y[AT(b, k, 0, op->in->c, 1)] = sum / P;
        }
}

/* The transpose of avgpool_reduce. */
static void NAME(avgpool_spread)(const struct meta_op *op, const REAL *ybar, REAL *xbar)
{
    size_t P = meta_pixels(*op->in);
    int C = op->in->c;
    for (int b = 0; b < op->batch; b++)
        for (int k = 0; k < C; k++)
            for (size_t p = 0; p < P; p++) xbar[AT(b, k, p, C, P)] = ybar[AT(b, k, 0, C, 1)] / P;
}

static void NAME(avgpool_forward)(struct meta_op *op, const void *theta)
{
    NAME(avgpool_reduce)(op, op->x->value, op->y.value);
}

static void NAME(avgpool_backward)(struct meta_op *op, const void *theta, void *gradient)
{
    if (op->x->bar) NAME(avgpool_spread)(op, op->y.bar, op->x->bar);
}

static void NAME(avgpool_forward_tangent)(struct meta_op *op, const void *theta, const void *v)
{
    NAME(avgpool_reduce)(op, op->x->dot, op->y.dot);
}

static void NAME(avgpool_backward_tangent)(struct meta_op *op, const void *theta, const void *v,
                                           void *product)
{
    if (op->x->bardot) NAME(avgpool_spread)(op, op->y.bardot, op->x->bardot);
}

__attribute__((unused)) static const struct meta_kernel NAME(avgpool_kernel) = {
    .forward = NAME(avgpool_forward),
    .backward = NAME(avgpool_backward),
    .forward_tangent = NAME(avgpool_forward_tangent),
    .backward_tangent = NAME(avgpool_backward_tangent)
};
