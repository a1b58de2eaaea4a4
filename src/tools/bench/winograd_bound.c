/* Counts the arithmetic of Winograd's convolutions (Lavin and Gray, Fast Algorithms for
   Convolutional Neural Networks, CVPR 2016): products, and transforms by their usual matrices. */
#include "winograd_bound.h"

const char *const meta_bound_part_names[META_BOUND_PARTS] = {
    [META_BOUND_FORWARD] = "forward",
    [META_BOUND_WEIGHTS] = "weights_gradient",
    [META_BOUND_DATA] = "data_gradient",
    [META_BOUND_TANGENT] = "forward_tangent",
    [META_BOUND_BACK_TANGENT] = "backward_tangent",
};

/* Operations of one vector's transform, with what rows of the matrix have in common worked out
   once. In two dimensions the columns are transformed and then the rows, or the other way round. */
struct transforms {
    int input;      /* B' d: a numbers to a, a = m + 2 */
    int output;     /* A' y: a to m */
    int weights;    /* G g: 3 to a */
    int ybar;       /* A ybar: m to a, in the weights' gradient */
    int weightsbar; /* G' w: a to 3 */
};

/* Points 0, 1, -1, 2, -2 and infinity; of m = 6 also 1/2 and -1/2. */
static const struct transforms of_four = { 17, 13, 12, 11, 15 };
static const struct transforms of_six = { 37, 30, 17, 28, 22 };

int meta_winograd_bound_fits(const struct meta_layer *l)
{
    return l->type == META_CONVOLUTIONAL && l->size == 3 && l->stride == 1
        && meta_layer_groups(l) == 1 && meta_layer_dilation(l) == 1;
}

static double tiles(const struct meta_bound_convolution *c, struct meta_shape map, int m)
{
    return (double)c->batch * ((map.h + m - 1) / m) * ((map.w + m - 1) / m);
}

/* A square of `from` numbers a side to one of `to`: columns first, `from` of them, then `to` rows.
 */
static double square(int from, int to, int vector) { return (double)(from + to) * vector; }

struct meta_winograd_bound meta_winograd_bound(const struct meta_bound_convolution *c, int m,
                                               enum meta_bound_part part)
{
    const struct transforms *t = m == 6 ? &of_six : &of_four;
    int a = m + 2, active = c->active != 0;
    double y = tiles(c, c->out, m), x = tiles(c, c->in, m), pairs = (double)c->in.c * c->out.c;
    double input = square(a, a, t->input), output = square(a, m, t->output);
    double product = 2. * a * a * pairs, weights = square(3, a, t->weights) * pairs;
    double as_tiles = square(m, a, t->ybar), weightsbar = square(a, 3, t->weightsbar) * pairs;
    switch (part) {
    case META_BOUND_FORWARD:
        return (struct meta_winograd_bound){
            y * product, y * c->in.c * input + weights + y * c->out.c * output
        };
    case META_BOUND_WEIGHTS:
        return (struct meta_winograd_bound){ y * product, y * c->out.c * as_tiles + weightsbar };
    case META_BOUND_DATA:
        return (struct meta_winograd_bound){ active * x * product,
                                             active * x * (c->out.c * input + c->in.c * output) };
    case META_BOUND_TANGENT:
        return (struct meta_winograd_bound){ (1 + active) * y * product,
                                             active * y * c->in.c * input + weights
                                                 + y * c->out.c * output };
    default:
        return (struct meta_winograd_bound){ ((1 + active) * y + 2 * active * x) * product,
                                             y * c->out.c * as_tiles + weightsbar
                                                 + active * x
                                                     * (c->out.c * input + c->in.c * output) };
    }
}

double meta_bound_bytes(const struct meta_bound_convolution *c, enum meta_bound_part part)
{
    int active = c->active != 0;
    double x = c->batch * (double)meta_shape_numbers(c->in);
    double y = c->batch * (double)meta_shape_numbers(c->out), w = 9. * c->in.c * c->out.c;
    double numbers[META_BOUND_PARTS] = {
        [META_BOUND_FORWARD] = x + w + y,
        [META_BOUND_WEIGHTS] = x + y + w,
        [META_BOUND_DATA] = active * (y + w + x),
        [META_BOUND_TANGENT] = x + w + y + active * (x + w),
        [META_BOUND_BACK_TANGENT] = y + x + w + active * (y + x + w + w + x),
    };
    return sizeof(float) * numbers[part];
}
