/* From a few labelled images to a classifier: a meta-trained network is adapted to them, and predicts. Images are in memory; nothing here
   prints, and nothing is kept between calls, so any number of threads may call at once, each with a result of its own. */
#ifndef META_ADAPT_H
#define META_ADAPT_H

#include "network/filled.h"
#include "learning/inner_loop.h"

/* What there is before the images: a model's network with its meta-trained numbers, all borrowed and only read. */
struct meta_base {
    struct meta_filled filled;           /* rolling statistics too */
    const struct meta_backend *backend;
    double learning_rate;                /* gamma */
};

/* (n, c, h, w) planar floats in [0,1], of the network's input; labels (n), 0..classes-1, with at least one image of each. classes: at least 2. */
struct meta_support { const float *images; const int *labels; int n, classes; };

/* A network of `classes` outputs, adapted. Only read once made: any thread may predict with it. */
struct meta_adapted {
    struct meta_filled filled;           /* phi_S; its statistics are the meta-trained rolling ones */
    float *support;                      /* (network->statistics) of the support set under phi_S */
    const struct meta_backend *backend;
    double loss_before, loss_after;      /* mean cross-entropy of the support set, under its own batch statistics, without dropout */
};

/* Adapts by `steps` steps of Eq. 2 (0: not at all). With fewer classes than the network has outputs the first of them are kept: meta-training
   deals a task's classes out to the outputs at random, so that none of them is special. Errors: an image count, label or class count that
   does not fit, a network that pairs, no memory, and parameters that are not finite afterwards. The caller frees with meta_adapted_free.
   `base` is not needed after. */
int  meta_adapt(struct meta_adapted **, const struct meta_base *base, const struct meta_support *, int steps, struct meta_error *);
void meta_adapted_free(struct meta_adapted *);
/* What images are normalised by under `bn`: (network->statistics), or NULL with META_BN_BATCH: by their own batch. */
const float *meta_adapted_statistics(const struct meta_adapted *, enum meta_bn bn);

/* A network ready to predict, one thread at a time; several may share its numbers, which must outlive it. statistics: in place of the
   network's own, or NULL: each call's images are normalised together, as one batch of exactly `batch` images. With statistics a call may
   have any number of images, `batch` of which are computed at a time, and an image's probabilities depend on it alone. */
struct meta_predictor;
int  meta_predictor_create(struct meta_predictor **, const struct meta_network *, const float *parameters, const float *statistics,
                           const struct meta_backend *, int batch, struct meta_error *);
void meta_predictor_free(struct meta_predictor *);
/* images: (n, c, h, w) as above; probabilities: (n, outputs). Fails only when n does not fit; probabilities may be NaN where images are. */
int  meta_predictor_run(struct meta_predictor *, const float *images, int n, float *probabilities, struct meta_error *);

/* The two in one, for those who predict once: (n, classes). */
int  meta_adapted_predict(const struct meta_adapted *, enum meta_bn bn, const float *images, int n, float *probabilities, struct meta_error *);

#endif
