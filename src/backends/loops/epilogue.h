/* Epilogues in plain loops, for any activation and any pool; kernels.h includes this file. */

struct NAME(epilogue) {
    struct meta_channel *channels; /* (c) */
    int *winner;                   /* (batch, out) the pixel that each output came from; NULL
                                      without a pool */
    double *reached;               /* (h, w) of out: what the winners get on the way back */
};

static void NAME(epilogue_destroy)(struct meta_op *op)
{
    struct NAME(epilogue) *e = op->state;
    if (!e) return;
    free(e->channels);
    free(e->winner);
    free(e->reached);
    free(e);
}

static int NAME(epilogue_create)(struct meta_op *op, int tangents, struct meta_error *error)
{
    struct NAME(epilogue) *e = op->state = calloc(1, sizeof *e);
    if (!e) return meta_fail_memory(error);
    e->channels = calloc(op->out.c, sizeof *e->channels);
    if (op->pool_size) e->winner = calloc(op->batch * IMAGE(op->out), sizeof *e->winner);
    e->reached = calloc(meta_pixels(op->out), sizeof *e->reached);
    if (!e->channels || !e->reached || (op->pool_size && !e->winner)) {
        NAME(epilogue_destroy)(op);
        op->state = NULL;
        return meta_fail_memory(error);
    }
    return 0;
}

/* Mean and variance of channel k over the batch, in two passes. */
static void NAME(epilogue_moments)(const struct meta_op *op, int k, struct meta_channel *channel)
{
    const REAL *x = op->x->value;
    size_t P = meta_pixels(*op->in);
    double n = (double)op->batch * P, sum = 0, squares = 0;
    for (int b = 0; b < op->batch; b++)
        for (size_t p = 0; p < P; p++) sum += x[AT(b, k, p, op->in->c, P)];
    double mean = sum / n;
    for (int b = 0; b < op->batch; b++)
        for (size_t p = 0; p < P; p++) {
            double d = x[AT(b, k, p, op->in->c, P)] - mean;
            squares += d * d;
        }
    meta_channel_set(channel, mean, n > 1 ? squares / (n - 1) : 0, n);
}

/* The pixel in output q's window whose y = gain x^ + bias is the largest. The sign of the gain
   decides whether that is the largest or the smallest x. */
static int NAME(epilogue_window)(const struct meta_op *op, const REAL *x, int b, int k, size_t q,
                                 double gain)
{
    int C = op->in->c, H = op->in->h, W = op->in->w, best = -1;
    int top = (int)(q / op->out.w) * op->pool_stride - op->pool_padding / 2;
    int left = (int)(q % op->out.w) * op->pool_stride - op->pool_padding / 2;
    double most = 0;
    for (int i = top; i < top + op->pool_size; i++)
        for (int j = left; j < left + op->pool_size; j++) {
            if (i < 0 || i >= H || j < 0 || j >= W) continue;
            double value = gain * x[AT(b, k, (size_t)i * W + j, C, (size_t)H * W)];
            if (best < 0 || value > most) {
                most = value;
                best = i * W + j;
            }
        }
    return best;
}

/* Measures the channels from k on that are normalised together. */
static void NAME(epilogue_measure)(const struct meta_op *op, int k)
{
    struct NAME(epilogue) *e = op->state;
    for (int j = k; j < k + op->turns; j++) NAME(epilogue_moments)(op, j, &e->channels[j]);
    if (op->turns > 1) meta_channels_join(&e->channels[k], op->turns);
}

/* v: a tangent, or NULL. */
static struct meta_joined NAME(epilogue_joined)(const struct meta_op *op, const REAL *theta,
                                                const REAL *v, int k)
{
    struct meta_joined t = { .count = op->turns };
    for (int j = 0; op->normalise && j < op->turns; j++) {
        t.scales[j] = theta[op->scales + k + j];
        t.scaledots[j] = v ? v[op->scales + k + j] : 0;
    }
    return t;
}

/* The constants of one channel as a pixel sees them: y = gain (x - centre) + shift; gain = scale
   r. */
struct NAME(affine) {
    double gain, centre, shift, scale, r;
};

static struct NAME(affine) NAME(epilogue_affine)(const struct meta_op *op, const REAL *theta, int k)
{
    struct NAME(epilogue) *e = op->state;
    struct NAME(affine) f = { 1, 0, 0, 1, 1 };
    if (op->normalise) {
        f.scale = theta[op->scales + k];
        f.r = e->channels[k].r;
        f.centre = e->channels[k].mean;
        f.gain = f.scale * f.r;
    }
    if (op->biases != META_NONE) f.shift = theta[op->biases + k];
    return f;
}

/* The pixel of channel k of image b that output q came from. */
static inline size_t NAME(epilogue_source)(const struct meta_op *op, int b, int k, size_t q)
{
    const struct NAME(epilogue) *e = op->state;
    return e->winner ? (size_t)e->winner[AT(b, k, q, op->out.c, meta_pixels(op->out))] : q;
}

static void NAME(epilogue_forward)(struct meta_op *op, const void *parameters)
{
    struct NAME(epilogue) *e = op->state;
    const REAL *theta = parameters, *x = op->x->value;
    REAL *z = op->y.value;
    int C = op->out.c;
    size_t P = meta_pixels(*op->in), Q = meta_pixels(op->out);
    for (int k = 0; k < C; k++) {
        if (op->normalise && op->statistics)
            meta_channel_set(&e->channels[k], op->statistics[op->mean + k],
                             op->statistics[op->variance + k], 0);
        else if (op->normalise && k % op->turns == 0) NAME(epilogue_measure)(op, k);
        struct NAME(affine) f = NAME(epilogue_affine)(op, theta, k);
        for (int b = 0; b < op->batch; b++)
            for (size_t q = 0; q < Q; q++) {
                size_t at = AT(b, k, q, C, Q), p = q;
                if (e->winner) p = e->winner[at] = NAME(epilogue_window)(op, x, b, k, q, f.gain);
                double y = f.gain * (x[AT(b, k, p, C, P)] - f.centre) + f.shift;
                z[at] = meta_activate(op->activation, y);
                if (op->argument) op->argument[b] = y;
            }
    }
}

/* Adds what the winners of channel k of image b get. */
static void NAME(epilogue_reach)(const struct meta_op *op, int b, int k, REAL *xbar)
{
    const struct NAME(epilogue) *e = op->state;
    size_t P = meta_pixels(*op->in), Q = meta_pixels(op->out);
    for (size_t q = 0; q < Q; q++)
        xbar[AT(b, k, NAME(epilogue_source)(op, b, k, q), op->out.c, P)] += e->reached[q];
}

/* Writes the sums of channel k, which are its gradient. */
static void NAME(epilogue_slopes)(const struct meta_op *op, int k, struct NAME(affine) f, REAL *out)
{
    struct NAME(epilogue) *e = op->state;
    struct meta_channel *c = &e->channels[k];
    const REAL *x = op->x->value, *zbar = op->y.bar;
    int C = op->out.c;
    size_t P = meta_pixels(*op->in), Q = meta_pixels(op->out);
    c->g1 = c->g2 = 0;
    for (int b = 0; b < op->batch; b++)
        for (size_t q = 0; q < Q; q++) {
            size_t p = NAME(epilogue_source)(op, b, k, q);
            double d = x[AT(b, k, p, C, P)] - f.centre;
            double slope = meta_slope(op->activation, f.gain * d + f.shift);
            double ybar = zbar[AT(b, k, q, C, Q)] * slope;
            c->g1 += ybar;
            c->g2 += ybar * d * f.r;
        }
    if (op->biases != META_NONE) out[op->biases + k] = c->g1;
    if (op->normalise) out[op->scales + k] = c->g2;
}

/* The adjoint of channel k's input: a + s (x - centre), and more where an adjoint reaches it. */
static void NAME(epilogue_adjoint)(const struct meta_op *op, int k, struct NAME(affine) f, double a,
                                   double s)
{
    struct NAME(epilogue) *e = op->state;
    const REAL *x = op->x->value, *zbar = op->y.bar;
    REAL *xbar = op->x->bar;
    int C = op->out.c;
    size_t P = meta_pixels(*op->in), Q = meta_pixels(op->out);
    for (int b = 0; b < op->batch; b++) {
        for (size_t q = 0; q < Q; q++) { /* before xbar, which may take the place of x */
            size_t p = NAME(epilogue_source)(op, b, k, q);
            double y = f.gain * (x[AT(b, k, p, C, P)] - f.centre) + f.shift;
            e->reached[q] = f.gain * zbar[AT(b, k, q, C, Q)] * meta_slope(op->activation, y);
        }
        for (size_t p = 0; p < P; p++) {
            size_t at = AT(b, k, p, C, P);
            xbar[at] = a + s * (x[at] - f.centre);
        }
        NAME(epilogue_reach)(op, b, k, xbar);
    }
}

/* Channels that are normalised together are summed before the first of them is written. */
static void NAME(epilogue_backward)(struct meta_op *op, const void *parameters, void *gradient)
{
    struct NAME(epilogue) *e = op->state;
    const REAL *theta = parameters;
    for (int k = 0; k < op->out.c; k += op->turns) {
        struct meta_joined t = NAME(epilogue_joined)(op, theta, NULL, k);
        double a = 0, s = 0;
        for (int j = k; j < k + op->turns; j++)
            NAME(epilogue_slopes)(op, j, NAME(epilogue_affine)(op, theta, j), gradient);
        if (op->normalise) meta_channels_backward(&e->channels[k], &t, &a, &s);
        for (int j = k; op->x->bar && j < k + op->turns; j++)
            NAME(epilogue_adjoint)(op, j, NAME(epilogue_affine)(op, theta, j), a, s);
    }
}
/* The tangents of one channel's constants: x^dot = slope xdot + offset + on_x (x - centre). */
struct NAME(dot) {
    double slope, offset, on_x, scaledot, shiftdot;
};

static struct NAME(dot) NAME(epilogue_dot)(const struct meta_op *op, const REAL *v, int k)
{
    const struct NAME(epilogue) *e = op->state;
    struct NAME(dot) t = { 1, 0, 0, 0, 0 };
    if (op->normalise) {
        meta_channel_tangent(&e->channels[k], &t.slope, &t.offset, &t.on_x);
        t.scaledot = v[op->scales + k];
    }
    if (op->biases != META_NONE) t.shiftdot = v[op->biases + k];
    return t;
}

/* The tangent sums of the channels from k on that are normalised together. */
static void NAME(epilogue_products)(const struct meta_op *op, const REAL *theta, int k)
{
    struct NAME(epilogue) *e = op->state;
    const REAL *x = op->x->value, *xdot = op->x->dot;
    int C = op->out.c;
    size_t P = meta_pixels(*op->in);
    for (int j = k; j < k + op->turns; j++) {
        struct meta_channel *c = &e->channels[j];
        struct NAME(affine) f = NAME(epilogue_affine)(op, theta, j);
        c->s1 = c->s2 = 0;
        for (int b = 0; xdot && op->normalise && b < op->batch; b++)
            for (size_t p = 0; p < P; p++) {
                size_t at = AT(b, j, p, C, P);
                c->s1 += xdot[at];
                c->s2 += xdot[at] * (x[at] - f.centre) * f.r;
            }
    }
    if (op->turns > 1) meta_channels_join_tangents(&e->channels[k], op->turns);
}

static void NAME(epilogue_forward_tangent)(struct meta_op *op, const void *parameters,
                                           const void *tangent)
{
    const REAL *theta = parameters, *v = tangent, *x = op->x->value, *xdot = op->x->dot;
    REAL *z = op->y.value, *zdot = op->y.dot;
    int C = op->out.c;
    size_t P = meta_pixels(*op->in), Q = meta_pixels(op->out);
    for (int k = 0; k < C; k++) {
        struct NAME(affine) f = NAME(epilogue_affine)(op, theta, k);
        if (k % op->turns == 0) NAME(epilogue_products)(op, theta, k);
        struct NAME(dot) t = NAME(epilogue_dot)(op, v, k);
        for (int b = 0; b < op->batch; b++)
            for (size_t q = 0; q < Q; q++) {
                size_t at = AT(b, k, q, C, Q), p = NAME(epilogue_source)(op, b, k, q);
                size_t from = AT(b, k, p, C, P);
                double d = x[from] - f.centre, y = f.gain * d + f.shift;
                double hatdot = t.slope * (xdot ? xdot[from] : 0) + t.offset + t.on_x * d;
                double ydot = f.scale * hatdot + t.scaledot * f.r * d + t.shiftdot;
                z[at] = meta_activate(op->activation, y);
                zdot[at] = meta_slope(op->activation, y) * ydot;
            }
    }
}

/* At one output: x - centre, x^dot, and ybar with its tangent. */
struct NAME(winner) {
    double d, hatdot, ybar, ybardot;
};

static inline struct NAME(winner)
    NAME(epilogue_winner)(const struct meta_op *op, struct NAME(affine) f, struct NAME(dot) t,
                          int b, int k, size_t q)
{
    const REAL *x = op->x->value, *xdot = op->x->dot, *zbar = op->y.bar, *zbardot = op->y.bardot;
    size_t at = AT(b, k, q, op->out.c, meta_pixels(op->out));
    size_t from = AT(b, k, NAME(epilogue_source)(op, b, k, q), op->out.c, meta_pixels(*op->in));
    struct NAME(winner) w = { .d = x[from] - f.centre };
    double y = f.gain * w.d + f.shift, slope = meta_slope(op->activation, y);
    w.hatdot = t.slope * (xdot ? xdot[from] : 0) + t.offset + t.on_x * w.d;
    double ydot = f.scale * w.hatdot + t.scaledot * f.r * w.d + t.shiftdot;
    w.ybar = zbar[at] * slope;
    w.ybardot = zbardot[at] * slope + zbar[at] * meta_bend(op->activation, y) * ydot;
    return w;
}

/* Writes the tangent sums of channel k's backward, which are its product. */
static void NAME(epilogue_slope_tangents)(const struct meta_op *op, const REAL *theta,
                                          const REAL *v, int k, REAL *out)
{
    struct NAME(epilogue) *e = op->state;
    struct meta_channel *c = &e->channels[k];
    struct NAME(affine) f = NAME(epilogue_affine)(op, theta, k);
    struct NAME(dot) t = NAME(epilogue_dot)(op, v, k);
    c->h1 = c->h2 = 0;
    for (int b = 0; b < op->batch; b++)
        for (size_t q = 0; q < meta_pixels(op->out); q++) {
            struct NAME(winner) w = NAME(epilogue_winner)(op, f, t, b, k, q);
            c->h1 += w.ybardot;
            c->h2 += w.ybardot * w.d * f.r + w.ybar * w.hatdot;
        }
    if (op->biases != META_NONE) out[op->biases + k] = c->h1;
    if (op->normalise) out[op->scales + k] = c->h2;
}

static void NAME(epilogue_adjoint_tangent)(const struct meta_op *op, const REAL *theta,
                                           const REAL *v, int k, struct meta_channel_bardot g)
{
    struct NAME(epilogue) *e = op->state;
    const REAL *x = op->x->value, *xdot = op->x->dot;
    REAL *xbardot = op->x->bardot;
    size_t P = meta_pixels(*op->in), Q = meta_pixels(op->out);
    struct NAME(affine) f = NAME(epilogue_affine)(op, theta, k);
    struct NAME(dot) t = NAME(epilogue_dot)(op, v, k);
    for (int b = 0; b < op->batch; b++) {
        for (size_t q = 0; q < Q; q++) {
            struct NAME(winner) w = NAME(epilogue_winner)(op, f, t, b, k, q);
            e->reached[q] = f.r * (f.scale * w.ybardot + t.scaledot * w.ybar)
                + g.rdot * f.scale * w.ybar;
        }
        for (size_t p = 0; p < P; p++) { /* after all reads of xdot: it may replace that */
            size_t at = AT(b, k, p, op->out.c, P);
            xbardot[at] = g.a + g.b * (x[at] - f.centre) + (xdot ? g.d * xdot[at] : 0);
        }
        NAME(epilogue_reach)(op, b, k, xbardot);
    }
}

static void NAME(epilogue_backward_tangent)(struct meta_op *op, const void *theta, const void *v,
                                            void *product)
{
    struct NAME(epilogue) *e = op->state;
    for (int k = 0; k < op->out.c; k += op->turns) {
        struct meta_joined t = NAME(epilogue_joined)(op, theta, v, k);
        struct meta_channel_bardot g = { 0, 0, 0, 0 };
        for (int j = k; j < k + op->turns; j++)
            NAME(epilogue_slope_tangents)(op, theta, v, j, product);
        if (op->normalise) g = meta_channels_backward_tangent(&e->channels[k], &t);
        for (int j = k; op->x->bardot && j < k + op->turns; j++)
            NAME(epilogue_adjoint_tangent)(op, theta, v, j, g);
    }
}

static void NAME(epilogue_statistics)(const struct meta_op *op, float *mean, float *variance)
{
    const struct NAME(epilogue) *e = op->state;
    for (int k = 0; k < op->out.c; k++) {
        mean[k] = e->channels[k].mean;
        variance[k] = e->channels[k].variance;
    }
}

__attribute__((unused)) static const struct meta_kernel NAME(epilogue_kernel) = {
    .create = NAME(epilogue_create),
    .destroy = NAME(epilogue_destroy),
    .forward = NAME(epilogue_forward),
    .backward = NAME(epilogue_backward),
    .forward_tangent = NAME(epilogue_forward_tangent),
    .backward_tangent = NAME(epilogue_backward_tangent),
    .batch_statistics = NAME(epilogue_statistics)
};
