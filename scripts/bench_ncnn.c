/* Times the forward of 3x3 convolutions in this program's default backend and in ncnn, in turn, on one thread. scripts/bench_ncnn.sh
   builds it. A first layer of up to three channels is ours with its normalisation, activation and 2x2 max-pool, since the backend has
   them in one operation; ncnn then does the convolution alone. */
#include "bench_ncnn.h"
#include "backends/backends.h"
#include "base/clock.h"
#include "base/pool.h"
#include "engine/program.h"
#include "tools/bench/peak.h"
#include "tools/bench/timing.h"
#include "tools/bench/winograd_bound.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 64 };
struct shape { int in, out, side; };

static void fail(const char *text)
{
    fprintf(stderr, "bench_ncnn: %s\n", text);
    exit(1);
}

static float *random_floats(size_t n)
{
    float *x = malloc(n * sizeof *x);
    if (!x) fail("out of memory");
    for (size_t i = 0; i < n; i++) x[i] = rand() / (RAND_MAX + 1.f) - .5f;
    return x;
}

/* ---- our side ---------------------------------------------------------------------------------------------------------------- */

struct ours {
    struct meta_network *network;
    struct meta_program *program;
    struct meta_op op; /* the convolution, or the first layer */
    void *theta;
    int is_first;
};

static void add(struct meta_network *network, struct meta_layer layer)
{
    struct meta_error error;
    if (meta_network_add(network, layer, &error)) fail(error.text);
}

static void ours_create(struct ours *o, struct shape s, int batch, const float *parameters, const float *images)
{
    const struct meta_backend *b = meta_backend_default();
    struct meta_error error;
    int *labels = calloc(batch, sizeof *labels), where;
    o->is_first = s.in <= 3;
    if (meta_network_create(&o->network, (struct meta_shape){ s.in, s.side, s.side }, &error)) fail(error.text);
    add(o->network, (struct meta_layer){ .type = META_CONVOLUTIONAL, .filters = s.out, .size = 3, .stride = 1, .padding = 1,
                                         .batch_normalize = o->is_first, .activation = o->is_first ? META_RELU : META_LINEAR });
    if (o->is_first) add(o->network, (struct meta_layer){ .type = META_MAXPOOL, .size = 2, .stride = 2, .padding = 0 });
    add(o->network, (struct meta_layer){ .type = META_CONNECTED, .filters = 2, .activation = META_LINEAR });
    add(o->network, (struct meta_layer){ .type = META_SOFTMAX, .temperature = 1 });
    if (meta_network_finish(o->network, 2, &where, &error)
        || meta_program_create(&o->program, o->network, b, (struct meta_program_settings){ .query = batch, .passes = META_FORWARD }, &error))
        fail(error.text);
    o->theta = b->allocate(o->network->parameters * b->element);
    if (!o->theta || !labels) fail("out of memory");
    b->upload((char *)o->theta + o->network->layers[0].weights * b->element, parameters, o->network->layers[0].weight_count);
    meta_program_load(o->program, images, labels);
    free(labels);
    o->op = *meta_program_operation(o->program, 0);
}

static void ours_forward(struct ours *o)
{
    o->op.loads = 0; /* other images each time: what is kept of the last ones is not used */
    o->op.kernel->forward(&o->op, o->theta);
}

static void ours_free(struct ours *o)
{
    meta_backend_default()->release(o->theta);
    meta_program_free(o->program);
    meta_network_free(o->network);
}

/* ---- in turn ------------------------------------------------------------------------------------------------------------------ */

/* Largest difference of the outputs, relative to the largest output. */
static double difference(const struct ours *o, const struct peer *p, struct shape s, int batch)
{
    size_t n = (size_t)s.out * s.side * s.side;
    float *a = malloc(batch * n * sizeof *a), *b = malloc(n * sizeof *b);
    double apart = 0, most = 0;
    if (!a || !b) fail("out of memory");
    meta_backend_default()->tensor_out(a, o->op.y.value, batch, o->op.out);
    for (int i = 0; i < batch; i++) {
        if (peer_output(p, i, b)) fail("ncnn gave no output");
        for (size_t k = 0; k < n; k++) {
            apart = fmax(apart, fabs((double)a[i * n + k] - b[k]));
            most = fmax(most, fabs((double)b[k]));
        }
    }
    free(a);
    free(b);
    return apart / most;
}

/* Seconds of processor time of one forward, of as many as take some hundredths of a second. */
#define TIME(runs, call) ({ double begun = meta_thread_time(); for (int n = 0; n < (runs); n++) { call; } (meta_thread_time() - begun) / (runs); })

static void compare(struct shape s, int batch, int rounds, struct meta_pool *pool)
{
    size_t weights = 9 * (size_t)s.in * s.out;
    float *w = random_floats(weights), *images = random_floats((size_t)batch * s.in * s.side * s.side);
    struct ours ours = { 0 };
    struct peer *peer = peer_create(s.in, s.out, s.side, w, batch, images);
    double mine[META_MOST_ROUNDS], theirs[META_MOST_ROUNDS], peak[META_MOST_ROUNDS];
    if (!peer) fail("ncnn refuses the convolution");
    ours_create(&ours, s, batch, w, images);
    ours_forward(&ours);
    if (peer_forward(peer)) fail("ncnn's forward failed");
    double apart = ours.is_first ? NAN : difference(&ours, peer, s, batch);
    if (apart > 1e-4) fail("the two give different outputs");
    int runs = 1 + (int)(.05 / (1e-6 + TIME(1, ours_forward(&ours))));
    for (int r = 0; r < rounds; r++) {
        peak[r] = meta_peak(pool, .02).processor_rate;
        mine[r] = TIME(runs, ours_forward(&ours));
        theirs[r] = TIME(runs, peer_forward(peer));
    }
    struct meta_spread of_mine = meta_spread(mine, rounds), of_theirs = meta_spread(theirs, rounds),
                       times = meta_spread_of_ratios(theirs, mine, rounds);
    double flops = 2. * batch * s.side * s.side * weights / meta_spread(peak, rounds).median;
    printf("%3d to %3d, %3dx%-3d %5d  %9.3f %5.0f%%  %9.3f %5.0f%%  %6.2f (%.2f to %.2f)  ", s.in, s.out, s.side, s.side, batch,
           1e3 * of_mine.median, 100 * flops / of_mine.median, 1e3 * of_theirs.median, 100 * flops / of_theirs.median, times.median,
           times.least, times.most);
    if (ours.is_first) printf("ours with normalisation, activation and pool\n");
    else printf("%.0e\n", apart);
    fflush(stdout);
    ours_free(&ours);
    peer_free(peer);
    free(w);
    free(images);
}

static int whole(const char *flag, const char *text, char **end)
{
    long x = strtol(text, end, 10);
    if (*end == text || x < 1 || x > META_MOST_ROUNDS) {
        fprintf(stderr, "bench_ncnn: %s %s: must be whole numbers of 1 to %d\n", flag, text, META_MOST_ROUNDS);
        exit(1);
    }
    return x;
}

/* The numbers of a list with commas; how many there were. */
static int read_list(const char *flag, const char *text, int *to, int most)
{
    char *end;
    int count = 0;
    for (const char *at = text; count < most; at = end + 1) {
        to[count++] = whole(flag, at, &end);
        if (*end != ',') break;
    }
    if (*end) fail("a list of numbers: must be divided by commas, and not longer than can be used");
    return count;
}

int main(int argc, char **argv)
{
    struct shape shape[MOST] = { { 3, 64, 84 }, { 64, 64, 42 }, { 64, 64, 21 }, { 64, 64, 10 } };
    int shapes = 0, batch[MOST] = { 10, 40 }, batches = 2, rounds = 11;
    struct meta_pool *pool;
    struct meta_error error;
    char *end;
    for (int i = 1; i + 1 < argc; i += 2) {
        int three[3];
        if (!strcmp(argv[i], "-rounds")) rounds = whole("-rounds", argv[i + 1], &end);
        else if (!strcmp(argv[i], "-batch")) batches = read_list("-batch", argv[i + 1], batch, MOST);
        else if (read_list("-shape", argv[i + 1], three, 3) != 3) fail("-shape: must be IN,OUT,SIDE");
        else if (shapes < MOST) shape[shapes++] = (struct shape){ three[0], three[1], three[2] };
    }
    if (!shapes) shapes = 4;
    if (meta_backend_default()->open(&error) || meta_pool_create(&pool, 1, &error)) fail(error.text);
    printf("Forward of 3x3 convolutions on one thread, %s: ms of processor time, medians of %d rounds in turn; share of the FMA peak by direct\n"
           "arithmetic; ncnn's time over ours (least to most); largest difference of the outputs\n"
           "%-20s %5s  %9s %6s  %9s %6s  %6s\n", meta_backend_default()->instructions(), rounds, "", "batch", "ours", "peak", "ncnn", "peak", "times");
    for (int i = 0; i < shapes; i++)
        for (int k = 0; k < batches; k++) compare(shape[i], batch[k], rounds, pool);
    meta_pool_free(pool);
    return 0;
}
