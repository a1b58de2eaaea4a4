/* Layers of plugins (plugins/plugin.h), which read and write planar doubles: tensors are
   converted on the way in and out. kernels.h includes this file. */

enum { NAME(X), NAME(XDOT), NAME(YBAR), NAME(YBARDOT), NAME(RESULT), NAME(BUFFERS) };

/* (batch, in) or (batch, out) planar each, whichever is larger */
struct NAME(plugin) {
    double *buffer[NAME(BUFFERS)];
};

static void NAME(plugin_destroy)(struct meta_op *op)
{
    struct NAME(plugin) *s = op->state;
    if (!s) return;
    for (int i = 0; i < NAME(BUFFERS); i++) free(s->buffer[i]);
    free(s);
}

static int NAME(plugin_create)(struct meta_op *op, int tangents, struct meta_error *error)
{
    size_t in = op->batch * op->in->c * meta_pixels(*op->in);
    size_t out = op->batch * op->out.c * meta_pixels(op->out);
    struct NAME(plugin) *s = op->state = calloc(1, sizeof *s);
    if (!s) return meta_fail_memory(error);
    for (int i = 0; i < NAME(BUFFERS); i++) {
        s->buffer[i] = calloc(in > out ? in : out, sizeof **s->buffer);
        if (s->buffer[i]) continue;
        NAME(plugin_destroy)(op);
        op->state = NULL;
        return meta_fail_memory(error);
    }
    return 0;
}

/* A NULL tensor is zeros. */
static const double *NAME(to_planar)(double *to, const REAL *tensor, int batch,
                                     struct meta_shape shape)
{
    size_t P = meta_pixels(shape), i = 0;
    for (int b = 0; b < batch; b++)
        for (int k = 0; k < shape.c; k++)
            for (size_t p = 0; p < P; p++) to[i++] = tensor ? tensor[AT(b, k, p, shape.c, P)] : 0;
    return to;
}

static void NAME(from_planar)(const double *from, REAL *tensor, int batch, struct meta_shape shape)
{
    size_t P = meta_pixels(shape), i = 0;
    for (int b = 0; b < batch; b++)
        for (int k = 0; k < shape.c; k++)
            for (size_t p = 0; p < P; p++) tensor[AT(b, k, p, shape.c, P)] = from[i++];
}

static const double *NAME(plugin_in)(const struct meta_op *op, int which, const REAL *tensor,
                                     struct meta_shape shape)
{
    const struct NAME(plugin) *s = op->state;
    return NAME(to_planar)(s->buffer[which], tensor, op->batch, shape);
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
                                      NAME(plugin_in)(op, NAME(X), op->x->value, *op->in),
                                      NAME(plugin_result)(op));
    NAME(plugin_out)(op, op->y.value, op->out);
}

static void NAME(plugin_backward)(struct meta_op *op, const void *theta, void *gradient)
{
    if (!op->x->bar) return;
    op->layer->plugin->layer->backward(op->layer->settings, *op->in, op->batch,
                                       NAME(plugin_in)(op, NAME(X), op->x->value, *op->in),
                                       NAME(plugin_in)(op, NAME(YBAR), op->y.bar, op->out),
                                       NAME(plugin_result)(op));
    NAME(plugin_out)(op, op->x->bar, *op->in);
}

static void NAME(plugin_forward_tangent)(struct meta_op *op, const void *theta, const void *v)
{
    op->layer->plugin->layer->forward_tangent(op->layer->settings, *op->in, op->batch,
                                              NAME(plugin_in)(op, NAME(X), op->x->value, *op->in),
                                              NAME(plugin_in)(op, NAME(XDOT), op->x->dot, *op->in),
                                              NAME(plugin_result)(op));
    NAME(plugin_out)(op, op->y.dot, op->out);
}

static void NAME(plugin_backward_tangent)(struct meta_op *op, const void *theta, const void *v,
                                          void *product)
{
    if (!op->x->bardot) return;
    op->layer->plugin->layer->backward_tangent(op->layer->settings, *op->in, op->batch,
                                               NAME(plugin_in)(op, NAME(X), op->x->value, *op->in),
                                               NAME(plugin_in)(op, NAME(XDOT), op->x->dot, *op->in),
                                               NAME(plugin_in)(op, NAME(YBAR), op->y.bar, op->out),
                                               NAME(plugin_in)(op, NAME(YBARDOT), op->y.bardot,
                                                               op->out),
                                               NAME(plugin_result)(op));
    NAME(plugin_out)(op, op->x->bardot, *op->in);
}

__attribute__((unused)) static const struct meta_kernel NAME(plugin_kernel) = {
    .create = NAME(plugin_create),
    .destroy = NAME(plugin_destroy),
    .forward = NAME(plugin_forward),
    .backward = NAME(plugin_backward),
    .forward_tangent = NAME(plugin_forward_tangent),
    .backward_tangent = NAME(plugin_backward_tangent)
};
