/* What a .cfg must have for what its network is used for. */
#ifndef META_PURPOSE_H
#define META_PURPOSE_H

#include "cfg.h"
#include "model.h"

/* Sections of the .cfg, for the lines in messages; NULL: the .cfg has no such section. */
struct meta_purpose_sections {
    const struct meta_section *net, *episode, *inner_loop, *meta_loss;
};

/* Fails, with file and line, when the model does not agree with model->purpose: META_FOR_TASKS
   wants as many outputs as [episode] has ways, two at least, and no inner steps of a network that
   pairs; META_FOR_IMAGES refuses [inner_loop] and [meta_loss], which would have no effect, a
   network that pairs, a batch that subdivisions does not divide, and parts in which a layer
   normalises a single value a channel; META_FOR_ANY wants nothing. */
int meta_purpose_check(const struct meta_model *, const struct meta_purpose_sections *,
                       struct meta_error *);
/* Fails where the .cfg is one of meta-training, with an [episode] of as many ways as outputs, an
   [inner_loop] or a [meta_loss]: what such a network says of an image before it is adapted names no
   class. `instead` ends the message:
   what to do. So where the network pairs and can be adapted; others that pair have no answer for an
   image anyway. */
int meta_purpose_check_adapted(const struct meta_model *, const char *instead, struct meta_error *);

#endif
