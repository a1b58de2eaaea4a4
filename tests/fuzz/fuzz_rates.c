/* Files of learned inner rates, of a network of two layers, each kind of them. */
#define _GNU_SOURCE
#include "fuzz.h"
#include "learning/rates_file.h"

static struct meta_error error;
static struct meta_network *net;

static void add(struct meta_layer l) { FUZZ_NEED(!meta_network_add(net, l, &error)); }

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    fuzz_begin();
    FUZZ_NEED(!meta_network_create(&net, (struct meta_shape){ 1, 4, 4 }, &error));
    add((struct meta_layer){ .type = META_CONVOLUTIONAL, .filters = 2, .size = 3, .stride = 1, .padding = 1, .batch_normalize = 1 });
    add((struct meta_layer){ .type = META_MAXPOOL, .size = 2, .stride = 2 });
    add((struct meta_layer){ .type = META_AVGPOOL });
    add((struct meta_layer){ .type = META_CONNECTED, .filters = 2 });
    add((struct meta_layer){ .type = META_SOFTMAX, .temperature = 1 });
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_write("x.rates", data, size);
    for (int kind = META_RATES_LAYER; kind <= META_RATES_PARAMETER; kind++)
        for (int head = 0; head < 2; head++) {
            const struct meta_rates_how how = { kind, 3, head };
            float *value;
            if (!meta_rates_load(net, how, "x.weights", &value, &error))
                meta_rates_save(net, how, "y.weights", value, &error);
            free(value);
        }
    return 0;
}
