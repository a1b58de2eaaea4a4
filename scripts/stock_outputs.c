/* Makes random weights for a .cfg with a stock libdarknet, and writes them, a random image and the network's outputs:
 *
 *     stock_outputs CFG NAME SEED       writes NAME.weights, NAME.image and NAME.outputs, both of floats
 *
 * scripts/stock_cfgs.py compiles it, with -DALEXEYAB against a checkout of AlexeyAB's Darknet, and makes the CFG have batch=1. Statistics
 * of batch normalisation come from one pass in training's way and are then disturbed, so that numbers neither vanish nor explode
 * in a deep network and no statistics are 0 or 1.
 *
 * AlexeyAB's Darknet divides by sqrt(variance + 1e-5), pjreddie's and `darknet meta` by sqrt(variance) + 1e-6. So that the layers are
 * compared, and not that, NAME.weights has the variances with which the second is the first. */
#include <darknet.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef ALEXEYAB
#include "network.h"
#include "parser.h"
#endif

#define LEAST_VARIANCE 1e-3f

static double uniform(double least, double most) { return least + (most - least) * rand() / RAND_MAX; }

static double normal(void)
{
    double sum = 0;
    for (int i = 0; i < 12; i++) sum += uniform(0, 1);
    return sum - 6;
}

static void disturb(float *x, int n, double mean, double deviation)
{
    for (int i = 0; i < n; i++) x[i] = mean + deviation * normal();
}

/* The library has drawn the weights; biases and scales are still 0 and 1. */
static void draw(layer *layers, int count)
{
    for (int i = 0; i < count; i++) {
        layer *l = &layers[i];
        if (l->type != CONVOLUTIONAL && l->type != CONNECTED) continue;
        int outputs = l->type == CONVOLUTIONAL ? l->n : l->outputs;
        disturb(l->biases, outputs, 0, .2);
        if (l->batch_normalize) disturb(l->scales, outputs, 1, .2);
    }
}

static void take_statistics(layer *layers, int count)
{
    for (int i = 0; i < count; i++) {
        layer *l = &layers[i];
        if ((l->type != CONVOLUTIONAL && l->type != CONNECTED) || !l->batch_normalize) continue;
        int outputs = l->type == CONVOLUTIONAL ? l->n : l->outputs;
        for (int k = 0; k < outputs; k++) {
            float variance = l->variance[k] > LEAST_VARIANCE ? l->variance[k] : LEAST_VARIANCE;
            l->rolling_mean[k] = l->mean[k] + .1 * sqrt(variance) * normal();
            l->rolling_variance[k] = variance * uniform(.7, 1.4);
        }
    }
}

#ifdef ALEXEYAB
static void adapt_variances(layer *layers, int count)
{
    for (int i = 0; i < count; i++) {
        layer *l = &layers[i];
        if ((l->type != CONVOLUTIONAL && l->type != CONNECTED) || !l->batch_normalize) continue;
        int outputs = l->type == CONVOLUTIONAL ? l->n : l->outputs;
        for (int k = 0; k < outputs; k++) {
            double deviation = sqrt(l->rolling_variance[k] + .00001f) - 1e-6;
            l->rolling_variance[k] = deviation * deviation;
        }
    }
}
#endif

static void write_floats(const char *name, const char *end, const float *x, int n)
{
    char path[4096];
    snprintf(path, sizeof path, "%s.%s", name, end);
    FILE *f = fopen(path, "wb");
    if (!f || fwrite(x, sizeof *x, n, f) != (size_t)n || fclose(f)) {
        perror(path);
        exit(1);
    }
}

/* The outputs of the last layer that is no [cost], as network_predict chooses it. */
static int count_outputs(const layer *layers, int count)
{
    while (count > 1 && layers[count - 1].type == COST) count--;
    return layers[count - 1].outputs;
}

int main(int argc, char **argv)
{
    char path[4096];
    if (argc != 4) {
        fprintf(stderr, "usage: stock_outputs CFG NAME SEED\n");
        return 1;
    }
    srand(atoi(argv[3]));
    snprintf(path, sizeof path, "%s.weights", argv[2]);
#ifdef ALEXEYAB
    network net = parse_network_cfg(argv[1]), *p = &net;
#else
    network *p = parse_network_cfg(argv[1]);
#endif
    float *image = calloc(p->inputs, sizeof *image);
    for (int i = 0; i < p->inputs; i++) image[i] = uniform(0, 1);
    draw(p->layers, p->n);
#ifdef ALEXEYAB
    network_state state = { .input = image, .train = 1, .net = net };
    state.workspace = net.workspace;
    forward_network(net, state);
#else
    float *input = p->input;
    p->input = image;
    p->truth = NULL;
    p->train = 1;
    forward_network(p);
    p->input = input;
#endif
    take_statistics(p->layers, p->n);
#ifdef ALEXEYAB
    float *outputs = network_predict(net, image);
    adapt_variances(p->layers, p->n);
    save_weights(net, path);
#else
    save_weights(p, path);
    float *outputs = network_predict(p, image);
#endif
    write_floats(argv[2], "image", image, p->inputs);
    write_floats(argv[2], "outputs", outputs, count_outputs(p->layers, p->n));
    return 0;
}
