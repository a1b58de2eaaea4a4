/* Convolutions by Winograd's tiles: the kernels against sums of products in double and by the identities of their adjoints, and the
   operation against the reference backend's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "backends/backends.h"
#include "backends/onednn/onednn.h"
#include "backends/onednn/onednn_winograd.h"
#include "backends/reference/reference.h"
#include "backends/winograd/winograd_kernels.h"
#include "base/rng.h"
#include "engine/program_internal.h"
#include "small_network.h"

/* ---- the kernels ------------------------------------------------------------------------------------------------------------- */

/* One convolution with all that a kernel reads and writes. */
struct conv {
    int lanes, in, out, h, w, padding, images; /* channels are multiples of lanes; the layer has three fewer of each */
    int oh, ow, across, down;
    float *x, *y, *ybar, *weights, *wbar, *xbar; /* xbar reaches as far as the tiles do */
    float *tiles_x, *tiles_y, *product, *u, *back, *sums;
    struct meta_winograd_maps maps_x, maps_y, maps_sum;
    struct meta_winograd_weights g;
    size_t place; /* of tiles */
};

enum { LEFT = 3 };

static float *numbers(size_t n, uint32_t use)
{
    struct meta_rng rng = meta_rng_open(7, META_USE_CHECK, use, 0, 0);
    float *p = aligned_alloc(64, (n * sizeof *p + 63) / 64 * 64 + 64);
    assert_non_null(p);
    for (size_t i = 0; i < n; i++) p[i] = use ? meta_rng_between(&rng, -1, 1) : 0;
    return p;
}

static void open_conv(struct conv *c, int tile)
{
    c->oh = c->h + 2 * c->padding - 2;
    c->ow = c->w + 2 * c->padding - 2;
    c->across = (c->ow + tile - 1) / tile;
    c->down = (c->oh + tile - 1) / tile;
    int each = c->across * c->down, all = each * c->images, places = (tile + 2) * (tile + 2);
    int most = c->in > c->out ? c->in : c->out, high = c->down * tile + 2, wide = c->across * tile + 2;
    c->maps_x = (struct meta_winograd_maps){ c->h, c->w, c->in / c->lanes, c->padding, c->across, each };
    c->maps_y = (struct meta_winograd_maps){ c->oh, c->ow, c->out / c->lanes, 0, c->across, each };
    c->maps_sum = (struct meta_winograd_maps){ high, wide, c->in / c->lanes, 0, c->across, each };
    c->place = (size_t)all * most + 16;
    c->g = (struct meta_winograd_weights){ c->in - LEFT, c->out - LEFT, c->in, c->out, (size_t)c->in * c->out + 16 };
    c->x = numbers((size_t)c->images * c->in * c->h * c->w, 1);
    c->y = numbers((size_t)c->images * c->out * c->oh * c->ow, 0);
    c->ybar = numbers((size_t)c->images * c->out * c->oh * c->ow, 2);
    c->weights = numbers((size_t)c->in * c->out * 9, 3);
    c->wbar = numbers((size_t)c->in * c->out * 9, 0);
    c->xbar = numbers((size_t)c->images * c->in * high * wide, 0);
    c->tiles_x = numbers(c->place * places, 0);
    c->tiles_y = numbers(c->place * places, 0);
    c->product = numbers(c->place * places, 0);
    c->u = numbers(c->g.place * places, 0);
    c->back = numbers(c->g.place * places, 0);
    c->sums = numbers(c->g.place * places, 0);
}

static void close_conv(struct conv *c)
{
    float *all[] = { c->x, c->y, c->ybar, c->weights, c->wbar, c->xbar, c->tiles_x, c->tiles_y, c->product, c->u, c->back, c->sums };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) free(all[i]);
}

/* Where pixel (y, x) of channel k of image b lies, in maps of (h, w). */
static size_t at(const struct conv *c, int channels, int h, int w, int b, int k, int y, int x)
{
    return ((((size_t)b * (channels / c->lanes) + k / c->lanes) * h + y) * w + x) * c->lanes + k % c->lanes;
}

/* y, xbar and wbar by the kernels. */
static void run(struct conv *c, const struct meta_winograd *k)
{
    int places = (k->tile + 2) * (k->tile + 2), count = c->maps_x.of_image * c->images;
    struct meta_winograd_tiles tx = { c->tiles_x, c->place, c->in }, ty = { c->tiles_y, c->place, c->out };
    k->weights(c->weights, &c->g, c->u);
    k->weights_back(c->weights, &c->g, c->back);
    k->take_inputs(c->x, &c->maps_x, 0, count, tx);
    k->take_outputs(c->ybar, &c->maps_y, 0, count, ty);
    k->product(&(struct meta_winograd_product){ .places = places, .rows = count, .depth = c->in, .columns = c->out, .terms = 1,
        .a = { c->tiles_x }, .a_place = c->place, .a_row = c->in, .a_depth = 1,
        .b = { c->u }, .b_place = c->g.place, .b_panel = (size_t)c->in * k->panel, .c = c->product, .c_place = c->place, .c_row = c->out });
    k->put_outputs(c->y, &c->maps_y, 0, count, (struct meta_winograd_tiles){ c->product, c->place, c->out });
    k->product(&(struct meta_winograd_product){ .places = places, .rows = count, .depth = c->out, .columns = c->in, .terms = 1,
        .a = { c->tiles_y }, .a_place = c->place, .a_row = c->out, .a_depth = 1,
        .b = { c->back }, .b_place = c->g.place, .b_panel = (size_t)c->out * k->panel, .c = c->product, .c_place = c->place, .c_row = c->in });
    k->add_inputs(c->xbar, &c->maps_sum, 0, count, (struct meta_winograd_tiles){ c->product, c->place, c->in });
    k->product(&(struct meta_winograd_product){ .places = places, .rows = c->in, .depth = count, .columns = c->out, .terms = 1,
        .a = { c->tiles_x }, .a_place = c->place, .a_row = 1, .a_depth = c->in,
        .b = { c->tiles_y }, .b_place = c->place, .b_depth = c->out, .b_panel = k->panel,
        .c = c->sums, .c_place = c->g.place, .c_row = c->out });
    k->weights_bar(c->sums, &c->g, c->wbar);
}

static double pixel(const struct conv *c, int b, int k, int y, int x)
{
    return y < 0 || x < 0 || y >= c->h || x >= c->w ? 0 : c->x[at(c, c->in, c->h, c->w, b, k, y, x)];
}

/* The convolution's own value of an output. */
static double sum_of(const struct conv *c, int b, int o, int y, int x)
{
    double sum = 0;
    if (o >= c->g.out) return 0;
    for (int i = 0; i < c->g.in; i++)
        for (int k = 0; k < 9; k++)
            sum += c->weights[((size_t)o * c->g.in + i) * 9 + k] * pixel(c, b, i, y + k / 3 - c->padding, x + k % 3 - c->padding);
    return sum;
}

/* <y, ybar>, <x, xbar> and <w, wbar>, and how far y is from sums of products, of its size. */
static void judge(const struct conv *c, double inner[3], double *apart)
{
    double far = 0, size = 0;
    inner[0] = inner[1] = inner[2] = 0;
    for (int b = 0; b < c->images; b++) {
        for (int o = 0; o < c->out; o++)
            for (int p = 0; p < c->oh * c->ow; p++) {
                size_t here = at(c, c->out, c->oh, c->ow, b, o, p / c->ow, p % c->ow);
                double wanted = sum_of(c, b, o, p / c->ow, p % c->ow);
                inner[0] += (double)c->y[here] * c->ybar[here];
                far += (c->y[here] - wanted) * (c->y[here] - wanted);
                size += wanted * wanted;
            }
        for (int i = 0; i < c->in; i++)
            for (int p = 0; p < c->h * c->w; p++) {
                size_t to = at(c, c->in, c->maps_sum.h, c->maps_sum.w, b, i, p / c->w + c->padding, p % c->w + c->padding);
                inner[1] += (double)c->xbar[to] * c->x[at(c, c->in, c->h, c->w, b, i, p / c->w, p % c->w)];
            }
    }
    for (int i = 0; i < c->g.in * c->g.out * 9; i++) inner[2] += (double)c->weights[i] * c->wbar[i];
    *apart = sqrt(far / size);
}

/* Whole tiles, parts of tiles, maps smaller than a tile, paddings, and columns of whole and narrow panels. */
static const struct conv convs[] = {
    { .in = 1, .out = 1, .h = 12, .w = 12, .padding = 1, .images = 1 }, { .in = 2, .out = 3, .h = 11, .w = 13, .padding = 1, .images = 2 },
    { .in = 3, .out = 5, .h = 9, .w = 8, .padding = 0, .images = 1 },   { .in = 1, .out = 4, .h = 3, .w = 5, .padding = 2, .images = 3 },
    { .in = 2, .out = 2, .h = 1, .w = 1, .padding = 1, .images = 7 },   { .in = 5, .out = 1, .h = 7, .w = 30, .padding = 1, .images = 1 },
};

static void check_kernels(const struct meta_winograd *k, int lanes)
{
    for (size_t i = 0; i < sizeof convs / sizeof *convs; i++) {
        struct conv c = convs[i];
        double inner[3], apart, limit = k->tile == 4 ? 1e-6 : 5e-6;
        c.lanes = lanes;
        c.in *= lanes;
        c.out *= lanes;
        open_conv(&c, k->tile);
        run(&c, k);
        judge(&c, inner, &apart);
        if (!(apart < limit)) fail_msg("case %zu, %d lanes, tiles of %d: %g from sums", i, lanes, k->tile, apart);
        for (int n = 1; n < 3; n++)
            if (!(fabs(inner[n] - inner[0]) < 2e-5 * (1 + fabs(inner[0])) * sqrt(c.in * c.out)))
                fail_msg("case %zu, %d lanes, tiles of %d: adjoint %d: %g, not %g", i, lanes, k->tile, n, inner[n], inner[0]);
        close_conv(&c);
    }
}

static void check_set(const struct meta_winograd_set *set)
{
    for (int t = 0; t < 2; t++) {
        check_kernels(&set->lanes8[t], 8);
        check_kernels(&set->lanes16[t], 16);
    }
}

static void avx2_convolves(void **state)
{
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) skip();
    check_set(&meta_winograd_avx2);
}

static void avx512_convolves(void **state)
{
    if (!__builtin_cpu_supports("avx512f") || !__builtin_cpu_supports("avx512dq") || !__builtin_cpu_supports("avx512vl")) skip();
    check_set(&meta_winograd_avx512);
}

/* Two terms are the sum of two products, and what is added to is kept. */
static void terms_add_up(void **state)
{
    enum { ROWS = 13, DEPTH = 9, COLUMNS = 40 };
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) skip();
    const struct meta_winograd *k = &meta_winograd_avx2.lanes8[0];
    float *a[2] = { numbers(ROWS * DEPTH, 1), numbers(ROWS * DEPTH, 2) };
    float *b[2] = { numbers(DEPTH * COLUMNS, 3), numbers(DEPTH * COLUMNS, 4) };
    float *c = numbers(ROWS * COLUMNS, 5), *was = numbers(ROWS * COLUMNS, 5);
    k->product(&(struct meta_winograd_product){ .places = 1, .rows = ROWS, .depth = DEPTH, .columns = COLUMNS, .terms = 2, .adding = 1,
        .a = { a[0], a[1] }, .a_row = DEPTH, .a_depth = 1, .b = { b[0], b[1] }, .b_depth = COLUMNS, .b_panel = k->panel,
        .c = c, .c_row = COLUMNS });
    for (int r = 0; r < ROWS; r++)
        for (int v = 0; v < COLUMNS; v++) {
            double sum = was[r * COLUMNS + v];
            for (int t = 0; t < 2; t++)
                for (int d = 0; d < DEPTH; d++) sum += (double)a[t][r * DEPTH + d] * b[t][d * COLUMNS + v];
            assert_true(fabs(sum - c[r * COLUMNS + v]) < 1e-5);
        }
    for (int t = 0; t < 2; t++) free(a[t]), free(b[t]);
    free(c);
    free(was);
}

/* ---- the operation ----------------------------------------------------------------------------------------------------------- */

static struct meta_network *between_convolutions(int in, int out, int h, int w, int padding)
{
    struct meta_network *net;
    struct meta_error error;
    int where;
    if (meta_network_create(&net, (struct meta_shape){ .c = 3, .h = h, .w = w }, &error)) fail_msg("%s", error.text);
    layer(net, (struct meta_layer){ .type = META_CONVOLUTIONAL, .filters = in, .size = 1, .stride = 1, .activation = META_LINEAR }, 0, 0);
    layer(net, (struct meta_layer){ .type = META_CONVOLUTIONAL, .filters = out, .size = 3, .stride = 1, .padding = padding,
                                    .batch_normalize = 1, .activation = META_LEAKY }, 0, 0);
    layer(net, (struct meta_layer){ .type = META_CONNECTED, .filters = 2, .activation = META_LINEAR }, 0, 0);
    layer(net, (struct meta_layer){ .type = META_SOFTMAX, .temperature = 1 }, 0, 0);
    if (meta_network_finish(net, 2, &where, &error)) fail_msg("layer %d: %s", where, error.text);
    return net;
}

struct outcome {
    double loss, *gradient, *product;
};

/* Whether an operation is by tiles, as `wanted` says; then its loss, gradient and product. */
static struct outcome measure(const struct meta_network *net, const struct meta_backend *backend, float *const in[3])
{
    static const int labels[BATCH] = { 1, 0, 1, 1, 0, 0 };
    struct outcome o = { 0 };
    struct meta_program *p;
    struct meta_error error;
    size_t n = net->parameters;
    int by_tiles = 0;
    if (backend->open(&error)
        || meta_program_create(&p, net, backend, (struct meta_program_settings){ .query = BATCH, .passes = META_TANGENTS }, &error))
        fail_msg("%s", error.text);
    for (int i = 0; i < p->low.op_count; i++) by_tiles += p->low.ops[i].kernel == &meta_onednn_winograd;
    assert_int_equal(by_tiles, backend == &meta_backend_onednn && meta_winograd_kernels());
    void *theta = backend->allocate(n * backend->element), *v = backend->allocate(n * backend->element);
    void *got = backend->allocate(n * backend->element);
    backend->upload(theta, in[1], n);
    backend->upload(v, in[2], n);
    meta_program_load(p, in[0], labels);
    o.loss = meta_program_forward(p, theta, META_STATISTICS_BATCH, NULL);
    double **vectors[] = { &o.gradient, &o.product };
    for (int k = 0; k < 2; k++) {
        if (k) meta_program_hessian_product(p, theta, v, got);
        else meta_program_gradient(p, theta, got);
        *vectors[k] = calloc(n, sizeof **vectors[k]);
        backend->download_double(*vectors[k], got, n);
    }
    backend->release(theta);
    backend->release(v);
    backend->release(got);
    meta_program_free(p);
    return o;
}

static void assert_near_each(const char *what, const double *got, const double *wanted, size_t n)
{
    double apart = 0, size = 0;
    for (size_t i = 0; i < n; i++) {
        apart += (got[i] - wanted[i]) * (got[i] - wanted[i]);
        size += wanted[i] * wanted[i];
    }
    if (!(sqrt(apart) <= 5e-5 * sqrt(size))) fail_msg("%s: %g apart, of %g", what, sqrt(apart), sqrt(size));
}

static void agrees_with_the_reference(void **state)
{
    static const int shapes[][5] = { { 16, 24, 12, 12, 1 }, { 20, 33, 21, 17, 1 }, { 32, 16, 42, 42, 0 }, { 64, 64, 10, 10, 1 },
                                     { 48, 40, 13, 6, 2 } };
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        const int *s = shapes[i];
        struct meta_network *net = between_convolutions(s[0], s[1], s[2], s[3], s[4]);
        size_t n = net->parameters;
        float *in[3] = { numbers((size_t)BATCH * 3 * s[2] * s[3], 1), numbers(n, 2), numbers(n, 3) };
        for (size_t k = 0; k < n; k++) in[1][k] *= .3f;
        struct outcome wanted = measure(net, &meta_backend_reference, in), got = measure(net, &meta_backend_onednn, in);
        struct outcome alone = measure(net, meta_backend_kernels(&meta_backend_onednn, "onednn"), in);
        assert_true(fabs(got.loss - wanted.loss) < 1e-4 * (1 + fabs(wanted.loss)));
        assert_near_each("gradient", got.gradient, wanted.gradient, n);
        assert_near_each("product", got.product, wanted.product, n);
        assert_near_each("oneDNN's gradient", alone.gradient, wanted.gradient, n);
        free(wanted.gradient), free(wanted.product), free(got.gradient), free(got.product), free(alone.gradient), free(alone.product);
        for (int k = 0; k < 3; k++) free(in[k]);
        meta_network_free(net);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(avx2_convolves),
        cmocka_unit_test(avx512_convolves),
        cmocka_unit_test(terms_add_up),
        cmocka_unit_test(agrees_with_the_reference),
    };
    __builtin_cpu_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
