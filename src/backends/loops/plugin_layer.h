/* Layers of plugins (plugins/plugin.h), which read and write planar doubles: tensors are
   converted on the way in and out, image by image where the layer allows that, so that what is
   converted is still in a cache when it is read. kernels.h includes this file. */

/* Of the scratch memory: planes of (part, in) or (part, out), whichever is larger, then vectors of
   (parameters). */
enum { NAME(X), NAME(XDOT), NAME(YBAR), NAME(YBARDOT), NAME(RESULT), NAME(BUFFERS) };
enum { NAME(THETA), NAME(THETADOT), NAME(THETABAR), NAME(VECTORS) };

/* The images of one call. */
static int NAME(plugin_part)(const struct meta_op *op)
{
    return op->layer->plugin->layer->reach == META_REACH_IMAGE ? 1 : op->batch;
}

static size_t NAME(plugin_plane)(const struct meta_op *op)
{
    size_t in = meta_shape_numbers(*op->in), out = meta_shape_numbers(op->out);
    return NAME(plugin_part)(op) * (in > out ? in : out);
}

static int NAME(plugin_create)(struct meta_op *op, int tangents, struct meta_error *error)
{
    op->scratch_bytes = (NAME(BUFFERS) * NAME(plugin_plane)(op) + NAME(VECTORS) * op->weight_count)
        * sizeof(double);
    return 0;
}

static double *NAME(plugin_buffer)(const struct meta_op *op, int which)
{
    return (double *)op->scratch + which * NAME(plugin_plane)(op);
}

static double *NAME(plugin_vector)(const struct meta_op *op, int which)
{
    return NAME(plugin_buffer)(op, NAME(BUFFERS)) + which * op->weight_count;
}

/* The parameters of the operation in a parameter vector; NULL: it has none. */
static double *NAME(plugin_parameters)(const struct meta_op *op, int which, const void *vector)
{
    double *to = NAME(plugin_vector)(op, which);
    if (!op->weight_count) return NULL;
    for (size_t i = 0; i < op->weight_count; i++) to[i] = ((const REAL *)vector)[op->weights + i];
    return to;
}

/* Where the derivative by the parameters is added up. */
static double *NAME(plugin_sum)(const struct meta_op *op)
{
    if (!op->weight_count) return NULL;
    return memset(NAME(plugin_vector)(op, NAME(THETABAR)), 0, op->weight_count * sizeof(double));
}

static void NAME(plugin_store)(const struct meta_op *op, void *vector)
{
    const double *from = NAME(plugin_vector)(op, NAME(THETABAR));
    for (size_t i = 0; i < op->weight_count; i++) ((REAL *)vector)[op->weights + i] = from[i];
}

static struct meta_call NAME(plugin_call)(const struct meta_op *op)
{
    return (struct meta_call){ .in = *op->in, .out = op->out, .batch = NAME(plugin_part)(op) };
}

/* A part of an input's or output's plane, from image b on. */
static double *NAME(plugin_in)(const struct meta_op *op, int which, const REAL *tensor, int b,
                               struct meta_shape shape)
{
    if (tensor) tensor += b * IMAGE(shape);
    return NAME(to_planar)(NAME(plugin_buffer)(op, which), tensor, NAME(plugin_part)(op), shape);
}

static void NAME(plugin_out)(const struct meta_op *op, REAL *tensor, int b, struct meta_shape shape)
{
    if (!tensor) return;
    NAME(from_planar)
    (NAME(plugin_buffer)(op, NAME(RESULT)), tensor + b * IMAGE(shape), NAME(plugin_part)(op),
     shape);
}

static void NAME(plugin_forward)(struct meta_op *op, const void *theta)
{
    const struct meta_layer *l = op->layer;
    struct meta_call c = NAME(plugin_call)(op);
    c.theta.value = NAME(plugin_parameters)(op, NAME(THETA), theta);
    c.y.value = NAME(plugin_buffer)(op, NAME(RESULT));
    for (int b = 0; b < op->batch; b += c.batch) {
        c.x.value = NAME(plugin_in)(op, NAME(X), op->x->value, b, *op->in);
        l->plugin->layer->forward(l->settings, &c);
        NAME(plugin_out)(op, op->y.value, b, op->out);
    }
}

static void NAME(plugin_backward)(struct meta_op *op, const void *theta, void *gradient)
{
    const struct meta_layer *l = op->layer;
    struct meta_call c = NAME(plugin_call)(op);
    if (!op->x->bar && !op->weight_count) return;
    c.theta.value = NAME(plugin_parameters)(op, NAME(THETA), theta);
    c.theta.bar = NAME(plugin_sum)(op);
    c.x.bar = NAME(plugin_buffer)(op, NAME(RESULT));
    for (int b = 0; b < op->batch; b += c.batch) {
        c.x.value = NAME(plugin_in)(op, NAME(X), op->x->value, b, *op->in);
        c.y.bar = NAME(plugin_in)(op, NAME(YBAR), op->y.bar, b, op->out);
        l->plugin->layer->backward(l->settings, &c);
        NAME(plugin_out)(op, op->x->bar, b, *op->in);
    }
    NAME(plugin_store)(op, gradient);
}

static void NAME(plugin_forward_tangent)(struct meta_op *op, const void *theta, const void *v)
{
    const struct meta_layer *l = op->layer;
    struct meta_call c = NAME(plugin_call)(op);
    c.theta.value = NAME(plugin_parameters)(op, NAME(THETA), theta);
    c.theta.dot = NAME(plugin_parameters)(op, NAME(THETADOT), v);
    c.y.dot = NAME(plugin_buffer)(op, NAME(RESULT));
    for (int b = 0; b < op->batch; b += c.batch) {
        c.x.value = NAME(plugin_in)(op, NAME(X), op->x->value, b, *op->in);
        c.x.dot = NAME(plugin_in)(op, NAME(XDOT), op->x->dot, b, *op->in);
        l->plugin->layer->forward_tangent(l->settings, &c);
        NAME(plugin_out)(op, op->y.dot, b, op->out);
    }
}

static void NAME(plugin_backward_tangent)(struct meta_op *op, const void *theta, const void *v,
                                          void *product)
{
    const struct meta_layer *l = op->layer;
    struct meta_call c = NAME(plugin_call)(op);
    if (!op->x->bardot && !op->weight_count) return;
    c.theta.value = NAME(plugin_parameters)(op, NAME(THETA), theta);
    c.theta.dot = NAME(plugin_parameters)(op, NAME(THETADOT), v);
    c.theta.bardot = NAME(plugin_sum)(op);
    c.x.bardot = NAME(plugin_buffer)(op, NAME(RESULT));
    for (int b = 0; b < op->batch; b += c.batch) {
        c.x.value = NAME(plugin_in)(op, NAME(X), op->x->value, b, *op->in);
        c.x.dot = NAME(plugin_in)(op, NAME(XDOT), op->x->dot, b, *op->in);
        c.y.bar = NAME(plugin_in)(op, NAME(YBAR), op->y.bar, b, op->out);
        c.y.bardot = NAME(plugin_in)(op, NAME(YBARDOT), op->y.bardot, b, op->out);
        l->plugin->layer->backward_tangent(l->settings, &c);
        NAME(plugin_out)(op, op->x->bardot, b, *op->in);
    }
    NAME(plugin_store)(op, product);
}

__attribute__((unused)) static const struct meta_kernel NAME(plugin_kernel) = {
    .create = NAME(plugin_create),
    .forward = NAME(plugin_forward),
    .backward = NAME(plugin_backward),
    .forward_tangent = NAME(plugin_forward_tangent),
    .backward_tangent = NAME(plugin_backward_tangent)
};
