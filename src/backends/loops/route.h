/* Routes in plain loops: the channels of the inputs side by side. kernels.h includes this file. */

/* The channels of one input stand in the output from channel `first` on; a NULL part is zeros. */
static void NAME(route_copy)(const struct meta_op *op, int input, int first, const REAL *part,
                             REAL *whole)
{
    size_t P = meta_pixels(op->out);
    int C = op->in[input].c;
    for (int b = 0; b < op->batch; b++)
        for (int k = 0; k < C; k++)
            for (size_t p = 0; p < P; p++)
                whole[AT(b, first + k, p, op->out.c, P)] = part ? part[AT(b, k, p, C, P)] : 0;
}

/* The transpose of route_copy; a NULL part is not wanted. */
static void NAME(route_take)(const struct meta_op *op, int input, int first, const REAL *whole,
                             REAL *part)
{
    size_t P = meta_pixels(op->out);
    int C = op->in[input].c;
    for (int b = 0; part && b < op->batch; b++)
        for (int k = 0; k < C; k++)
            for (size_t p = 0; p < P; p++)
                part[AT(b, k, p, C, P)] = whole[AT(b, first + k, p, op->out.c, P)];
}

static void NAME(route_forward)(struct meta_op *op, const void *theta)
{
    for (int i = 0, first = 0; i < op->inputs; first += op->in[i++].c)
        NAME(route_copy)(op, i, first, op->x[i].value, op->y.value);
}

static void NAME(route_backward)(struct meta_op *op, const void *theta, void *gradient)
{
    for (int i = 0, first = 0; i < op->inputs; first += op->in[i++].c)
        NAME(route_take)(op, i, first, op->y.bar, op->x[i].bar);
}

static void NAME(route_forward_tangent)(struct meta_op *op, const void *theta, const void *v)
{
    for (int i = 0, first = 0; i < op->inputs; first += op->in[i++].c)
        NAME(route_copy)(op, i, first, op->x[i].dot, op->y.dot);
}

static void NAME(route_backward_tangent)(struct meta_op *op, const void *theta, const void *v,
                                         void *product)
{
    for (int i = 0, first = 0; i < op->inputs; first += op->in[i++].c)
        NAME(route_take)(op, i, first, op->y.bardot, op->x[i].bardot);
}

__attribute__((unused)) static const struct meta_kernel NAME(route_kernel) = {
    .forward = NAME(route_forward),
    .backward = NAME(route_backward),
    .forward_tangent = NAME(route_forward_tangent),
    .backward_tangent = NAME(route_backward_tangent)
};
