/* Kernels for any backend whose tensors are host memory, in plain loops: included once a backend, after

       #define REAL            the type of one number
       #define AT(b, k, p, C, P)   where image b, channel k, pixel p of a tensor of C channels and P pixels lies
       #define IMAGE(s)        numbers that one image of shape s takes, padding included
       #define NAME(x)         the function names' prefix

   The reference backend uses all of them; the oneDNN backend, those that are not worth more. */
#include "epilogue_math.h"

#include <stdlib.h>
#include <string.h>

static inline size_t NAME(pixels)(struct meta_shape s) { return (size_t)s.h * s.w; }

#include "epilogue.h"

/* ---- average pool, over the whole map ---------------------------------------------------------------------------- */

static void NAME(avgpool_reduce)(const struct meta_op *op, const REAL *x, REAL *y)
{
    size_t P = NAME(pixels)(*op->in);
    for (int b = 0; b < op->batch; b++)
        for (int k = 0; k < op->in->c; k++) {
            double sum = 0;
            for (size_t p = 0; p < P; p++) sum += x[AT(b, k, p, op->in->c, P)];
            y[AT(b, k, 0, op->in->c, 1)] = sum / P;
        }
}

static void NAME(avgpool_spread)(const struct meta_op *op, const REAL *ybar, REAL *xbar)
{
    size_t P = NAME(pixels)(*op->in);
    for (int b = 0; b < op->batch; b++)
        for (int k = 0; k < op->in->c; k++)
            for (size_t p = 0; p < P; p++) xbar[AT(b, k, p, op->in->c, P)] = ybar[AT(b, k, 0, op->in->c, 1)] / P;
}

static void NAME(avgpool_forward)(struct meta_op *op, const void *theta)
{ NAME(avgpool_reduce)(op, op->x->value, op->y.value); }
static void NAME(avgpool_backward)(struct meta_op *op, const void *theta, void *gradient)
{ if (op->x->bar) NAME(avgpool_spread)(op, op->y.bar, op->x->bar); }
static void NAME(avgpool_forward_tangent)(struct meta_op *op, const void *theta, const void *v)
{ NAME(avgpool_reduce)(op, op->x->dot, op->y.dot); }
static void NAME(avgpool_backward_tangent)(struct meta_op *op, const void *theta, const void *v, void *product)
{ if (op->x->bardot) NAME(avgpool_spread)(op, op->y.bardot, op->x->bardot); }

__attribute__((unused)) static const struct meta_kernel NAME(avgpool_kernel) = {
    NULL, NULL, NAME(avgpool_forward), NAME(avgpool_backward), NAME(avgpool_forward_tangent), NAME(avgpool_backward_tangent)
};

/* ---- shortcut: y = activation(u), u = here, but alpha here + beta from where Darknet's sampling touches ------------ */

struct NAME(touched) { int c, h, w, stride, sample; };

static struct NAME(touched) NAME(shortcut_touched)(const struct meta_op *op)
{
    struct meta_shape here = op->in[0], from = op->in[1];
    int stride = from.w / here.w, sample = here.w / from.w;
    return (struct NAME(touched)){ from.c < here.c ? from.c : here.c, from.h < here.h ? from.h : here.h,
                                   from.w < here.w ? from.w : here.w, stride < 1 ? 1 : stride, sample < 1 ? 1 : sample };
}

/* u = here + (touched) (alpha - 1) here + beta from; the map is linear, so that it serves values and tangents. */
static void NAME(shortcut_sum)(const struct meta_op *op, const REAL *here, const REAL *from, REAL *u)
{
    struct NAME(touched) t = NAME(shortcut_touched)(op);
    struct meta_shape a = op->in[0], f = op->in[1];
    size_t P = NAME(pixels)(a), F = NAME(pixels)(f), n = op->batch * IMAGE(a);
    if (here) memcpy(u, here, n * sizeof *u); else memset(u, 0, n * sizeof *u);
    for (int b = 0; b < op->batch; b++)
        for (int k = 0; k < t.c; k++)
            for (int y = 0; y < t.h; y++)
                for (int x = 0; x < t.w; x++) {
                    size_t at = AT(b, k, (size_t)y * t.sample * a.w + x * t.sample, a.c, P);
                    size_t source = AT(b, k, (size_t)y * t.stride * f.w + x * t.stride, f.c, F);
                    u[at] = op->layer->alpha * u[at] + (from ? op->layer->beta * from[source] : 0);
                }
}

/* The transpose of shortcut_sum. */
static void NAME(shortcut_split)(const struct meta_op *op, const REAL *ubar, REAL *here, REAL *from)
{
    struct NAME(touched) t = NAME(shortcut_touched)(op);
    struct meta_shape a = op->in[0], f = op->in[1];
    size_t P = NAME(pixels)(a), F = NAME(pixels)(f);
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

/* ubar (and its tangent) are kept here between the activation and the split; u is kept for the activation's derivatives. */
struct NAME(shortcut) { REAL *u, *udot, *t; };

static void NAME(shortcut_destroy)(struct meta_op *op)
{
    struct NAME(shortcut) *s = op->state;
    if (!s) return;
    free(s->u);
    free(s->udot);
    free(s->t);
    free(s);
}

static int NAME(shortcut_create)(struct meta_op *op, int tangents, struct meta_error *error)
{
    size_t n = op->batch * IMAGE(op->out);
    struct NAME(shortcut) *s = op->state = calloc(1, sizeof *s);
    if (!s) return meta_fail(error, "out of memory");
    s->u = calloc(n, sizeof *s->u);
    s->t = calloc(n, sizeof *s->t);
    if (tangents) s->udot = calloc(n, sizeof *s->udot);
    if (s->u && s->t && (!tangents || s->udot)) return 0;
    NAME(shortcut_destroy)(op);
    op->state = NULL;
    return meta_fail(error, "out of memory");
}

static size_t NAME(shortcut_count)(const struct meta_op *op) { return op->batch * IMAGE(op->out); }

static void NAME(shortcut_forward)(struct meta_op *op, const void *theta)
{
    struct NAME(shortcut) *s = op->state;
    REAL *y = op->y.value;
    NAME(shortcut_sum)(op, op->x[0].value, op->x[1].value, s->u);
    for (size_t i = 0; i < NAME(shortcut_count)(op); i++) y[i] = meta_activate(op->activation, s->u[i]);
}

static void NAME(shortcut_backward)(struct meta_op *op, const void *theta, void *gradient)
{
    struct NAME(shortcut) *s = op->state;
    const REAL *ybar = op->y.bar;
    for (size_t i = 0; i < NAME(shortcut_count)(op); i++) s->t[i] = ybar[i] * meta_slope(op->activation, s->u[i]);
    NAME(shortcut_split)(op, s->t, op->x[0].bar, op->x[1].bar);
}

static void NAME(shortcut_forward_tangent)(struct meta_op *op, const void *theta, const void *v)
{
    struct NAME(shortcut) *s = op->state;
    REAL *ydot = op->y.dot;
    NAME(shortcut_sum)(op, op->x[0].dot, op->x[1].dot, s->udot);
    for (size_t i = 0; i < NAME(shortcut_count)(op); i++) ydot[i] = meta_slope(op->activation, s->u[i]) * s->udot[i];
}

static void NAME(shortcut_backward_tangent)(struct meta_op *op, const void *theta, const void *v, void *product)
{
    struct NAME(shortcut) *s = op->state;
    const REAL *ybar = op->y.bar, *ybardot = op->y.bardot;
    for (size_t i = 0; i < NAME(shortcut_count)(op); i++)
        s->t[i] = ybardot[i] * meta_slope(op->activation, s->u[i]) + ybar[i] * meta_bend(op->activation, s->u[i]) * s->udot[i];
    NAME(shortcut_split)(op, s->t, op->x[0].bardot, op->x[1].bardot);
}

__attribute__((unused)) static const struct meta_kernel NAME(shortcut_kernel) = {
    NAME(shortcut_create), NAME(shortcut_destroy), NAME(shortcut_forward), NAME(shortcut_backward),
    NAME(shortcut_forward_tangent), NAME(shortcut_backward_tangent)
};

/* ---- route: channels side by side -------------------------------------------------------------------------------- */

static void NAME(route_copy)(const struct meta_op *op, int input, int first, const REAL *part, REAL *whole)
{
    size_t P = NAME(pixels)(op->out);
    int C = op->in[input].c;
    for (int b = 0; b < op->batch; b++)
        for (int k = 0; k < C; k++)
            for (size_t p = 0; p < P; p++)
                whole[AT(b, first + k, p, op->out.c, P)] = part ? part[AT(b, k, p, C, P)] : 0;
}

static void NAME(route_take)(const struct meta_op *op, int input, int first, const REAL *whole, REAL *part)
{
    size_t P = NAME(pixels)(op->out);
    int C = op->in[input].c;
    for (int b = 0; part && b < op->batch; b++)
        for (int k = 0; k < C; k++)
            for (size_t p = 0; p < P; p++) part[AT(b, k, p, C, P)] = whole[AT(b, first + k, p, op->out.c, P)];
}

#define ROUTE_EACH(call) for (int i = 0, first = 0; i < op->inputs; first += op->in[i++].c) call
static void NAME(route_forward)(struct meta_op *op, const void *theta)
{ ROUTE_EACH(NAME(route_copy)(op, i, first, op->x[i].value, op->y.value)); }
static void NAME(route_backward)(struct meta_op *op, const void *theta, void *gradient)
{ ROUTE_EACH(NAME(route_take)(op, i, first, op->y.bar, op->x[i].bar)); }
static void NAME(route_forward_tangent)(struct meta_op *op, const void *theta, const void *v)
{ ROUTE_EACH(NAME(route_copy)(op, i, first, op->x[i].dot, op->y.dot)); }
static void NAME(route_backward_tangent)(struct meta_op *op, const void *theta, const void *v, void *product)
{ ROUTE_EACH(NAME(route_take)(op, i, first, op->y.bardot, op->x[i].bardot)); }
#undef ROUTE_EACH

__attribute__((unused)) static const struct meta_kernel NAME(route_kernel) = {
    NULL, NULL, NAME(route_forward), NAME(route_backward), NAME(route_forward_tangent), NAME(route_backward_tangent)
};

/* ---- dropout ------------------------------------------------------------------------------------------------------- */

static void NAME(dropout_apply)(const struct meta_op *op, const REAL *x, REAL *y)
{
    size_t P = NAME(pixels)(op->out);
    for (int b = 0; b < op->batch; b++)
        for (int k = 0; k < op->out.c; k++)
            for (size_t p = 0; p < P; p++) {
                size_t at = AT(b, k, p, op->out.c, P);
                y[at] = op->mask ? x[at] * op->mask[((size_t)b * op->out.c + k) * P + p] : x[at];
            }
}

static void NAME(dropout_forward)(struct meta_op *op, const void *theta)
{ NAME(dropout_apply)(op, op->x->value, op->y.value); }
static void NAME(dropout_backward)(struct meta_op *op, const void *theta, void *gradient)
{ if (op->x->bar) NAME(dropout_apply)(op, op->y.bar, op->x->bar); }
static void NAME(dropout_forward_tangent)(struct meta_op *op, const void *theta, const void *v)
{ NAME(dropout_apply)(op, op->x->dot, op->y.dot); }
static void NAME(dropout_backward_tangent)(struct meta_op *op, const void *theta, const void *v, void *product)
{ if (op->x->bardot) NAME(dropout_apply)(op, op->y.bardot, op->x->bardot); }

__attribute__((unused)) static const struct meta_kernel NAME(dropout_kernel) = {
    NULL, NULL, NAME(dropout_forward), NAME(dropout_backward), NAME(dropout_forward_tangent), NAME(dropout_backward_tangent)
};

/* ---- plugin: planar doubles at the border -------------------------------------------------------------------------- */

enum { NAME(X), NAME(XDOT), NAME(YBAR), NAME(YBARDOT), NAME(RESULT), NAME(BUFFERS) };
struct NAME(plugin) { double *buffer[NAME(BUFFERS)]; };

static void NAME(plugin_destroy)(struct meta_op *op)
{
    struct NAME(plugin) *s = op->state;
    if (!s) return;
    for (int i = 0; i < NAME(BUFFERS); i++) free(s->buffer[i]);
    free(s);
}

static int NAME(plugin_create)(struct meta_op *op, int tangents, struct meta_error *error)
{
    size_t in = op->batch * op->in->c * NAME(pixels)(*op->in), out = op->batch * op->out.c * NAME(pixels)(op->out);
    struct NAME(plugin) *s = op->state = calloc(1, sizeof *s);
    if (!s) return meta_fail(error, "out of memory");
    for (int i = 0; i < NAME(BUFFERS); i++) {
        s->buffer[i] = calloc(in > out ? in : out, sizeof **s->buffer);
        if (s->buffer[i]) continue;
        NAME(plugin_destroy)(op);
        op->state = NULL;
        return meta_fail(error, "out of memory");
    }
    return 0;
}

static const double *NAME(to_planar)(double *to, const REAL *tensor, int batch, struct meta_shape shape)
{
    size_t P = NAME(pixels)(shape), i = 0;
    for (int b = 0; b < batch; b++)
        for (int k = 0; k < shape.c; k++)
            for (size_t p = 0; p < P; p++) to[i++] = tensor ? tensor[AT(b, k, p, shape.c, P)] : 0;
    return to;
}

static void NAME(from_planar)(const double *from, REAL *tensor, int batch, struct meta_shape shape)
{
    size_t P = NAME(pixels)(shape), i = 0;
    for (int b = 0; b < batch; b++)
        for (int k = 0; k < shape.c; k++)
            for (size_t p = 0; p < P; p++) tensor[AT(b, k, p, shape.c, P)] = from[i++];
}

static const double *NAME(plugin_in)(const struct meta_op *op, int which, const REAL *tensor, struct meta_shape shape)
{
    return NAME(to_planar)(((struct NAME(plugin) *)op->state)->buffer[which], tensor, op->batch, shape);
}

static double *NAME(plugin_result)(const struct meta_op *op)
{
    return ((struct NAME(plugin) *)op->state)->buffer[NAME(RESULT)];
}

static void NAME(plugin_out)(const struct meta_op *op, REAL *tensor, struct meta_shape shape)
{
    NAME(from_planar)(NAME(plugin_result)(op), tensor, op->batch, shape);
}

static void NAME(plugin_forward)(struct meta_op *op, const void *theta)
{
    op->layer->plugin->layer->forward(op->layer->settings, *op->in, op->batch,
        NAME(plugin_in)(op, NAME(X), op->x->value, *op->in), NAME(plugin_result)(op));
    NAME(plugin_out)(op, op->y.value, op->out);
}

static void NAME(plugin_backward)(struct meta_op *op, const void *theta, void *gradient)
{
    if (!op->x->bar) return;
    op->layer->plugin->layer->backward(op->layer->settings, *op->in, op->batch,
        NAME(plugin_in)(op, NAME(X), op->x->value, *op->in), NAME(plugin_in)(op, NAME(YBAR), op->y.bar, op->out),
        NAME(plugin_result)(op));
    NAME(plugin_out)(op, op->x->bar, *op->in);
}

static void NAME(plugin_forward_tangent)(struct meta_op *op, const void *theta, const void *v)
{
    op->layer->plugin->layer->forward_tangent(op->layer->settings, *op->in, op->batch,
        NAME(plugin_in)(op, NAME(X), op->x->value, *op->in), NAME(plugin_in)(op, NAME(XDOT), op->x->dot, *op->in),
        NAME(plugin_result)(op));
    NAME(plugin_out)(op, op->y.dot, op->out);
}

static void NAME(plugin_backward_tangent)(struct meta_op *op, const void *theta, const void *v, void *product)
{
    if (!op->x->bardot) return;
    op->layer->plugin->layer->backward_tangent(op->layer->settings, *op->in, op->batch,
        NAME(plugin_in)(op, NAME(X), op->x->value, *op->in), NAME(plugin_in)(op, NAME(XDOT), op->x->dot, *op->in),
        NAME(plugin_in)(op, NAME(YBAR), op->y.bar, op->out), NAME(plugin_in)(op, NAME(YBARDOT), op->y.bardot, op->out),
        NAME(plugin_result)(op));
    NAME(plugin_out)(op, op->x->bardot, *op->in);
}

__attribute__((unused)) static const struct meta_kernel NAME(plugin_kernel) = {
    NAME(plugin_create), NAME(plugin_destroy), NAME(plugin_forward), NAME(plugin_backward),
    NAME(plugin_forward_tangent), NAME(plugin_backward_tangent)
};

/* ---- loss: mean cross-entropy of softmax(x / temperature) ------------------------------------------------------------ */

struct NAME(loss) { double *p, *pdot; };     /* (batch, outputs) */

static void NAME(loss_destroy)(struct meta_op *op)
{
    struct NAME(loss) *s = op->state;
    if (!s) return;
    free(s->p);
    free(s->pdot);
    free(s);
}

static int NAME(loss_create)(struct meta_op *op, int tangents, struct meta_error *error)
{
    struct NAME(loss) *s = op->state = calloc(1, sizeof *s);
    if (!s) return meta_fail(error, "out of memory");
    s->p = calloc((size_t)op->batch * op->out.c, sizeof *s->p);
    s->pdot = calloc((size_t)op->batch * op->out.c, sizeof *s->pdot);
    if (s->p && s->pdot) return 0;
    NAME(loss_destroy)(op);
    op->state = NULL;
    return meta_fail(error, "out of memory");
}

/* Where class k of image b lies: the input may still be a map, flattened planar as Darknet does. */
static inline size_t NAME(logit)(const struct meta_op *op, int b, int k)
{
    size_t P = NAME(pixels)(*op->in);
    return AT(b, k / P, k % P, op->in->c, P);
}

static void NAME(loss_forward)(struct meta_op *op, const void *theta)
{
    struct NAME(loss) *s = op->state;
    const REAL *x = op->x->value;
    int n = op->out.c;
    op->loss = 0;
    for (int b = 0; b < op->batch; b++) {
        double most = -INFINITY, sum = 0, *p = s->p + (size_t)b * n;
        for (int k = 0; k < n; k++) {
            p[k] = x[NAME(logit)(op, b, k)] / op->layer->temperature;
            if (p[k] > most) most = p[k];
        }
        double truth = p[op->labels[b]] - most;
        for (int k = 0; k < n; k++) sum += p[k] = exp(p[k] - most);
        for (int k = 0; k < n; k++) p[k] /= sum;
        op->loss += (log(sum) - truth) / op->batch;
    }
}

static void NAME(loss_backward)(struct meta_op *op, const void *theta, void *gradient)
{
    struct NAME(loss) *s = op->state;
    REAL *xbar = op->x->bar;
    int n = op->out.c;
    for (int b = 0; xbar && b < op->batch; b++)
        for (int k = 0; k < n; k++)
            xbar[NAME(logit)(op, b, k)] = (s->p[(size_t)b * n + k] - (k == op->labels[b])) / (op->batch * op->layer->temperature);
}

static void NAME(loss_forward_tangent)(struct meta_op *op, const void *theta, const void *v)
{
    struct NAME(loss) *s = op->state;
    const REAL *xdot = op->x->dot;
    int n = op->out.c;
    for (int b = 0; b < op->batch; b++) {
        double mean = 0;
        for (int k = 0; k < n; k++) mean += s->p[(size_t)b * n + k] * xdot[NAME(logit)(op, b, k)];
        for (int k = 0; k < n; k++)
            s->pdot[(size_t)b * n + k] = s->p[(size_t)b * n + k] * (xdot[NAME(logit)(op, b, k)] - mean) / op->layer->temperature;
    }
}

static void NAME(loss_backward_tangent)(struct meta_op *op, const void *theta, const void *v, void *product)
{
    struct NAME(loss) *s = op->state;
    REAL *xbardot = op->x->bardot;
    int n = op->out.c;
    for (int b = 0; xbardot && b < op->batch; b++)
        for (int k = 0; k < n; k++)
            xbardot[NAME(logit)(op, b, k)] = s->pdot[(size_t)b * n + k] / (op->batch * op->layer->temperature);
}

__attribute__((unused)) static const struct meta_kernel NAME(loss_kernel) = {
    NAME(loss_create), NAME(loss_destroy), NAME(loss_forward), NAME(loss_backward),
    NAME(loss_forward_tangent), NAME(loss_backward_tangent)
};

/* ---- what the backend table asks of these ------------------------------------------------------------------------------ */

static void NAME(probabilities)(const struct meta_op *op, float *out)
{
    const struct NAME(loss) *s = op->state;
    for (size_t i = 0; i < (size_t)op->batch * op->out.c; i++) out[i] = s->p[i];
}

static size_t NAME(image)(struct meta_shape shape) { return IMAGE(shape); }

static void NAME(tensor_in)(void *tensor, const float *planar, int batch, struct meta_shape shape)
{
    REAL *to = tensor;
    size_t P = NAME(pixels)(shape);
    memset(to, 0, batch * IMAGE(shape) * sizeof *to);
    for (int b = 0; b < batch; b++)
        for (int k = 0; k < shape.c; k++)
            for (size_t p = 0; p < P; p++) to[AT(b, k, p, shape.c, P)] = *planar++;
}

static void NAME(tensor_out)(float *planar, const void *tensor, int batch, struct meta_shape shape)
{
    const REAL *from = tensor;
    size_t P = NAME(pixels)(shape);
    for (int b = 0; b < batch; b++)
        for (int k = 0; k < shape.c; k++)
            for (size_t p = 0; p < P; p++) *planar++ = from[AT(b, k, p, shape.c, P)];
}
