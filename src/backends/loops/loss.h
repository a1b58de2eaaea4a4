/* The two losses in plain loops: the mean cross-entropy of softmax(x / temperature), in which
   images may have shares, and the mean squared error of the scores of a network that pairs. Behind
   a pairing layer the softmax is that of the scores of a query image's pairs. kernels.h includes
   this file. */

/* (batch, outputs) each: probabilities of the last forward (of squares, scores), and their
   tangents */
struct NAME(loss) {
    double *p, *pdot;
};

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
    if (!s) return meta_fail_memory(error);
    s->p = calloc((size_t)op->batch * op->out.c, sizeof *s->p);
    s->pdot = calloc((size_t)op->batch * op->out.c, sizeof *s->pdot);
    if (s->p && s->pdot) return 0;
    NAME(loss_destroy)(op);
    op->state = NULL;
    return meta_fail_memory(error);
}

static inline double NAME(loss_share)(const struct meta_op *op, int b)
{
    return op->shares ? op->shares[b] : 1;
}

/* The images and the classes that a softmax is about: of pairs, the query images and the ways. */
static inline int NAME(loss_images)(const struct meta_op *op)
{
    return op->ways ? op->batch / op->ways : op->batch;
}
static inline int NAME(loss_classes)(const struct meta_op *op)
{
    return op->ways ? op->ways : op->out.c;
}

/* Where class k of image b lies. The input may still be a map, flattened planar as Darknet does. Of
   pairs it is one number an item. */
static inline size_t NAME(logit)(const struct meta_op *op, int b, int k)
{
    size_t P = meta_pixels(*op->in);
    if (op->ways) return AT(b * op->ways + k, 0, 0, 1, 1);
    return AT(b, k / P, k % P, op->in->c, P);
}

static void NAME(loss_forward)(struct meta_op *op, const void *theta)
{
    struct NAME(loss) *s = op->state;
    const REAL *x = op->x->value;
    int n = NAME(loss_classes)(op), images = NAME(loss_images)(op);
    op->loss = 0;
    for (int b = 0; b < images; b++) {
        double most = -INFINITY, sum = 0, *p = s->p + (size_t)b * n;
        for (int k = 0; k < n; k++) {
            p[k] = x[NAME(logit)(op, b, k)] / op->layer->temperature;
            if (p[k] > most) most = p[k];
        }
        double truth = p[op->labels[b]] - most;
        for (int k = 0; k < n; k++) sum += p[k] = exp(p[k] - most);
        for (int k = 0; k < n; k++) p[k] /= sum;
        op->loss += (log(sum) - truth) / images * NAME(loss_share)(op, b);
    }
}

static void NAME(loss_backward)(struct meta_op *op, const void *theta, void *gradient)
{
    struct NAME(loss) *s = op->state;
    REAL *xbar = op->x->bar;
    int n = NAME(loss_classes)(op), images = NAME(loss_images)(op);
    for (int b = 0; xbar && b < images; b++) {
        const double *p = s->p + (size_t)b * n;
        double share = NAME(loss_share)(op, b);
        for (int k = 0; k < n; k++)
            xbar[NAME(logit)(op, b, k)] = (p[k] - (k == op->labels[b]))
                / (images * op->layer->temperature) * share;
    }
}

static void NAME(loss_forward_tangent)(struct meta_op *op, const void *theta, const void *v)
{
    struct NAME(loss) *s = op->state;
    const REAL *xdot = op->x->dot;
    int n = NAME(loss_classes)(op), images = NAME(loss_images)(op);
    for (int b = 0; b < images; b++) {
        double mean = 0, *p = s->p + (size_t)b * n, *pdot = s->pdot + (size_t)b * n;
        for (int k = 0; k < n; k++) mean += p[k] * xdot[NAME(logit)(op, b, k)];
        for (int k = 0; k < n; k++)
            pdot[k] = p[k] * (xdot[NAME(logit)(op, b, k)] - mean) / op->layer->temperature;
    }
}

static void NAME(loss_backward_tangent)(struct meta_op *op, const void *theta, const void *v,
                                        void *product)
{
    struct NAME(loss) *s = op->state;
    REAL *xbardot = op->x->bardot;
    int n = NAME(loss_classes)(op), images = NAME(loss_images)(op);
    for (int b = 0; xbardot && b < images; b++)
        for (int k = 0; k < n; k++)
            xbardot[NAME(logit)(op, b, k)] = s->pdot[(size_t)b * n + k]
                / (images * op->layer->temperature) * NAME(loss_share)(op, b);
}

static void NAME(loss_probabilities)(const struct meta_op *op, float *out)
{
    const struct NAME(loss) *s = op->state;
    for (size_t i = 0; i < (size_t)op->batch * op->out.c; i++) out[i] = s->p[i];
}

static void NAME(loss_logits)(const struct meta_op *op, double *out)
{
    const REAL *x = op->x->value;
    int n = NAME(loss_classes)(op), images = NAME(loss_images)(op);
    for (int b = 0; b < images; b++)
        for (int k = 0; k < n; k++) *out++ = x[NAME(logit)(op, b, k)] / op->layer->temperature;
}

__attribute__((unused)) static const struct meta_kernel NAME(loss_kernel) = {
    .create = NAME(loss_create),
    .destroy = NAME(loss_destroy),
    .forward = NAME(loss_forward),
    .backward = NAME(loss_backward),
    .forward_tangent = NAME(loss_forward_tangent),
    .backward_tangent = NAME(loss_backward_tangent),
    .probabilities = NAME(loss_probabilities),
    .logits = NAME(loss_logits)
};

/* ---- squares: the mean of (score target)^2 over the pairs ------------------------------------ */

/* Where the score of a pair lies. */
static inline size_t NAME(score)(const struct meta_op *op, int pair)
{
    return AT(pair, 0, 0, 1, 1);
}

/* The target of a query image and a class: 1 where the class is the image's label, else 0. */
static inline double NAME(squares_target)(const struct meta_op *op, int pair)
{
    return op->labels[pair / op->ways] == pair % op->ways;
}

static void NAME(squares_forward)(struct meta_op *op, const void *theta)
{
    struct NAME(loss) *s = op->state;
    const REAL *x = op->x->value;
    op->loss = 0;
    for (int b = 0; b < op->batch; b++) {
        double d = x[NAME(score)(op, b)] - NAME(squares_target)(op, b);
        s->p[b] = x[NAME(score)(op, b)];
        op->loss += d * d / op->batch;
    }
}

static void NAME(squares_backward)(struct meta_op *op, const void *theta, void *gradient)
{
    struct NAME(loss) *s = op->state;
    REAL *xbar = op->x->bar;
    for (int b = 0; xbar && b < op->batch; b++)
        xbar[NAME(score)(op, b)] = 2 * (s->p[b] - NAME(squares_target)(op, b)) / op->batch;
}

/* log(1 / (1 + exp(-a))) of what went into the logistic function: the score itself rounds to 1. */
static void NAME(squares_logits)(const struct meta_op *op, double *out)
{
    for (int b = 0; b < op->batch; b++) {
        double a = op->argument[b];
        out[b] = a < 0 ? a - log1p(exp(a)) : -log1p(exp(-a));
    }
}

/* There are no tangents: such a network adapts nothing in a task. */
__attribute__((unused)) static const struct meta_kernel NAME(squares_kernel) = {
    .create = NAME(loss_create),
    .destroy = NAME(loss_destroy),
    .forward = NAME(squares_forward),
    .backward = NAME(squares_backward),
    .probabilities = NAME(loss_probabilities),
    .logits = NAME(squares_logits)
};
