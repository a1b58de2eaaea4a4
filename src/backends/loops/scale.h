/* [scale_channels] in plain loops: y = factor map, where the factors are x[0], (batch, c, 1, 1),
   and the maps x[1], (batch, c, h, w). kernels.h includes this file. */

/* y (+)= factor map; NULL stands for zeros. */
static void NAME(scale_maps)(const struct meta_op *op, const REAL *factor, const REAL *map, REAL *y,
                             int add)
{
    size_t P = meta_pixels(op->out);
    int C = op->out.c;
    for (int b = 0; b < op->batch; b++)
        for (int k = 0; k < C; k++) {
            REAL f = factor ? factor[AT(b, k, 0, C, 1)] : 0;
            for (size_t p = 0; p < P; p++) {
                size_t at = AT(b, k, p, C, P);
                y[at] = (add ? y[at] : 0) + (map ? f * map[at] : 0);
            }
        }
}

/* factorbar (+)= the sum of ybar map over each map; NULL stands for zeros. */
static void NAME(scale_sums)(const struct meta_op *op, const REAL *ybar, const REAL *map,
                             REAL *factorbar, int add)
{
    size_t P = meta_pixels(op->out);
    int C = op->out.c;
    for (int b = 0; b < op->batch; b++)
        for (int k = 0; k < C; k++) {
            size_t at = AT(b, k, 0, C, 1);
            double sum = add ? factorbar[at] : 0;
            for (size_t p = 0; map && p < P; p++)
                sum += (double)ybar[AT(b, k, p, C, P)] * map[AT(b, k, p, C, P)];
            factorbar[at] = sum;
        }
}

static void NAME(scale_forward)(struct meta_op *op, const void *theta)
{
    NAME(scale_maps)(op, op->x[0].value, op->x[1].value, op->y.value, 0);
}

static void NAME(scale_backward)(struct meta_op *op, const void *theta, void *gradient)
{
    const struct meta_planes *factor = &op->x[0], *map = &op->x[1];
    if (factor->bar) NAME(scale_sums)(op, op->y.bar, map->value, factor->bar, 0);
    if (map->bar) NAME(scale_maps)(op, factor->value, op->y.bar, map->bar, 0);
}

static void NAME(scale_forward_tangent)(struct meta_op *op, const void *theta, const void *v)
{
    NAME(scale_maps)(op, op->x[0].dot, op->x[1].value, op->y.dot, 0);
    NAME(scale_maps)(op, op->x[0].value, op->x[1].dot, op->y.dot, 1);
}

static void NAME(scale_backward_tangent)(struct meta_op *op, const void *theta, const void *v,
                                         void *product)
{
    const struct meta_planes *factor = &op->x[0], *map = &op->x[1];
    if (factor->bardot) {
        NAME(scale_sums)(op, op->y.bardot, map->value, factor->bardot, 0);
        NAME(scale_sums)(op, op->y.bar, map->dot, factor->bardot, 1);
    }
    if (!map->bardot) return;
    NAME(scale_maps)(op, factor->value, op->y.bardot, map->bardot, 0);
    NAME(scale_maps)(op, factor->dot, op->y.bar, map->bardot, 1);
}

__attribute__((unused)) static const struct meta_kernel NAME(scale_kernel) = {
    .forward = NAME(scale_forward),
    .backward = NAME(scale_backward),
    .forward_tangent = NAME(scale_forward_tangent),
    .backward_tangent = NAME(scale_backward_tangent)
};
