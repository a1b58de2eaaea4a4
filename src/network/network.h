/* A network as a .cfg describes it: layers, shapes, and where each parameter lies in one block. No batch, no backend. */
#ifndef META_NETWORK_H
#define META_NETWORK_H

#include <stdint.h>
#include "base/error.h"

enum meta_layer_type {
    META_CONVOLUTIONAL, META_CONNECTED, META_MAXPOOL, META_AVGPOOL, META_SOFTMAX,
    META_SHORTCUT, META_ROUTE, META_DROPOUT, META_ACTIVATION, META_COST, META_PLUGIN, META_PAIRING
};
enum meta_activation { META_LINEAR, META_RELU, META_LEAKY, META_LOGISTIC };

#define META_NONE ((size_t)-1)

/* Numbers in one image of this shape, planar. */
static inline size_t meta_shape_numbers(struct meta_shape s) { return (size_t)s.c * s.h * s.w; }

struct meta_layer {
    /* set by the caller of meta_network_add */
    enum meta_layer_type type;
    int line;                          /* of the section in the .cfg */
    int filters;                       /* convolutional: output channels; connected: outputs */
    int size, stride;                  /* convolutional, maxpool */
    int padding;                       /* convolutional: pixels on every side; maxpool: in total, as in Darknet */
    int batch_normalize;
    enum meta_activation activation;   /* convolutional, connected, shortcut, activation */
    double probability;                /* dropout */
    double temperature;                /* softmax */
    double alpha, beta;                /* shortcut: out = alpha*here + beta*from, as in Darknet's shortcut_cpu */
    int from_count;                    /* shortcut: 1; route: 1 or more */
    int *from;                         /* layer indices counted from 0; owned by the layer (free) */
    const struct meta_plugin *plugin;  /* META_PLUGIN, META_PAIRING */
    void *settings;                    /* of the plugin; owned by the layer (free) */
    int ways;                          /* pairing: classes of a task */

    /* set by meta_network_add */
    struct meta_shape in, out;
    size_t biases, scales, weights;    /* offsets in the parameter block; META_NONE where there is none */
    size_t weight_count;               /* convolutional: filters*c*size*size (o,c,y,x); connected: outputs*inputs (o,i) */
    size_t mean, variance;             /* offsets in the statistics block; META_NONE without batch_normalize */
};

struct meta_network {
    struct meta_shape input;
    int count;
    struct meta_layer *layers;
    size_t parameters;                 /* floats: weights, biases, BN scales: the phi of the method, in .weights order */
    size_t statistics;                 /* floats: BN rolling means and variances, in .weights order */
    int ways, pairing;                 /* with a pairing layer: its classes and its index; else ways is 0 */
};

int  meta_network_create(struct meta_network **, struct meta_shape input, struct meta_error *);
void meta_network_free(struct meta_network *);

/* Appends a layer: works out shapes and offsets. Takes over layer.from and layer.settings, also on failure.
   The error says what does not fit, without file and line: the caller adds those. */
int  meta_network_add(struct meta_network *, struct meta_layer layer, struct meta_error *);

/* Ends the description: it must have layers and end in a softmax, with a pairing layer in a cost; every layer must reach it.
   With order=2 refuses a plugin layer without tangents. Returns the offending layer in *where. */
int  meta_network_finish(struct meta_network *, int order, int *where, struct meta_error *);

/* A network's first `layers` layers, parameters and statistics at the same places, and [softmax] behind them; with `outputs`, a [connected]
   of so many before it, whose parameters come last. The caller frees. */
int  meta_network_cut(struct meta_network **, const struct meta_network *, int layers, int outputs, struct meta_error *);

int  meta_network_outputs(const struct meta_network *);              /* classes of a task */
const char *meta_layer_name(const struct meta_layer *);              /* "convolutional", ... or the plugin's name */

/* Darknet's own initial weights (make_convolutional_layer: normal, deviation sqrt(2/(size*size*c));
   make_connected_layer: uniform, +-sqrt(2/inputs); scales 1; the rest 0), drawn from `seed`.
   parameters (parameters), statistics (statistics) are the caller's. */
struct meta_rng;
void meta_network_initialise_layer(const struct meta_layer *, struct meta_rng *, float *parameters);     /* one layer's, on zeros */
void meta_network_initialise(const struct meta_network *, uint64_t seed, float *parameters, float *statistics);

#endif
