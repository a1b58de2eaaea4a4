/* The learning rate of a meta-iteration under [net]'s policy. */
#ifndef META_POLICY_H
#define META_POLICY_H

#include <stdint.h>
#include "config/net_section.h"

/* What Darknet's get_current_rate gives at batch number `iteration`, bit for bit. Darknet counts a
   batch before it updates, so the first update is at 1. Under burn_in:
   rate*(iteration/burn_in)^power; then by policy

       constant   rate                               steps     rate * the scales of the steps
   reached step       rate*scale^(iteration div step)    poly      rate*(1 -
   iteration/max_batches)^power exp        rate*gamma^iteration               sigmoid   rate/(1 +
   exp(gamma*(iteration - step)))

   and cosine, which is not Darknet's (Loshchilov and Hutter, SGDR, ICLR 2017, without restarts;
   AlexeyAB's policy=sgdr with learning_rate_min=0):
   rate/2*(1 + cos(pi*iteration/max_batches)), 0 from max_batches on.

   In Darknet the difference under sigmoid is unsigned: before `step` it is huge, so the rate there
   is 0 with gamma > 0 and the full rate with gamma < 0. That is kept: a .cfg gives the same rates
   in both programs. */
double meta_policy_rate(const struct meta_net_settings *, uint64_t iteration);
/* Whether the policy reads max_batches: trainings that end at different iterations then have other
   rates from the first one on. */
int meta_policy_reads_end(const struct meta_net_settings *);

#endif
