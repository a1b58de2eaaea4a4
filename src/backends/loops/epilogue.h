/* Epilogues in plain loops, for any activation and pool: included by host_kernels.h, once a backend. */

struct NAME(epilogue) {
    struct meta_channel *channels;     /* (c) */
    int *winner;                       /* (batch, out) the pixel each pooled output came from; NULL without a pool */
    double *reached;                   /* (outputs of a channel) what the winners get on the way back */
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
    if (!e) return meta_fail(error, "out of memory");
    e->channels = calloc(op->out.c, sizeof *e->channels);
    if (op->pool_size) e->winner = calloc(op->batch * IMAGE(op->out), sizeof *e->winner);
    e->reached = calloc(NAME(pixels)(op->out), sizeof *e->reached);
    if (!e->channels || !e->reached || (op->pool_size && !e->winner)) {
        NAME(epilogue_destroy)(op);
        op->state = NULL;
        return meta_fail(error, "out of memory");
    }
    return 0;
}

static void NAME(epilogue_moments)(const struct meta_op *op, int k, struct meta_channel *channel)
{
    const REAL *x = op->x->value;
    size_t P = NAME(pixels)(*op->in);
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

/* The pixel of the largest y = scale x^ + bias in the window of output pixel (i, j); y is scale-signed, so compare y. */
static int NAME(epilogue_window)(const struct meta_op *op, const REAL *x, int b, int k, int i, int j, double a)
{
    int C = op->in->c, H = op->in->h, W = op->in->w, best = -1;
    double most = 0;
    for (int n = 0; n < op->pool_size; n++)
        for (int m = 0; m < op->pool_size; m++) {
            int y = i * op->pool_stride + n - op->pool_padding / 2, q = j * op->pool_stride + m - op->pool_padding / 2;
            if (y < 0 || y >= H || q < 0 || q >= W) continue;
            double value = a * x[AT(b, k, (size_t)y * W + q, C, (size_t)H * W)];
            if (best < 0 || value > most) { most = value; best = y * W + q; }
        }
    return best;
}

/* One channel's constants as seen from a pixel: y = gain (x - centre) + shift. */
struct NAME(affine) { double gain, centre, shift, scale, r; };

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

static void NAME(epilogue_forward)(struct meta_op *op, const void *parameters)
{
    struct NAME(epilogue) *e = op->state;
    const REAL *theta = parameters, *x = op->x->value;
    REAL *z = op->y.value;
    int C = op->out.c;
    size_t P = NAME(pixels)(*op->in), Q = NAME(pixels)(op->out);
    for (int k = 0; k < C; k++) {
        if (op->normalise && op->statistics)
            meta_channel_set(&e->channels[k], op->statistics[op->mean + k], op->statistics[op->variance + k], 0);
        else if (op->normalise) NAME(epilogue_moments)(op, k, &e->channels[k]);
        struct NAME(affine) f = NAME(epilogue_affine)(op, theta, k);
        for (int b = 0; b < op->batch; b++)
            for (size_t q = 0; q < Q; q++) {
                size_t at = AT(b, k, q, C, Q), p = q;
                if (e->winner) p = e->winner[at] = NAME(epilogue_window)(op, x, b, k, q / op->out.w, q % op->out.w, f.gain);
                double y = f.gain * (x[AT(b, k, p, C, P)] - f.centre) + f.shift;
                z[at] = meta_activate(op->activation, y);
            }
    }
}

static void NAME(epilogue_backward)(struct meta_op *op, const void *parameters, void *gradient)
{
    struct NAME(epilogue) *e = op->state;
    const REAL *theta = parameters, *x = op->x->value, *zbar = op->y.bar;
    REAL *xbar = op->x->bar, *out = gradient;
    int C = op->out.c;
    size_t P = NAME(pixels)(*op->in), Q = NAME(pixels)(op->out);
    for (int k = 0; k < C; k++) {
        struct meta_channel *c = &e->channels[k];
        struct NAME(affine) f = NAME(epilogue_affine)(op, theta, k);
        double a = 0, s = 0;
        c->g1 = c->g2 = 0;
        for (int b = 0; b < op->batch; b++)
            for (size_t q = 0; q < Q; q++) {
                size_t at = AT(b, k, q, C, Q), p = e->winner ? (size_t)e->winner[at] : q;
                double d = x[AT(b, k, p, C, P)] - f.centre;
                double ybar = zbar[at] * meta_slope(op->activation, f.gain * d + f.shift);
                c->g1 += ybar;
                c->g2 += ybar * d * f.r;
            }
        if (op->biases != META_NONE) out[op->biases + k] = c->g1;
        if (op->normalise) {
            out[op->scales + k] = c->g2;
            meta_channel_backward(c, f.scale, &a, &s);
        }
        if (!xbar) continue;
        for (int b = 0; b < op->batch; b++) {
            for (size_t q = 0; q < Q; q++) {      /* first, as xbar may take x's place */
                size_t at = AT(b, k, q, C, Q), p = e->winner ? (size_t)e->winner[at] : q;
                double y = f.gain * (x[AT(b, k, p, C, P)] - f.centre) + f.shift;
                e->reached[q] = f.gain * zbar[at] * meta_slope(op->activation, y);
            }
            for (size_t p = 0; p < P; p++) {
                size_t at = AT(b, k, p, C, P);
                xbar[at] = a + s * (x[at] - f.centre);
            }
            for (size_t q = 0; q < Q; q++)
                xbar[AT(b, k, e->winner ? (size_t)e->winner[AT(b, k, q, C, Q)] : q, C, P)] += e->reached[q];
        }
    }
}

static void NAME(epilogue_forward_tangent)(struct meta_op *op, const void *parameters, const void *tangent)
{
    struct NAME(epilogue) *e = op->state;
    const REAL *theta = parameters, *v = tangent, *x = op->x->value, *xdot = op->x->dot;
    REAL *z = op->y.value, *zdot = op->y.dot;
    int C = op->out.c;
    size_t P = NAME(pixels)(*op->in), Q = NAME(pixels)(op->out);
    for (int k = 0; k < C; k++) {
        struct meta_channel *c = &e->channels[k];
        struct NAME(affine) f = NAME(epilogue_affine)(op, theta, k);
        double slope = 1, offset = 0, on_x = 0, scaledot = 0, shiftdot = 0;
        c->s1 = c->s2 = 0;
        for (int b = 0; xdot && op->normalise && b < op->batch; b++)
            for (size_t p = 0; p < P; p++) {
                size_t at = AT(b, k, p, C, P);
                c->s1 += xdot[at];
                c->s2 += xdot[at] * (x[at] - f.centre) * f.r;
            }
        if (op->normalise) {
            meta_channel_tangent(c, &slope, &offset, &on_x);
            scaledot = v[op->scales + k];
        }
        if (op->biases != META_NONE) shiftdot = v[op->biases + k];
        for (int b = 0; b < op->batch; b++)
            for (size_t q = 0; q < Q; q++) {
                size_t at = AT(b, k, q, C, Q), p = e->winner ? (size_t)e->winner[at] : q, from = AT(b, k, p, C, P);
                double d = x[from] - f.centre, hatdot = slope * (xdot ? xdot[from] : 0) + offset + on_x * d;
                double ydot = f.scale * hatdot + scaledot * f.r * d + shiftdot;
                z[at] = meta_activate(op->activation, f.gain * d + f.shift);
                zdot[at] = meta_slope(op->activation, f.gain * d + f.shift) * ydot;
            }
    }
}

static void NAME(epilogue_backward_tangent)(struct meta_op *op, const void *parameters, const void *tangent, void *product)
{
    struct NAME(epilogue) *e = op->state;
    const REAL *theta = parameters, *v = tangent, *x = op->x->value, *xdot = op->x->dot;
    const REAL *zbar = op->y.bar, *zbardot = op->y.bardot;
    REAL *xbardot = op->x->bardot, *out = product;
    int C = op->out.c;
    size_t P = NAME(pixels)(*op->in), Q = NAME(pixels)(op->out);
    for (int k = 0; k < C; k++) {
        struct meta_channel *c = &e->channels[k];
        struct NAME(affine) f = NAME(epilogue_affine)(op, theta, k);
        double slope = 1, offset = 0, on_x = 0, scaledot = 0, shiftdot = 0, h1 = 0, h2 = 0;
        double a = 0, s = 0, d_dot = 0, rdot = 0;
        if (op->normalise) {
            meta_channel_tangent(c, &slope, &offset, &on_x);
            scaledot = v[op->scales + k];
        }
        if (op->biases != META_NONE) shiftdot = v[op->biases + k];
        /* two rounds: the sums, then (with what they give) the scatter */
        for (int round = 0; round < 2; round++) {
            if (round) {
                if (op->biases != META_NONE) out[op->biases + k] = h1;
                if (op->normalise) {
                    out[op->scales + k] = h2;
                    meta_channel_backward_tangent(c, f.scale, scaledot, h1, h2, &a, &s, &d_dot, &rdot);
                }
                if (!xbardot) break;
            }
            for (int b = 0; b < op->batch; b++) {
                for (size_t q = 0; q < Q; q++) {
                    size_t at = AT(b, k, q, C, Q), p = e->winner ? (size_t)e->winner[at] : q, from = AT(b, k, p, C, P);
                    double d = x[from] - f.centre, hatdot = slope * (xdot ? xdot[from] : 0) + offset + on_x * d;
                    double y = f.gain * d + f.shift, ydot = f.scale * hatdot + scaledot * f.r * d + shiftdot;
                    double ybar = zbar[at] * meta_slope(op->activation, y);
                    double ybardot = zbardot[at] * meta_slope(op->activation, y) + zbar[at] * meta_bend(op->activation, y) * ydot;
                    if (round) {
                        e->reached[q] = f.r * (f.scale * ybardot + scaledot * ybar) + rdot * f.scale * ybar;
                    } else {
                        h1 += ybardot;
                        h2 += ybardot * d * f.r + ybar * hatdot;
                    }
                }
                if (!round) continue;
                for (size_t p = 0; p < P; p++) {      /* after the reads, as xbardot may take xdot's place */
                    size_t at = AT(b, k, p, C, P);
                    xbardot[at] = a + s * (x[at] - f.centre) + (xdot ? d_dot * xdot[at] : 0);
                }
                for (size_t q = 0; q < Q; q++)
                    xbardot[AT(b, k, e->winner ? (size_t)e->winner[AT(b, k, q, C, Q)] : q, C, P)] += e->reached[q];
            }
        }
    }
}

__attribute__((unused)) static const struct meta_kernel NAME(epilogue_kernel) = {
    NAME(epilogue_create), NAME(epilogue_destroy), NAME(epilogue_forward), NAME(epilogue_backward),
    NAME(epilogue_forward_tangent), NAME(epilogue_backward_tangent)
};
