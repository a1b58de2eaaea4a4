/* A network as a .cfg describes it: layers, shapes, and where each parameter lies in one block. No
   batch, no backend. */
#ifndef META_NETWORK_H
#define META_NETWORK_H

#include <stdint.h>
#include "base/error.h"

enum meta_layer_type {
    META_CONVOLUTIONAL,
    META_CONNECTED,
    META_MAXPOOL,
    META_AVGPOOL,
    META_SOFTMAX,
    META_SHORTCUT,
    META_ROUTE,
    META_DROPOUT,
    META_ACTIVATION,
    META_COST,
    META_CROP,
    META_REORG,
    META_SCALE_CHANNELS,
    META_UPSAMPLE,
    META_LOCAL,
    META_PLUGIN,
    META_PAIRING
};
/* Darknet's activations, in the order of the choices in sections_internal.h. Those from META_RELU6
   on are AlexeyAB's, which Debian's libdarknet does not have. */
enum meta_activation {
    META_LINEAR,
    META_RELU,
    META_LEAKY,
    META_LOGISTIC,
    META_RELIE,
    META_RAMP,
    META_TANH,
    META_PLSE,
    META_ELU,
    META_SELU,
    META_LOGGY,
    META_STAIR,
    META_HARDTAN,
    META_LHTAN,
    META_RELU6,
    META_SWISH,
    META_MISH,
    META_HARD_MISH,
    META_GELU
};
#define META_ACTIVATIONS (META_GELU + 1)
const char *meta_activation_name(enum meta_activation); /* "linear", "relu"... */
/* Whether the slope is constant below 0 and 1 above it, as vectorised sweeps need it. */
static inline int meta_piecewise_linear(enum meta_activation a)
{
    return a == META_LINEAR || a == META_RELU || a == META_LEAKY;
}
/* Whether a larger input never has a smaller output, so that max-pooling may come first. */
static inline int meta_non_decreasing(enum meta_activation a) { return a < META_SWISH; }

#define META_NONE ((size_t)-1)

/* The count of numbers in one image of this shape. */
static inline size_t meta_shape_numbers(struct meta_shape s)
{
    return (size_t)s.c * (size_t)s.h * (size_t)s.w;
}
static inline int meta_shape_pixels(struct meta_shape s) { return s.h * s.w; }

struct meta_layer {
    /* set by the caller of meta_network_add */
    enum meta_layer_type type;
    int line;      /* line of the section in the .cfg */
    int filters;   /* convolutional, local: output channels; connected: outputs */
    int groups;    /* convolutional: the channels in and out are split into so many parts, each with
                      its own kernels; 0 is 1 */
    int dilation;  /* convolutional: pixels from one tap of a kernel to the next; 0 is 1 */
    int rotations; /* convolutional, connected: 4: a filter's quarter turns are tied (turns.h); else
                    * 0
                    */
    int size, stride; /* convolutional, local, maxpool; upsample: stride */
    int padding;      /* convolutional, local: pixels on every side; maxpool: pixels of both sides
                         together, as in Darknet */
    int batch_normalize;
    enum meta_activation activation; /* convolutional, connected, local, shortcut, activation */
    double probability;              /* dropout */
    double temperature;              /* softmax */
    double alpha, beta; /* shortcut: out = alpha*here + beta*from, as in Darknet's shortcut_cpu;
                           upsample: alpha, the factor of the numbers */
    int from_count;     /* shortcut, scale_channels: 1; route: 1 or more */
    int *from;          /* layer indices counted from 0; owned by the layer (free) */
    const struct meta_plugin *plugin; /* META_PLUGIN, META_PAIRING */
    void *settings;                   /* the plugin's settings; owned by the layer (free) */
    int ways;                         /* pairing: the classes of a task */
    int crop_width, crop_height;      /* crop */
    int adjust;                       /* crop: 1: [0,1] becomes [-1,1] */
    int flip;                    /* crop: mirrored at random in training, by the images' views */
    int reverse, flatten, extra; /* reorg: Darknet's own; extra: zeros behind the outputs */

    /* set by meta_network_add */
    struct meta_shape in, out;
    int turns; /* 4: the output's channels come in fours, the quarter turns of one filter; 1: each
                  turns with the image; 0: neither */
    int turned_in;                  /* convolutional with rotations=4: its input comes in fours */
    size_t biases, scales, weights; /* offsets in the parameter block; META_NONE: there is none */
    size_t weight_count;   /* convolutional: filters*c/groups*size*size (o,c,y,x); connected:
                              outputs*inputs (o,i); local: pixels*filters*c*size*size (p,o,c,y,x); a
                              quarter of that with rotations=4 (turns.h); plugin: all its
                              parameters */
    size_t mean, variance; /* offsets in the statistics block; META_NONE without batch_normalize */
    /* plugin: its arrays of parameters, which lie behind one another at `weights`, weight_count
       numbers in all; without any `weights` is META_NONE */
    int array_count;
    struct meta_array arrays[META_MOST_ARRAYS];
};

/* Where the parameters of a layer that has any begin in the block. */
static inline size_t meta_layer_first(const struct meta_layer *l)
{
    return l->biases != META_NONE ? l->biases : l->weights;
}

/* The parts of a convolution's channels. */
static inline int meta_layer_groups(const struct meta_layer *l)
{
    return l->groups > 1 ? l->groups : 1;
}

/* The pixels between the taps of a convolution, counted with one of the two. */
static inline int meta_layer_dilation(const struct meta_layer *l)
{
    return l->dilation > 1 ? l->dilation : 1;
}
/* The pixels of a side that a window covers, from its first tap to its last. */
static inline int meta_layer_extent(const struct meta_layer *l)
{
    return (l->size - 1) * meta_layer_dilation(l) + 1;
}

/* The biases of a layer in a .weights file, and as many scales. */
static inline int meta_layer_file_rows(const struct meta_layer *l)
{
    return l->type == META_LOCAL ? (int)meta_shape_numbers(l->out) : l->filters;
}
/* The same in the parameter block, where what the turns of a filter share counts once. */
static inline int meta_layer_rows(const struct meta_layer *l)
{
    if (l->type == META_LOCAL) return meta_layer_file_rows(l);
    return l->rotations == 4 && l->type == META_CONVOLUTIONAL ? l->filters / 4 : l->filters;
}

struct meta_network {
    struct meta_shape input;
    int count;
    struct meta_layer *layers;
    size_t parameters; /* floats: weights, biases, BN scales: the phi of the method, in .weights
                          order; with rotations=4 a file has more (tie.h) */
    size_t statistics; /* floats: BN rolling means and variances, in .weights order */
    int ways, pairing; /* the classes and the index of the pairing layer; without one, ways is 0 */
};

int meta_network_create(struct meta_network **, struct meta_shape input, struct meta_error *);
void meta_network_free(struct meta_network *);

/* Appends a layer and works out its shapes and offsets. The network takes over layer.from and
   layer.settings, also on failure. The error says what does not fit; the caller adds file and
   line. */
int meta_network_add(struct meta_network *, struct meta_layer layer, struct meta_error *);

/* Ends the description. The network must have layers and end in a softmax, or with a pairing layer
   in a softmax or a cost, which every layer must reach; with order=2 a plugin's layer must have
   tangents. On failure *where is the layer at fault. */
int meta_network_finish(struct meta_network *, int order, int *where, struct meta_error *);

/* Makes a network of another's first `layers` layers, with parameters and statistics at the same
   places, and a [softmax] behind them. With outputs > 0 a [connected] of as many outputs stands
   before the [softmax]; its parameters come last. The caller frees. */
int meta_network_cut(struct meta_network **, const struct meta_network *, int layers, int outputs,
                     struct meta_error *);

int meta_network_outputs(const struct meta_network *); /* the classes of a task */
/* The layer before the last [connected], whose output stands for an image where nothing else is
   asked for; below 0: there is none. */
int meta_network_features_layer(const struct meta_network *);
/* Whether support images make a classifier of the network that sections of Darknet can say: one
   that pairs must do so right before its [softmax], by a plugin that has a linear form. */
int meta_network_adapts(const struct meta_network *);
/* The first layer that normalises so few values together in a batch of so many images: the pixels
   of its map in all of them, of rotations=4 those of the four turns of a filter. One value,
   normalised by itself, is 0, whatever it was, so that nothing reaches the layers behind or the
   gradient before; two are .7 and -.7, whatever they were, so that behind them only their order is
   known, and before them there is next to no gradient. NULL: none does. */
const struct meta_layer *meta_network_few_values(const struct meta_network *, int images,
                                                 int values);
/* Fails, naming the first layer that normalises a single value, where there is one. */
int meta_network_check_batch(const struct meta_network *, int images, struct meta_error *);
/* Copies a layer with its `from` and `settings`, which then belong to the copy. */
int meta_layer_copy(struct meta_layer *to, const struct meta_layer *from, struct meta_error *);
/* "convolutional"... or the plugin's name. */
const char *meta_layer_name(const struct meta_layer *);

/* Whether class means can take the place of the last layer: a [connected] without activation,
   normalisation or rotations, right before a [softmax]. */
int meta_network_imprints(const struct meta_network *);

struct meta_rng;
/* Draws Darknet's initial weights from `seed`: make_convolutional_layer's are normal with deviation
   sqrt(2/(size*size*c)), make_connected_layer's and make_local_layer's (of every pixel, not the
   first alone) uniform in +-sqrt(2/inputs); scales are 1 and all
   else is 0. parameters (network->parameters) and statistics (network->statistics) are the
   caller's. */
void meta_network_initialise(const struct meta_network *, uint64_t seed, float *parameters,
                             float *statistics);
/* Draws the weights of one layer. Its places in `parameters` must be zero. */
void meta_network_initialise_layer(const struct meta_layer *, struct meta_rng *, float *parameters);

#endif
