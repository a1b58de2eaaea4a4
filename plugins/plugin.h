/* The one header a plugin includes: what a plugin is, and what the host promises it.

   A plugin is a shared object, found beside the binary in plugins/ or through DARKNET_PLUGIN_PATH, that
   defines one symbol:

       const struct meta_plugin meta_plugin = { META_PLUGIN_ABI, sizeof(struct meta_plugin), "name", ... };

   It adds one section type, [name], to Darknet's .cfg files.  plugins/template is one to copy.

   The host looks at the tables before it uses them, and at what the functions hand back: texts are one line,
   options lie in the settings, apart and aligned, and numbers are in bounds.  Else the plugin is refused. */
#ifndef META_PLUGIN_H
#define META_PLUGIN_H

#include <stddef.h>
#include <stdio.h>
#include <stdarg.h>

#ifdef __cplusplus
extern "C" {
#endif

#define META_PLUGIN_ABI 5

/* One line for a person, without a newline; the host puts file and line before it. */
struct meta_error { char text[480]; };

/* Writes the message; returns -1, so that a function can end in `return meta_fail(e, ...)`.  The host has one of its own. */
#ifdef META_HOST
__attribute__((format(printf, 2, 3)))
int meta_fail(struct meta_error *e, const char *format, ...);
#else
__attribute__((format(printf, 2, 3), unused))
static int meta_fail(struct meta_error *e, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(e->text, sizeof e->text, format, arguments);
    va_end(arguments);
    return -1;
}
#endif

/* ---- options ------------------------------------------------------------------------------- */

enum meta_option_type {
    META_INT,      /* int */
    META_REAL,     /* double */
    META_CHOICE,   /* int: the index in `choices` */
    META_TEXT,     /* char *, owned by the host, NULL when absent */
    META_INTS,     /* struct meta_list: comma-separated whole numbers, each within the bounds */
    META_REALS     /* struct meta_list: comma-separated numbers, each within the bounds */
};

struct meta_list { int count; double *values; };

/* One option of a section: one row.  The host parses, bounds and stores it at `offset` in the settings. */
struct meta_option {
    const char *name;
    enum meta_option_type type;
    double fallback;            /* value when absent; for META_CHOICE an index; out of bounds: check replaces it */
    double least, most;         /* inclusive */
    const char *choices;        /* META_CHOICE: "difficulty|mean" */
    size_t offset;              /* offsetof(struct my_settings, field) */
    const char *help;           /* one line for `darknet meta help` and the error's reader */
};

/* ---- roles --------------------------------------------------------------------------------- */

enum meta_role {
    META_ROLE_LAYER,        /* a layer of the network, between [net] and [inner_loop] */
    META_ROLE_EPISODE,      /* how tasks are drawn; at most one, right after [net] */
    META_ROLE_INNER_LOOP,   /* how a task is learned; at most one, after the last layer */
    META_ROLE_META_LOSS,    /* how tasks are weighed; at most one, the last section */
    META_ROLE_PAIRING       /* a layer that meets query images with classes; at most one, where META_ROLE_LAYER may stand */
};

/* How the classes of a training's tasks are chosen: all alike, or by what the network learns from. */
enum meta_sampling { META_UNIFORM, META_CURRICULUM };

/* The settings of META_ROLE_EPISODE begin with this. */
struct meta_episode_settings {
    int ways;               /* classes a task */
    int shots;              /* support images a class */
    int queries;            /* query images a class */
    int tasks;              /* tasks a meta-iteration (the meta-batch) */
    int sampler;            /* enum meta_sampling; a test's tasks are always uniform */
    int window;             /* META_CURRICULUM: rewards that a kind of task keeps */
    double explore;         /* META_CURRICULUM: the share of tasks whose kind is any */
};

/* What the inner steps move: every layer, as in MAML, or as in ANIL the last one that has parameters. */
enum meta_adapt_what { META_ADAPT_ALL, META_ADAPT_HEAD };
/* The rates of the inner steps: learning_rate, or learned with the network, each layer's at each step or each parameter's. */
enum meta_rates_kind { META_RATES_FIXED, META_RATES_LAYER, META_RATES_PARAMETER };

/* What the last layer is before the first step: as it was learned, or made of the support images: the row of a class is twice the mean of
   what its images give to the layer, its bias minus the square of that mean, so that the nearest mean wins (Proto-MAML). */
enum meta_head_start { META_HEAD_LEARNED, META_HEAD_IMPRINTED };

/* The settings of META_ROLE_INNER_LOOP begin with this. */
struct meta_inner_settings {
    int steps;              /* S of Eq. 2 while training; 0: the query loss of phi itself */
    int test_steps;         /* S at test */
    double learning_rate;   /* gamma of Eq. 2 */
    int order;              /* 0 (Reptile), 1 (first-order MAML) or 2 (exact) */
    int second_order_start; /* order 2: the meta-iterations before it drop the Hessian, as order 1 does */
    int keep;               /* order 2: steps whose activations stay in memory; 0: all. A head's steps have one pass in common */
    int adapt;              /* enum meta_adapt_what */
    int multi_step;         /* iterations over which the query losses after earlier steps fade out; 0: the last step's alone */
    int rates;              /* enum meta_rates_kind; learned ones begin at learning_rate */
    int head;               /* enum meta_head_start */
    /* What the program sets: whose settings these are, and where they begin. */
    const struct meta_plugin *plugin;
    const void *settings;
};

/* One array of parameters that inner steps move. */
struct meta_moved {
    const char *section;    /* its layer's: "convolutional" */
    const char *name;       /* "biases", "scales", "weights", or of a plugin's layer the array's */
    size_t count;           /* numbers */
    size_t rows;            /* of weights, the outputs: (rows, count / rows); else 1 */
};
#define META_MOST_MEMORIES 8

/* What a rule's functions work on, step by step and array by array. */
struct meta_step {
    const struct meta_moved *part;
    int step;               /* s, from 0 */
    double rate;            /* learning_rate */
    double *phi;            /* (count) */
    const double *gradient; /* (count) g_s, of the support loss at phi_s */
    double *memory;         /* (memories, count), the rule's own, 0 before step 0 */
    double *phibar, *gradientbar, *memorybar;   /* like those, in `back` */
};

/* META_ROLE_INNER_LOOP: how a step moves what it moves, in place of phi_(s+1) = phi_s - rate g_s. */
struct meta_inner_functions {
    /* Vectors of memory, 0 to META_MOST_MEMORIES; NULL: none. */
    int  (*memories)(const void *settings);
    /* Whether the steps move this array; NULL: they move all. Those that are `held` they never move, and it is not asked of. */
    int  (*moves)(const void *settings, const struct meta_moved *);
    /* phi_s and the memory become phi_(s+1) and the memory after. */
    void (*step)(const void *settings, const struct meta_step *);
    /* The adjoint of step. phi, gradient and memory are as they were before it. phibar and memorybar are the adjoints of what it made, and
       become those of what it began with; gradientbar, 0 before, that of the gradient. What phi_s gets through the gradient, the Hessian
       times gradientbar, the program adds with order=2. */
    void (*back)(const void *settings, const struct meta_step *);
};

/* META_ROLE_META_LOSS: how a task's query loss L >= 0 enters the meta-loss at a meta-iteration. */
struct meta_loss_functions {
    double (*value)(const void *settings, double loss, long iteration);    /* DA(L), Eq. 3 */
    double (*weight)(const void *settings, double loss, long iteration);   /* dDA/dL */
    /* Whether the weights of an iteration's tasks are divided by their mean; NULL: they are not. */
    int (*normalised)(const void *settings);
};

/* channels, height, width; a flat layer of n outputs is {n, 1, 1}, as in Darknet */
struct meta_shape { int c, h, w; };

/* How the numbers of an array of parameters begin; drawn from the training's seed. */
enum meta_begin {
    META_BEGIN_CONSTANT,    /* all are `value` */
    META_BEGIN_NORMAL,      /* normal, of mean 0 and deviation `value` */
    META_BEGIN_UNIFORM      /* even between -value and value */
};

/* One array of a layer's parameters: learned by the outer loop, cloned and moved by the inner steps, stored in .weights. */
struct meta_array {
    const char *name;       /* one word, for messages: "scales" */
    size_t count;           /* numbers, at least 1 */
    enum meta_begin begin;
    double value;
    int decays;             /* 1: the decay of [net] with adam=0 acts on it, as on weights; 0: it does not, as on biases */
    int held;               /* 1: inner steps leave it as it is; it is meta-learned all the same */
};
#define META_MOST_ARRAYS 8

/* The four planes of what a layer reads or writes: a bar marks an adjoint, a dot a tangent. */
struct meta_numbers { double *value, *bar, *dot, *bardot; };

/* What one call of a layer's function works on. All arrays are planar doubles, (batch, c, h, w), as in Darknet; the engine converts from
   its own layout and precision. */
struct meta_call {
    struct meta_shape in, out;
    int batch;
    struct meta_numbers x;       /* (batch, in) */
    struct meta_numbers y;       /* (batch, out) */
    struct meta_numbers theta;   /* the parameters, array behind array in the order of `arrays`; NULL where there are none */
};

/* Writes a layer as sections of Darknet's own, one behind the other, for programs that know no plugin. Each function returns 0, or -1 with a
   message that already names the layer. */
struct meta_writer {
    void *host;
    struct meta_shape at;        /* of what the next section reads */
    double *scratch;             /* (2 * in.c) for the plugin's use */
    /* [type] with `options` as in a .cfg, blanks between them ("filters=8 size=3 pad=1"), and its numbers in the order of a .weights file. */
    int (*section)(struct meta_writer *, const char *type, const char *options, const float *numbers, size_t count, struct meta_error *error);
    /* y = activation(scale x + shift), channel by channel: a [convolutional] of size 1 in as many groups, behind a flat layer a [connected].
       shifts may be NULL: zeros. */
    int (*affine)(struct meta_writer *, const double *scales, const double *shifts, const char *activation, struct meta_error *error);
};

/* How far apart numbers meet in f. Where images do not meet, the engine may call with any part of a batch, which needs less memory. */
enum meta_reach { META_REACH_BATCH, META_REACH_IMAGE };

/* META_ROLE_LAYER: y = f(x, theta). The stock library's copy of the layer calls `forward` too. A function reads what is named on the right
   of its line and overwrites what is named on the left; the parts of theta.bar and theta.bardot are *added to* what is there, since
   several calls may make up a batch. They must be safe to call from several threads at once. */
struct meta_layer_functions {
    /* Output shape for an input shape, written to *out, which is 0x0x0 before; 0, or -1 with the message.  NULL: as the input. */
    int  (*shape)(const void *settings, struct meta_shape in, struct meta_shape *out, struct meta_error *error);
    /* y.value = f(x.value, theta.value) */
    void (*forward)(const void *settings, const struct meta_call *);
    /* x.bar = (df/dx)' y.bar;  theta.bar += (df/dtheta)' y.bar */
    void (*backward)(const void *settings, const struct meta_call *);
    /* y.dot = (df/dx) x.dot + (df/dtheta) theta.dot.  May be NULL, as may backward_tangent: then the layer is refused under order=2. */
    void (*forward_tangent)(const void *settings, const struct meta_call *);
    /* x.bardot, theta.bardot +=: d/dt of backward along (x.dot, theta.dot, y.bardot), at x.value, theta.value, y.bar */
    void (*backward_tangent)(const void *settings, const struct meta_call *);
    enum meta_reach reach;
    /* The parameters for an input shape: fills `arrays`, which are zeros before, in the order in which they lie in theta and in a .weights
       file; returns how many, at most META_MOST_ARRAYS, or -1 with the message.  NULL: the layer has none. */
    int  (*arrays)(const void *settings, struct meta_shape in, struct meta_array arrays[META_MOST_ARRAYS], struct meta_error *error);
    /* The multiply-adds of `forward` on an image, for what `meta bench` counts.  NULL: not counted, as normalisation is not.
       Less than 0 or no number is refused. */
    double (*multiply_adds)(const void *settings, struct meta_shape in);
    /* Writes the layer with these parameters in Darknet's own sections, whose last gives the layer's output; 0, or -1 with why there are
       none.  NULL: it has no such form, and `darknet meta adapt` refuses a network with it. */
    int (*stock)(const void *settings, struct meta_shape in, const double *theta, struct meta_writer *, struct meta_error *error);
};

/* What META_ROLE_PAIRING works on: the feature maps of a whole task, support images first, then query images. */
struct meta_set {
    int ways, support, query;       /* classes; images of each side */
    const int *labels;              /* (support) 0..ways-1: the class of each support image */
};

/* META_ROLE_PAIRING: y = f(x), without parameters: from the maps x (support + query, in) of a task one item for each query image and
   class, y (query * ways, out), that of query image q and class k being at q*ways + k. What stands below the section works on images,
   what stands above on items; the network ends in one number an item, the score of that class, and either [cost], their squared
   distance from 1 for the right class and 0 for the others, or [softmax], the cross-entropy of the softmax over a query image's
   classes. Planar doubles; outputs are overwritten; several threads at once. */
struct meta_pairing_functions {
    int  (*shape)(const void *settings, struct meta_shape in, struct meta_shape *out, struct meta_error *error);
    void (*forward)(const void *settings, struct meta_shape in, const struct meta_set *set, const double *x, double *y);
    /* xbar = (df/dx)' ybar */
    void (*backward)(const void *settings, struct meta_shape in, const struct meta_set *set,
                     const double *x, const double *ybar, double *xbar);
    /* May be NULL. What `darknet meta adapt` writes in place of the layer where it is the last before [softmax]: a linear layer's
       weights (ways, in) and biases (ways) that give each query image f the scores y, plus a number that is the same for all
       classes. x (support, in); set->query is 0. out must be one number. */
    void (*linear)(const void *settings, struct meta_shape in, const struct meta_set *set,
                   const double *x, double *weights, double *biases);
};

/* ---- registration -------------------------------------------------------------------------- */

struct meta_plugin {
    int abi;                                   /* META_PLUGIN_ABI */
    size_t size;                               /* sizeof(struct meta_plugin) */
    const char *name;                          /* the section's name, without brackets */
    enum meta_role role;
    const char *summary;                       /* one line for the usage text */
    size_t settings_size;                      /* bytes the host allocates, zeroed, for the settings */
    const struct meta_option *options;         /* ends with a row whose name is NULL */
    /* Checks that need several options at once; may be NULL.  0, or -1 with the message. */
    int (*check)(void *settings, struct meta_error *error);
    const struct meta_layer_functions *layer;  /* META_ROLE_LAYER, else NULL */
    const struct meta_loss_functions *loss;    /* META_ROLE_META_LOSS, else NULL */
    const struct meta_pairing_functions *pairing;   /* META_ROLE_PAIRING, else NULL */
    const struct meta_inner_functions *inner;  /* META_ROLE_INNER_LOOP, or NULL: the steps are plain */
};

#define META_PLUGIN_SYMBOL "meta_plugin"
/* What a plugin defines; found by name, so it is visible whatever -fvisibility says. */
extern const struct meta_plugin meta_plugin __attribute__((visibility("default")));

#ifdef __cplusplus
}
#endif
#endif
