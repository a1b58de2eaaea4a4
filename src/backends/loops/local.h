/* [local] in plain loops: a convolution whose every pixel has kernels and biases of its own, by
   Darknet's local_layer.c: weights (pixel, output channel, input channel, y, x), biases (output
   channel, pixel). kernels.h includes this file. */

/* One output: its kernel's weights (c, K, K) and the input that they meet. */
struct NAME(local_meeting) {
    const struct meta_op *op;
    int b, top, left; /* of the image; where the window begins, which may be outside */
};

/* Where the input of a window's pixel (n, m) lies; -1: in the padding. */
static long NAME(local_at)(const struct NAME(local_meeting) * w, int c, int n, int m)
{
    const struct meta_shape in = *w->op->in;
    int y = w->top + n, x = w->left + m;
    if (y < 0 || x < 0 || y >= in.h || x >= in.w) return -1;
    return (long)AT(w->b, c, (size_t)y * in.w + x, in.c, meta_pixels(in));
}

static double NAME(local_sum)(const struct NAME(local_meeting) * w, const REAL *x,
                              const REAL *kernel)
{
    int C = w->op->in->c, K = w->op->layer->size;
    double sum = 0;
    for (int c = 0; c < C; c++)
        for (int n = 0; n < K; n++)
            for (int m = 0; m < K; m++, kernel++) {
                long at = NAME(local_at)(w, c, n, m);
                if (at >= 0) sum += (double)*kernel * x[at];
            }
    return sum;
}

/* xbar += ybar kernel, for xbar not NULL; kernelbar += ybar x, for kernelbar not NULL. */
static void NAME(local_pull)(const struct NAME(local_meeting) * w, REAL ybar, const REAL *x,
                             const REAL *kernel, REAL *xbar, REAL *kernelbar)
{
    int C = w->op->in->c, K = w->op->layer->size;
    for (int c = 0; c < C; c++)
        for (int n = 0; n < K; n++)
            for (int m = 0; m < K; m++) {
                long at = NAME(local_at)(w, c, n, m);
                size_t k = ((size_t)c * K + n) * K + m;
                if (at < 0) continue;
                if (xbar) xbar[at] += ybar * kernel[k];
                if (kernelbar) kernelbar[k] += ybar * x[at];
            }
}

/* Calls for each output in turn: `at` is where it lies in y, `kernel` where its kernel begins,
   `bias` the number of its bias. */
struct NAME(local_output) {
    struct NAME(local_meeting) meeting;
    size_t at, kernel, bias;
};

static int NAME(local_next)(struct NAME(local_output) * o, size_t index)
{
    const struct meta_op *op = o->meeting.op;
    const struct meta_layer *l = op->layer;
    size_t P = meta_pixels(op->out), F = (size_t)op->out.c;
    size_t b = index / (P * F), p = index / F % P, f = index % F;
    if (b >= (size_t)op->batch) return 0;
    o->meeting.b = (int)b;
    o->meeting.top = (int)(p / op->out.w) * l->stride - l->padding;
    o->meeting.left = (int)(p % op->out.w) * l->stride - l->padding;
    o->at = AT(b, f, p, op->out.c, P);
    o->kernel = (p * F + f) * op->in->c * l->size * l->size;
    o->bias = f * P + p;
    return 1;
}

/* y (+)= W x + bias; x or bias NULL: zeros. */
static void NAME(local_outputs)(const struct meta_op *op, const REAL *x, const REAL *w,
                                const REAL *bias, REAL *y, int add)
{
    struct NAME(local_output) o = { .meeting.op = op };
    for (size_t i = 0; NAME(local_next)(&o, i); i++) {
        double sum = (add ? y[o.at] : 0) + (bias ? bias[o.bias] : 0);
        y[o.at] = (REAL)(sum + (x ? NAME(local_sum)(&o.meeting, x, w + o.kernel) : 0));
    }
}

/* xbar (+)= W' ybar, for xbar not NULL. */
static void NAME(local_inputs)(const struct meta_op *op, const REAL *ybar, const REAL *w,
                               REAL *xbar, int add)
{
    struct NAME(local_output) o = { .meeting.op = op };
    if (!xbar) return;
    if (!add) memset(xbar, 0, op->batch * IMAGE(*op->in) * sizeof *xbar);
    for (size_t i = 0; NAME(local_next)(&o, i); i++)
        NAME(local_pull)(&o.meeting, ybar[o.at], NULL, w + o.kernel, xbar, NULL);
}

/* wbar (+)= ybar (x) x; x NULL: zeros. */
static void NAME(local_weights)(const struct meta_op *op, const REAL *x, const REAL *ybar,
                                REAL *wbar, int add)
{
    struct NAME(local_output) o = { .meeting.op = op };
    if (!add) memset(wbar, 0, op->weight_count * sizeof *wbar);
    for (size_t i = 0; x && NAME(local_next)(&o, i); i++)
        NAME(local_pull)(&o.meeting, ybar[o.at], x, NULL, NULL, wbar + o.kernel);
}

static void NAME(local_biases)(const struct meta_op *op, const REAL *ybar, REAL *bar)
{
    struct NAME(local_output) o = { .meeting.op = op };
    memset(bar, 0, meta_shape_numbers(op->out) * sizeof *bar);
    for (size_t i = 0; NAME(local_next)(&o, i); i++) bar[o.bias] += ybar[o.at];
}

static void NAME(local_forward)(struct meta_op *op, const void *theta)
{
    const REAL *all = theta;
    NAME(local_outputs)(op, op->x->value, all + op->weights, all + op->biases, op->y.value, 0);
}

static void NAME(local_backward)(struct meta_op *op, const void *theta, void *gradient)
{
    REAL *all = gradient;
    NAME(local_weights)(op, op->x->value, op->y.bar, all + op->weights, 0);
    NAME(local_biases)(op, op->y.bar, all + op->biases);
    NAME(local_inputs)(op, op->y.bar, (const REAL *)theta + op->weights, op->x->bar, 0);
}

static void NAME(local_forward_tangent)(struct meta_op *op, const void *theta, const void *v)
{
    const REAL *all = v;
    NAME(local_outputs)(op, op->x->value, all + op->weights, all + op->biases, op->y.dot, 0);
    NAME(local_outputs)(op, op->x->dot, (const REAL *)theta + op->weights, NULL, op->y.dot, 1);
}

static void NAME(local_backward_tangent)(struct meta_op *op, const void *theta, const void *v,
                                         void *product)
{
    REAL *all = product;
    NAME(local_weights)(op, op->x->value, op->y.bardot, all + op->weights, 0);
    NAME(local_weights)(op, op->x->dot, op->y.bar, all + op->weights, 1);
    NAME(local_biases)(op, op->y.bardot, all + op->biases);
    NAME(local_inputs)(op, op->y.bardot, (const REAL *)theta + op->weights, op->x->bardot, 0);
    NAME(local_inputs)(op, op->y.bar, (const REAL *)v + op->weights, op->x->bardot, 1);
}

__attribute__((unused)) static const struct meta_kernel NAME(local_kernel) = {
    .forward = NAME(local_forward),
    .backward = NAME(local_backward),
    .forward_tangent = NAME(local_forward_tangent),
    .backward_tangent = NAME(local_backward_tangent)
};
