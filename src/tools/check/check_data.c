/* The random data of the checks, and how two results are compared. */
#include "check.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"

static struct meta_rng open_stream(const struct meta_check *check, enum meta_check_stream stream,
                                   int item)
{
    return meta_rng_open(check->seed, META_USE_CHECK, 0, stream, item);
}

void meta_check_normal(const struct meta_check *check, enum meta_check_stream stream, int item,
                       double *x, size_t n)
{
    struct meta_rng rng = open_stream(check, stream, item);
    for (size_t i = 0; i < n; i++) x[i] = meta_rng_normal(&rng);
}

int meta_check_parameters(const struct meta_check *check, int item, double *parameters,
                          struct meta_error *error)
{
    const struct meta_network *net = check->model->network;
    float *initial = malloc(net->parameters * sizeof *initial),
          *statistics = malloc((net->statistics + 1) * sizeof *statistics);
    if (!initial || !statistics) {
        free(initial);
        free(statistics);
        return meta_fail(error, "out of memory for %zu parameters", net->parameters);
    }
    meta_network_initialise(net, check->seed + item, initial, statistics);
    for (size_t i = 0; i < net->parameters; i++) parameters[i] = initial[i];
    struct meta_rng rng = open_stream(check, META_CHECK_PARAMETERS, item);
    for (int i = 0; i < net->count; i++) {
        const struct meta_layer *l = &net->layers[i];
        for (int k = 0; l->biases != META_NONE && k < meta_layer_rows(l); k++)
            parameters[l->biases + k] += .1 * meta_rng_normal(&rng);
        for (int k = 0; l->scales != META_NONE && k < meta_layer_rows(l); k++)
            parameters[l->scales + k] += .1 * meta_rng_normal(&rng);
        for (size_t k = 0; l->array_count && k < l->weight_count; k++)
            parameters[l->weights + k] += .1 * meta_rng_normal(&rng);
    }
    free(initial);
    free(statistics);
    return 0;
}

int meta_check_images(const struct meta_check *check, int item, int count, float **images,
                      int **labels, struct meta_error *error)
{
    size_t size = meta_shape_numbers(check->model->network->input);
    *images = malloc(count * size * sizeof **images);
    *labels = malloc(count * sizeof **labels);
    if (!*images || !*labels) return meta_fail(error, "out of memory for %d images", count);
    struct meta_rng rng = open_stream(check, META_CHECK_IMAGES, item);
    for (size_t i = 0; i < count * size; i++) (*images)[i] = meta_rng_uniform(&rng);
    for (int i = 0; i < count; i++) (*labels)[i] = i % meta_network_outputs(check->model->network);
    return 0;
}

int meta_check_batch(const struct meta_check *check)
{
    int ways = meta_network_outputs(check->model->network);
    return ways < 4 ? 4 : ways > 16 ? 16 : ways;
}

int meta_check_support(const struct meta_check *check)
{
    return check->model->network->ways ? meta_check_batch(check) : 0;
}

int meta_check_has_tangents(const struct meta_check *check)
{
    const struct meta_network *net = check->model->network;
    if (net->ways) return 0;
    for (int i = 0; i < net->count; i++) {
        const struct meta_layer *l = &net->layers[i];
        if (l->type == META_PLUGIN
            && !(l->plugin->layer->forward_tangent && l->plugin->layer->backward_tangent))
            return 0;
    }
    return 1;
}

double meta_check_distance(const double *a, const double *b, size_t n)
{
    double apart = 0, norm_a = 0, norm_b = 0;
    for (size_t i = 0; i < n; i++) {
        apart += (a[i] - b[i]) * (a[i] - b[i]);
        norm_a += a[i] * a[i];
        norm_b += b[i] * b[i];
    }
    if (apart == 0) return 0;
    return sqrt(apart / (norm_a > norm_b ? norm_a : norm_b));
}

double meta_check_differences(void (*f)(void *context, double t, double *out), void *context,
                              const double *exact, size_t n, double limit, double *scratch)
{
    double least = INFINITY;
    for (double h = 1e-5; h > 5e-9 && !(least <= limit); h /= 10) {
        f(context, h, scratch);
        f(context, -h, scratch + n);
        for (size_t i = 0; i < n; i++) scratch[i] = (scratch[i] - scratch[n + i]) / (2 * h);
        double distance = meta_check_distance(scratch, exact, n);
        if (distance < least) least = distance;
    }
    return least;
}
