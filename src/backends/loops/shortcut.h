/* Shortcuts in plain loops; kernels.h includes this file. y = activation(u), where u is `here`, and
   alpha here + beta from at the numbers that Darknet's sampling touches (shortcut_cpu, blas.c). */

/* The part of `here` that is touched: (c, h, w) numbers, `sample` apart in `here`, `stride` in
   `from`. */
struct NAME(touched) {
    int c, h, w, stride, sample;
};

static struct NAME(touched) NAME(shortcut_touched)(const struct meta_op *op)
{
    struct meta_shape here = op->in[0], from = op->in[1];
    int stride = from.w / here.w, sample = here.w / from.w;
    return (struct NAME(touched)){ from.c < here.c ? from.c : here.c,
                                   from.h < here.h ? from.h : here.h,
                                   from.w < here.w ? from.w : here.w, stride < 1 ? 1 : stride,
                                   sample < 1 ? 1 : sample };
}

/* u = here, but alpha here + beta from where it is touched. The map is linear and so serves values
   and tangents. NULL stands for zeros. */
static void NAME(shortcut_sum)(const struct meta_op *op, const REAL *here, const REAL *from,
                               REAL *u)
{
    struct NAME(touched) t = NAME(shortcut_touched)(op);
    struct meta_shape a = op->in[0], f = op->in[1];
    size_t P = meta_pixels(a), F = meta_pixels(f), n = op->batch * IMAGE(a);
    if (here) memcpy(u, here, n * sizeof *u);
    else memset(u, 0, n * sizeof *u);
    for (int b = 0; b < op->batch; b++)
        for (int k = 0; k < t.c; k++)
            for (int y = 0; y < t.h; y++)
                for (int x = 0; x < t.w; x++) {
                    size_t at = AT(b, k, (size_t)y * t.sample * a.w + x * t.sample, a.c, P);
                    size_t source = AT(b, k, (size_t)y * t.stride * f.w + x * t.stride, f.c, F);
                    u[at] = op->layer->alpha * u[at] + (from ? op->layer->beta * from[source] : 0);
                }
}

/* The transpose of shortcut_sum. What is NULL is not wanted. */
static void NAME(shortcut_split)(const struct meta_op *op, const REAL *ubar, REAL *here, REAL *from)
{
    struct NAME(touched) t = NAME(shortcut_touched)(op);
    struct meta_shape a = op->in[0], f = op->in[1];
    size_t P = meta_pixels(a), F = meta_pixels(f);
    if (here) memcpy(here, ubar, op->batch * IMAGE(a) * sizeof *here);
    if (from) memset(from, 0, op->batch * IMAGE(f) * sizeof *from);
    for (int b = 0; b < op->batch; b++)
        for (int k = 0; k < t.c; k++)
            for (int y = 0; y < t.h; y++)
                for (int x = 0; x < t.w; x++) {
                    size_t at = AT(b, k, (size_t)y * t.sample * a.w + x * t.sample, a.c, P);
                    size_t source = AT(b, k, (size_t)y * t.stride * f.w + x * t.stride, f.c, F);
                    if (here) here[at] = op->layer->alpha * ubar[at];
                    if (from) from[source] = op->layer->beta * ubar[at];
                }
}

/* (batch, out) each: u and its tangent, which the activation's derivatives need on the way back,
   and ubar or its tangent between the activation and the split. */
struct NAME(shortcut) {
    REAL *u, *udot, *ubar;
};

static void NAME(shortcut_destroy)(struct meta_op *op)
{
    struct NAME(shortcut) *s = op->state;
    if (!s) return;
    free(s->u);
    free(s->udot);
    free(s->ubar);
    free(s);
}

static int NAME(shortcut_create)(struct meta_op *op, int tangents, struct meta_error *error)
{
    size_t n = op->batch * IMAGE(op->out);
    struct NAME(shortcut) *s = op->state = calloc(1, sizeof *s);
    if (!s) return meta_fail_memory(error);
    s->u = calloc(n, sizeof *s->u);
    s->ubar = calloc(n, sizeof *s->ubar);
    if (tangents) s->udot = calloc(n, sizeof *s->udot);
    if (s->u && s->ubar && (!tangents || s->udot)) return 0;
    NAME(shortcut_destroy)(op);
    op->state = NULL;
    return meta_fail_memory(error);
}

static size_t NAME(shortcut_count)(const struct meta_op *op) { return op->batch * IMAGE(op->out); }

static void NAME(shortcut_forward)(struct meta_op *op, const void *theta)
{
    struct NAME(shortcut) *s = op->state;
    REAL *y = op->y.value;
    NAME(shortcut_sum)(op, op->x[0].value, op->x[1].value, s->u);
    for (size_t i = 0; i < NAME(shortcut_count)(op); i++)
        y[i] = meta_activate(op->activation, s->u[i]);
    for (int b = 0; op->argument && b < op->batch; b++)
        op->argument[b] = s->u[AT(b, 0, 0, op->out.c, meta_pixels(op->out))];
}

static void NAME(shortcut_backward)(struct meta_op *op, const void *theta, void *gradient)
{
    struct NAME(shortcut) *s = op->state;
    const REAL *ybar = op->y.bar;
    for (size_t i = 0; i < NAME(shortcut_count)(op); i++)
        s->ubar[i] = ybar[i] * meta_slope(op->activation, s->u[i]);
    NAME(shortcut_split)(op, s->ubar, op->x[0].bar, op->x[1].bar);
}

static void NAME(shortcut_forward_tangent)(struct meta_op *op, const void *theta, const void *v)
{
    struct NAME(shortcut) *s = op->state;
    REAL *ydot = op->y.dot;
    NAME(shortcut_sum)(op, op->x[0].dot, op->x[1].dot, s->udot);
    for (size_t i = 0; i < NAME(shortcut_count)(op); i++)
        ydot[i] = meta_slope(op->activation, s->u[i]) * s->udot[i];
}

static void NAME(shortcut_backward_tangent)(struct meta_op *op, const void *theta, const void *v,
                                            void *product)
{
    struct NAME(shortcut) *s = op->state;
    const REAL *ybar = op->y.bar, *ybardot = op->y.bardot;
    for (size_t i = 0; i < NAME(shortcut_count)(op); i++)
        s->ubar[i] = ybardot[i] * meta_slope(op->activation, s->u[i])
            + ybar[i] * meta_bend(op->activation, s->u[i]) * s->udot[i];
    NAME(shortcut_split)(op, s->ubar, op->x[0].bardot, op->x[1].bardot);
}

__attribute__((unused)) static const struct meta_kernel NAME(shortcut_kernel) = {
    .create = NAME(shortcut_create),
    .destroy = NAME(shortcut_destroy),
    .forward = NAME(shortcut_forward),
    .backward = NAME(shortcut_backward),
    .forward_tangent = NAME(shortcut_forward_tangent),
    .backward_tangent = NAME(shortcut_backward_tangent)
};
