/* The words of a .cfg for layers and activations. */
#include "network.h"

const char *meta_activation_name(enum meta_activation activation)
{
    static const char *const names[META_ACTIVATIONS] = {
        [META_LINEAR] = "linear",     [META_RELU] = "relu",   [META_LEAKY] = "leaky",
        [META_LOGISTIC] = "logistic", [META_RELIE] = "relie", [META_RAMP] = "ramp",
        [META_TANH] = "tanh",         [META_PLSE] = "plse",   [META_ELU] = "elu",
        [META_SELU] = "selu",         [META_LOGGY] = "loggy", [META_STAIR] = "stair",
        [META_HARDTAN] = "hardtan",   [META_LHTAN] = "lhtan", [META_RELU6] = "relu6",
        [META_SWISH] = "swish",       [META_MISH] = "mish",   [META_HARD_MISH] = "hard_mish",
        [META_GELU] = "gelu"
    };
    return names[activation];
}

const char *meta_layer_name(const struct meta_layer *layer)
{
    static const char *names[] = { "convolutional",  "connected", "maxpool", "avgpool",
                                   "softmax",        "shortcut",  "route",   "dropout",
                                   "activation",     "cost",      "crop",    "reorg",
                                   "scale_channels", "upsample",  "local" };
    return layer->plugin ? layer->plugin->name : names[layer->type];
}
