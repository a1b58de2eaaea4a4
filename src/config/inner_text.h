/* What of a .cfg decides how a task is learned, as one line. */
#ifndef META_INNER_TEXT_H
#define META_INNER_TEXT_H

#include "model.h"
#include "network/temperature_file.h"

/* Writes "[inner_loop] head=imprinted on images of 42x42x3": the section, those of its options that
   are not at their defaults, in the plugin's order, and width, height and channels. Left out are
   learning_rate, test_steps, which a command may set otherwise, and what matters in training alone.
   Where the options have no room a check sum stands for them. Two models of one text, steps and
   rate learn a task of the same weights alike. */
void meta_inner_text(char text[META_TEMPERATURE_INNER], const struct meta_model *);

#endif
