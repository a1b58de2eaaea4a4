/* From a few labelled images to a classifier: adapts a meta-trained network to them and predicts.
   Images are in memory. Nothing here prints, and no state is kept between calls: any number of
   threads may call at once, each with a result of its own. */
#ifndef META_ADAPT_H
#define META_ADAPT_H

#include "network/filled.h"
#include "learning/inner_loop.h"
#include "learning/inner_rates.h"

/* A meta-trained network; everything is borrowed and only read. */
struct meta_base {
    struct meta_filled filled; /* phi, and the rolling statistics */
    const struct meta_backend *backend;
    double learning_rate; /* gamma */
    /* By enum meta_bn: what divides the logits of the answers that are normalised so; 0: 1. */
    double temperature[META_BN_KINDS];
    struct meta_rates_how how;
    struct meta_rule_how rule;
    int imprint;  /* 1: the steps start from a last layer made of the support set */
    float *rates; /* learned ones, of filled.network (meta_rates_numbers); NULL: gamma */
};

/* images (n, c, h, w), planar floats in [0,1] of the network's input size; labels (n),
   0..classes-1, with at least one image of each; classes is at least 2. The loss that the steps
   lower is the mean over the classes of each one's mean over its images, so that a class of one
   image counts as much as one of ten; with `plain` it is the mean over all images. The two are one
   where the classes have equally many. */
struct meta_support {
    const float *images;
    const int *labels;
    int n, classes, plain;
    int copies; /* of each image that it learns from, its first symmetries (images/turns.h), at most
                   meta_turns(); 0 or 1: the image alone */
};

/* An adapted network of `classes` outputs. Once made it is only read, by any number of threads. */
struct meta_adapted {
    struct meta_filled filled; /* phi_S, and the rolling statistics of the meta-training */
    float *support; /* (network->statistics) batch statistics of the support set under phi_S */
    float *running; /* (network->parameters) of a classifier by pairing: the parameters for images
                       that the rolling statistics normalise; else NULL: those of `filled` */
    const struct meta_backend *backend;
    double temperature[META_BN_KINDS]; /* as in the base; the losses are without it */
    double loss_before, loss_after;    /* the support set's loss, with its batch statistics, without
                                          dropout */
};

/* Adapts by `steps` >= 0 steps of Eq. 2. With fewer classes than the network has outputs, the first
   outputs are kept: meta-training deals a task's classes out to the outputs at random, so that no
   output is special. A network that pairs takes 0 steps and any number of classes: the layers up to
   the pairing one and the linear form of what it makes of the support set, under their own
   statistics. Errors: a number of images or classes or a label that does not fit, a network whose
   pairing has no linear form, no memory, and parameters that are not finite afterwards. The caller
   frees with meta_adapted_free; `base` need not outlive the result. */
int meta_adapt(struct meta_adapted **, const struct meta_base *base, const struct meta_support *,
               int steps, struct meta_error *);
void meta_adapted_free(struct meta_adapted *);
/* Fills *network with the adapted one's, whose softmax divides by the temperature of `bn`, too. All
   but the array of layers is the adapted one's; the caller frees that array. */
int meta_adapted_network(struct meta_network *, const struct meta_adapted *, enum meta_bn bn,
                         struct meta_error *);
/* The statistics (network->statistics) that normalise images under `bn`; NULL for META_BN_BATCH,
   which takes those of their batch. */
const float *meta_adapted_statistics(const struct meta_adapted *, enum meta_bn bn);
/* The network with the parameters for images that are normalised under `bn` and, but for
   META_BN_BATCH, these statistics. Borrowed. */
struct meta_filled meta_adapted_filled(const struct meta_adapted *, enum meta_bn bn);
/* The most classes that a network can be adapted to. */
int meta_adapt_most_classes(const struct meta_network *);
/* How many that may be, in words: "2", or "2 to 5". */
enum { META_ADAPT_WORDS = 32 };
const char *meta_adapt_classes(char text[META_ADAPT_WORDS], int most);
/* Refuses a network that can't be adapted (meta_network_adapts), with the line of path, its .cfg.
 */
int meta_adapt_check_network(const struct meta_network *, const char *path, struct meta_error *);

/* A network that is ready to predict; one thread at a time uses it. Several may share the numbers
   of `filled`, which must outlive them. statistics (network->statistics) normalise the images,
   `batch` of which are computed at a time: a call may have any number of images, and an image's
   probabilities depend on it alone, to the bit for one `batch`: others round otherwise, by about
   1e-6 of the largest log-odds. Without statistics (NULL) the images of a call are normalised
   together, and there must be exactly `batch`, more than one where the network normalises a map of
   one pixel. filled.statistics are not read. */
struct meta_predictor;
int meta_predictor_create(struct meta_predictor **, const struct meta_filled *filled,
                          const float *statistics, const struct meta_backend *, int batch,
                          struct meta_error *);
void meta_predictor_free(struct meta_predictor *);
/* What is wanted of a prediction of n images, (n, outputs) each; NULL: it isn't. */
struct meta_answer {
    float *probabilities;
    double *log_odds; /* engine/log_odds.h: they rank images where probabilities round to 1 */
};
/* images (n, c, h, w) as those of meta_support. Fails only when n does not fit. Images with NaN may
   give answers that are NaN. */
int meta_predictor_run(struct meta_predictor *, const float *images, int n, struct meta_answer,
                       struct meta_error *);

/* Makes a predictor, predicts once and frees it: images (n, c, h, w). */
int meta_adapted_predict(const struct meta_adapted *, enum meta_bn bn, const float *images, int n,
                         struct meta_answer, struct meta_error *);

#endif
