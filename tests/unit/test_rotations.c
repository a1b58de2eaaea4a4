/* rotations=4: a network that does not see quarter turns of its images, its derivatives, and its ordinary form. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "near.h"
#include "base/rng.h"
#include "engine/program.h"
#include "network/tie.h"
#include "network/turns.h"
#include "network/weights.h"
#include "backends/onednn/onednn.h"
#include "backends/reference/reference.h"

enum { SIDE = 12, C = 3, BATCH = 4, IMAGE = C * SIDE * SIDE, OUTPUTS = 3 };
static struct meta_error error;
static struct meta_network *net;
static float *phi, *statistics;
static float images[BATCH * IMAGE], turned[BATCH * IMAGE];
static const int labels[BATCH] = { 0, 2, 1, 2 };

static const struct meta_layer conv = { .type = META_CONVOLUTIONAL, .filters = 16, .size = 3, .stride = 1, .padding = 1, .batch_normalize = 1,
                                        .activation = META_LEAKY, .rotations = 4, .line = 7 };
static const struct meta_layer pool = { .type = META_MAXPOOL, .size = 2, .stride = 2 };
static const struct meta_layer head = { .type = META_CONNECTED, .filters = OUTPUTS, .rotations = 4 };

static struct meta_layer with(struct meta_layer l, int filters, int size, enum meta_activation a)
{
    l.filters = filters;
    l.size = size;
    l.padding = size / 2;
    l.activation = a;
    return l;
}

static void add(struct meta_network *n, struct meta_layer l)
{
    if (meta_network_add(n, l, &error)) fail_msg("%s", error.text);
}

/* Lifted by 5x5, pooled; 3x3 over turns, with a bend that is no line, pooled; 3x3 without normalisation; a branch; connected. */
static int set_up(void **state)
{
    int where;
    struct meta_rng rng = meta_rng_open(4, META_USE_CHECK, 0, 0, 0);
    if (meta_network_create(&net, (struct meta_shape){ C, SIDE, SIDE }, &error)) return -1;
    add(net, with(conv, 16, 5, META_LEAKY));
    add(net, pool);
    add(net, with(conv, 20, 3, META_SWISH));
    add(net, pool);
    struct meta_layer bare = with(conv, 20, 3, META_LOGISTIC);
    bare.batch_normalize = 0;
    add(net, bare);
    int *from = malloc(sizeof *from);
    *from = 3;
    add(net, (struct meta_layer){ .type = META_SHORTCUT, .from_count = 1, .from = from, .alpha = 1, .beta = 1 });
    add(net, head);
    add(net, (struct meta_layer){ .type = META_SOFTMAX, .temperature = 1 });
    if (meta_network_finish(net, 2, &where, &error)) fail_msg("%s", error.text);
    phi = malloc(net->parameters * sizeof *phi);
    statistics = malloc(net->statistics * sizeof *statistics);
    meta_network_initialise(net, 3, phi, statistics);
    for (size_t i = 0; i < net->parameters; i++) phi[i] += (float)(.1 * meta_rng_normal(&rng));
    for (int i = 0; i < BATCH * IMAGE; i++) images[i] = meta_rng_uniform(&rng);
    return 0;
}

static int tear_down(void **state)
{
    meta_network_free(net);
    free(phi);
    free(statistics);
    return 0;
}

/* Turns image i of `images` by so many quarters into `turned`. */
static void turn(int i, int quarters)
{
    static float from[IMAGE];
    float *to = turned + i * IMAGE;
    memcpy(to, images + i * IMAGE, sizeof from);
    for (int r = 0; r < quarters; r++) {
        memcpy(from, to, sizeof from);
        for (int k = 0; k < C; k++)
            for (int y = 0; y < SIDE; y++)
                for (int x = 0; x < SIDE; x++) to[(k * SIDE + y) * SIDE + x] = from[(k * SIDE + x) * SIDE + SIDE - 1 - y];
    }
}

static void *vector(const struct meta_backend *b, const float *x, size_t n)
{
    void *v = b->allocate(n * b->element);
    if (x) b->upload(v, x, n);
    return v;
}

static struct meta_program *program(const struct meta_network *n, const struct meta_backend *b, enum meta_passes passes)
{
    struct meta_program *p;
    if (meta_program_create(&p, n, b, (struct meta_program_settings){ .query = BATCH, .passes = passes }, &error)) fail_msg("%s", error.text);
    return p;
}

/* Log-odds (BATCH, OUTPUTS), by the batch's statistics or by those given. */
static void answers(const struct meta_network *n, const struct meta_backend *b, const float *parameters, const float *given, const float *x,
                    double *odds)
{
    struct meta_program *p = program(n, b, META_FORWARD);
    void *theta = vector(b, parameters, n->parameters);
    meta_program_load(p, x, labels);
    meta_program_forward(p, theta, given ? META_STATISTICS_ROLLING : META_STATISTICS_BATCH, given);
    meta_program_log_odds(p, odds);
    meta_program_free(p);
    b->release(theta);
}

static void near_all(const double *a, const double *b, double tolerance)
{
    for (int i = 0; i < BATCH * OUTPUTS; i++) assert_near(a[i], b[i], tolerance);
}

/* Each image turned otherwise, also under the statistics of the batch. */
static void turned_images_have_the_same_answers(void **state)
{
    const struct meta_backend *b = *state;
    double before[BATCH * OUTPUTS], after[BATCH * OUTPUTS];
    for (int i = 0; i < BATCH; i++) turn(i, (i + 1) % 4);
    assert_memory_not_equal(images, turned, sizeof images);
    answers(net, b, phi, NULL, images, before);
    answers(net, b, phi, NULL, turned, after);
    near_all(after, before, b == &meta_backend_reference ? 1e-12 : 2e-5);
    for (int i = 1; i < BATCH; i++) assert_true(fabs(before[i * OUTPUTS] - before[0]) > 1e-3);
}

/* An ordinary network with the same numbers sees them: the weights of a plain head are not tied. */
static void others_see_turns(void **state)
{
    struct meta_filled from = { net, phi, statistics }, full;
    double before[BATCH * OUTPUTS], after[BATCH * OUTPUTS];
    if (meta_tie_undo(&full, &from, &error)) fail_msg("%s", error.text);
    full.parameters[full.network->layers[0].weights + 7] += .5f;
    turn(0, 1);
    for (int i = 1; i < BATCH; i++) turn(i, 0);
    answers(full.network, &meta_backend_reference, full.parameters, NULL, images, before);
    answers(full.network, &meta_backend_reference, full.parameters, NULL, turned, after);
    assert_true(fabs(before[0] - after[0]) > 1e-4);
    meta_filled_clear(&full);
}

/* Under given statistics the ordinary network of the same layers gives the same; it has a quarter of the turns of its own. */
static void ordinary_form(void **state)
{
    struct meta_filled from = { net, phi, statistics }, full;
    double tied[BATCH * OUTPUTS], untied[BATCH * OUTPUTS];
    for (size_t i = 0; i < net->statistics; i++) statistics[i] = .4f + i % 7 * .1f;
    if (meta_tie_undo(&full, &from, &error)) fail_msg("%s", error.text);
    answers(net, &meta_backend_reference, phi, statistics, images, tied);
    answers(full.network, &meta_backend_reference, full.parameters, full.statistics, images, untied);
    near_all(untied, tied, 0);
    assert_int_equal(full.network->layers[0].weight_count, 4 * net->layers[0].weight_count);
    assert_int_equal(full.network->layers[6].weight_count, 4 * net->layers[6].weight_count);
    assert_int_equal(full.network->parameters - (4 * (net->parameters - OUTPUTS) + OUTPUTS), 0);
    for (int i = 0; i < full.network->count; i++) assert_int_equal(full.network->layers[i].rotations, 0);
    meta_filled_clear(&full);
}

/* Of the batch's own statistics: gradient and Hessian products against differences, in every parameter. */
static void derivatives(void **state)
{
    const struct meta_backend *b = &meta_backend_reference;
    size_t n = net->parameters;
    struct meta_program *p = program(net, b, META_TANGENTS);
    struct meta_rng rng = meta_rng_open(9, META_USE_CHECK, 0, 0, 0);
    double *at = malloc(n * sizeof *at), *v = malloc(n * sizeof *v), *g = malloc(n * sizeof *g), *up = malloc(n * sizeof *up), *down = malloc(n * sizeof *down);
    void *theta = vector(b, phi, n), *along = vector(b, NULL, n), *out = vector(b, NULL, n);
    meta_program_load(p, images, labels);
    for (size_t i = 0; i < n; i++) v[i] = meta_rng_normal(&rng);
    b->upload_double(along, v, n);
    meta_program_forward(p, theta, META_STATISTICS_BATCH, NULL);
    meta_program_gradient(p, theta, out);
    b->download_double(g, out, n);
    double apart = 0, norm = 0, h = 1e-6;
    for (size_t i = 0; i < n; i += 3) {
        for (size_t k = 0; k < n; k++) at[k] = phi[k];
        at[i] += h;
        b->upload_double(theta, at, n);
        double slope = meta_program_forward(p, theta, META_STATISTICS_BATCH, NULL);
        at[i] -= 2 * h;
        b->upload_double(theta, at, n);
        slope = (slope - meta_program_forward(p, theta, META_STATISTICS_BATCH, NULL)) / (2 * h);
        apart += pow(slope - g[i], 2);
        norm += slope * slope;
    }
    assert_true(norm > 1e-3 && sqrt(apart / norm) < 1e-6);
    double *sides[] = { up, down };
    for (int s = 0; s < 2; s++) {
        for (size_t k = 0; k < n; k++) at[k] = phi[k] + (s ? -h : h) * v[k];
        b->upload_double(theta, at, n);
        meta_program_forward(p, theta, META_STATISTICS_BATCH, NULL);
        meta_program_gradient(p, theta, out);
        b->download_double(sides[s], out, n);
    }
    b->upload(theta, phi, n);
    meta_program_forward(p, theta, META_STATISTICS_BATCH, NULL);
    meta_program_gradient(p, theta, out);
    meta_program_hessian_product(p, theta, along, out);
    b->download_double(g, out, n);
    apart = norm = 0;
    for (size_t i = 0; i < n; i++) {
        double slope = (up[i] - down[i]) / (2 * h);
        apart += pow(slope - g[i], 2);
        norm += slope * slope;
    }
    assert_true(norm > 1e-3 && sqrt(apart / norm) < 1e-5);
    void *vectors[] = { theta, along, out };
    for (int i = 0; i < 3; i++) b->release(vectors[i]);
    double *arrays[] = { at, v, g, up, down };
    for (int i = 0; i < 5; i++) free(arrays[i]);
    meta_program_free(p);
}

/* A file has what an ordinary network's has; it is read back to the bit, and refused where a turn is another filter. */
static void files(void **state)
{
    struct meta_filled from = { net, phi, statistics }, full;
    struct meta_weights_head headed = { .seen = 12 }, got;
    char path[300], other[320], wanted[700];
    snprintf(path, sizeof path, "%s/rotations.weights", getenv("TMP_TEST") ? getenv("TMP_TEST") : "/tmp");
    snprintf(other, sizeof other, "%s.other", path);
    float *read = malloc(net->parameters * sizeof *read), *also = malloc(net->statistics * sizeof *also);
    if (meta_tie_undo(&full, &from, &error)) fail_msg("%s", error.text);
    if (meta_weights_write(net, path, phi, statistics, headed, &error)) fail_msg("%s", error.text);
    if (meta_weights_read(net, path, read, also, &got, &error)) fail_msg("%s", error.text);
    assert_memory_equal(read, phi, net->parameters * sizeof *read);
    assert_memory_equal(also, statistics, net->statistics * sizeof *also);
    float *plain = malloc(full.network->parameters * sizeof *plain);
    if (meta_weights_read(full.network, path, plain, also, &got, &error)) fail_msg("%s", error.text);
    assert_memory_equal(plain, full.parameters, full.network->parameters * sizeof *plain);
    plain[full.network->layers[2].weights + 3 * 16 * 9] += 1;
    if (meta_weights_write(full.network, other, plain, statistics, headed, &error)) fail_msg("%s", error.text);
    assert_int_equal(meta_weights_read(net, other, read, also, &got, &error), -1);
    snprintf(wanted, sizeof wanted,
             "%s: [convolutional] of line 7: rotations=4: its filters are not the quarter turns of one another: must be as meta train writes them", other);
    assert_string_equal(error.text, wanted);
    assert_memory_equal(read, phi, net->parameters * sizeof *read); /* as it was */
    assert_memory_equal(also, statistics, net->statistics * sizeof *also);
    assert_int_equal(meta_weights_numbers(net), full.network->parameters + net->statistics);
    unlink(path);
    unlink(other);
    free(read);
    free(also);
    free(plain);
    meta_filled_clear(&full);
}

static void refuses(const struct meta_layer *first, const struct meta_layer *l, int width, const char *why)
{
    struct meta_network *n;
    if (meta_network_create(&n, (struct meta_shape){ C, SIDE, width }, &error)) fail_msg("%s", error.text);
    if (first) add(n, *first);
    assert_int_equal(meta_network_add(n, *l, &error), -1);
    assert_string_equal(error.text, why);
    meta_network_free(n);
}

static void what_does_not_fit(void **state)
{
    struct meta_layer odd = with(conv, 6, 3, META_RELU), parted = conv, plain = conv;
    parted.groups = 2;
    plain.rotations = 0;
    refuses(NULL, &odd, SIDE, "rotations=4: filters=6: must be a multiple of 4, a filter's turns");
    refuses(&conv, &parted, SIDE, "rotations=4: groups=2: must be 1");
    refuses(&plain, &conv, SIDE,
            "rotations=4: stands after [convolutional] of line 7, whose maps do not turn with the image: must be with rotations=4, from the "
            "first convolution on");
    refuses(&plain, &head, SIDE,
            "rotations=4: stands after [convolutional] of line 7, whose maps do not turn with the image: must be with rotations=4, from the "
            "first convolution on");
    refuses(NULL, &head, SIDE, "rotations=4: no [convolutional] with rotations=4 stands before it");
    refuses(&conv, &head, SIDE + 1, "rotations=4: its input is 13x12: must be a square");
    /* a pool that leaves out a last row */
    struct meta_network *n;
    if (meta_network_create(&n, (struct meta_shape){ C, SIDE + 1, SIDE + 1 }, &error)) fail_msg("%s", error.text);
    add(n, conv);
    assert_null(meta_turns_lopsided(n));
    add(n, pool);
    assert_ptr_equal(meta_turns_lopsided(n), &n->layers[1]);
    meta_network_free(n);
    assert_null(meta_turns_lopsided(net));
}

/* Layer 2 of a convolution of SIDE (even) or SIDE + 1 pixels, one of stride 2 and `l`: whether it is lopsided. */
static int lopsided(int side, struct meta_layer l)
{
    struct meta_network *n;
    if (meta_network_create(&n, (struct meta_shape){ C, side, side }, &error)) fail_msg("%s", error.text);
    struct meta_layer half = conv, narrow = conv;
    half.size = 2; /* 12 to 6: as far from the right as from the left */
    half.padding = 0;
    half.stride = side % 2 ? 1 : 2;
    add(n, narrow);
    add(n, half);
    if (l.type == META_SHORTCUT) {
        l.from = calloc(1, sizeof *l.from);
        l.from_count = 1;
    }
    add(n, l);
    const struct meta_layer *found = meta_turns_lopsided(n);
    int it = found == &n->layers[2];
    if (found && !it) fail_msg("layer %d", (int)(found - n->layers));
    meta_network_free(n);
    return it;
}

static void layers_that_pick_on_one_side(void **state)
{
    struct meta_layer shortcut = { .type = META_SHORTCUT, .alpha = 1, .beta = 1 }, crop = { .type = META_CROP, .crop_width = 4, .crop_height = 4 };
    assert_true(lopsided(SIDE, shortcut)); /* pixels 0, 2, ... 10 of 12 */
    assert_false(lopsided(SIDE, crop));    /* 6 to 4: one pixel on each side */
    crop.crop_width = crop.crop_height = 3;
    assert_true(lopsided(SIDE, crop));
    crop.crop_width = 6;
    crop.crop_height = 4;
    assert_true(lopsided(SIDE, crop)); /* no square any more */
}

int main(void)
{
    struct CMUnitTest tests[] = {
        { "turned images have the same answers, reference", turned_images_have_the_same_answers, NULL, NULL, (void *)&meta_backend_reference },
        { "turned images have the same answers, onednn", turned_images_have_the_same_answers, NULL, NULL, (void *)&meta_backend_onednn },
        cmocka_unit_test(others_see_turns),
        cmocka_unit_test(ordinary_form),
        cmocka_unit_test(derivatives),
        cmocka_unit_test(files),
        cmocka_unit_test(what_does_not_fit),
        cmocka_unit_test(layers_that_pick_on_one_side),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
