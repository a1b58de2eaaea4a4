/* A classifier of a .cfg and one or more .weights, as `meta adapt` writes them. */
#ifndef META_CLASSIFIER_H
#define META_CLASSIFIER_H

#include "adaptation/class_notes.h"
#include "adaptation/mean_answer.h"
#include "base/pool.h"
#include "config/model.h"
#include "tasks/dataset.h"
#include "word_list.h"

struct meta_classifier {
    struct meta_model *model;
    struct meta_word_list weights; /* paths */
    struct meta_filled *filled;    /* (weights.count) filled[].network is the model's */
    int copies;                    /* of each image whose answers are averaged */
    int classes;
    const struct meta_backend *backend;
};
/* What the command line says of one. */
struct meta_classifier_words {
    const char *cfg, *weights;
    const char *several; /* the value of -weights, in place of `weights`, or NULL */
    const char *augment; /* the value of -augment, or NULL */
    const struct meta_backend *backend;
    int raw;            /* a network that is not adapted is allowed, too */
    const char *remedy; /* what is to be done with one that is not */
};
/* Reads the .cfg, not yet the weights. Fails where it is one of meta-training, which is not
   adapted, unless `raw`. The caller clears, also after a failure. */
int meta_classifier_open(struct meta_classifier *, const struct meta_classifier_words *,
                         struct meta_error *);
/* Reads the weights of one that is open, and warns of those that are not its own. */
int meta_classifier_fill(struct meta_classifier *, struct meta_error *);
/* Fails where the classes of the data, as many as the classifier's, stand in another order there
   than in its files (adaptation/class_notes.h). */
int meta_classifier_check_order(const struct meta_classifier *, const struct meta_data *,
                                struct meta_error *);
/* Warns of a class that is called otherwise than in the classifier's files. */
void meta_classifier_warn_names(const struct meta_class_order *, const struct meta_class_files *);
/* Warns of each .weights that is not the one its .cfg was written with. */
void meta_classifier_warn_weights(const struct meta_class_files *);
void meta_classifier_clear(struct meta_classifier *);

/* The answers to the images of a list, with their groups. */
struct meta_answers {
    struct meta_dataset *set;
    int *group; /* (count) 0..groups-1: one of its own, where the data name none */
    int groups;
    double *log_odds; /* (count, classes) */
};
/* Reads the list and asks the classifier, each image on one of the pool's threads. An image that
   can't be read, and an answer that is no number, are errors. The caller clears, also after a
   failure; the data outlive the answers. */
int meta_answers_read(struct meta_answers *, const struct meta_classifier *,
                      const struct meta_data *, const char *list, struct meta_pool *,
                      struct meta_error *);
void meta_answers_clear(struct meta_answers *);

#endif
