/* The mean answer of several networks of one .cfg, to several copies of an image. */
#ifndef META_MEAN_ANSWER_H
#define META_MEAN_ANSWER_H

#include "adapt.h"

struct meta_mean_answer;
/* filled (count), which outlive it, are normalised by their own statistics. copies: 1, or up to
   meta_turns() (images/turns.h) of an image's symmetries. The caller frees. */
int meta_mean_answer_create(struct meta_mean_answer **, const struct meta_filled *filled, int count,
                            int copies, const struct meta_backend *, struct meta_error *);
void meta_mean_answer_free(struct meta_mean_answer *);
/* log_odds (outputs) of the mean probabilities for an image (c, h, w); of one network and the image
   alone, those that meta_predictor_run gives. */
int meta_mean_answer_run(struct meta_mean_answer *, const float *image, double *log_odds,
                         struct meta_error *);

#endif
