/* .weights files, of a network with every kind of array, read whole and as the first layers. */
#define _GNU_SOURCE
#include "fuzz.h"
#include "network/network.h"
#include "network/weights.h"

static struct meta_error error;
static struct meta_network *net;
static float *parameters, *statistics;

static void add(struct meta_layer l) { FUZZ_NEED(!meta_network_add(net, l, &error)); }

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    fuzz_begin();
    FUZZ_NEED(!meta_network_create(&net, (struct meta_shape){ 1, 4, 4 }, &error));
    add((struct meta_layer){ .type = META_CONVOLUTIONAL, .filters = 2, .size = 3, .stride = 1, .padding = 1, .batch_normalize = 1 });
    add((struct meta_layer){ .type = META_MAXPOOL, .size = 2, .stride = 2 });
    add((struct meta_layer){ .type = META_CONVOLUTIONAL, .filters = 2, .size = 1, .stride = 1 });
    add((struct meta_layer){ .type = META_CONNECTED, .filters = 3, .batch_normalize = 1 });
    add((struct meta_layer){ .type = META_CONNECTED, .filters = 2 });
    add((struct meta_layer){ .type = META_SOFTMAX, .temperature = 1 });
    parameters = calloc(net->parameters, sizeof *parameters);
    statistics = calloc(net->statistics, sizeof *statistics);
    FUZZ_NEED(parameters && statistics);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct meta_weights_head head;
    float *own, *means;
    fuzz_write("x.weights", data, size);
    meta_weights_read(net, "x.weights", parameters, statistics, &head, &error);
    if (!meta_weights_read_first(net, "x.weights", parameters, statistics, &head, &error))
        meta_weights_write(net, "y.weights", parameters, statistics, head, &error);
    meta_weights_load(net, "x.weights", &own, &means, &error);
    free(own);
    free(means);
    return 0;
}
