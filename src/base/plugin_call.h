/* Calls of plugins' functions that may refuse, and what a plugin hands back, looked at before it is
   used. */
#ifndef META_PLUGIN_CALL_H
#define META_PLUGIN_CALL_H

#include "error.h"

/* Makes one line of a message that a plugin wrote: it ends, control characters are question marks,
   and where it is empty `otherwise` takes its place. Returns -1. */
int meta_plugin_refuses(struct meta_error *, const char *otherwise);

/* Calls the plugin's check, if it has one. Then the settings that the program itself reads, those
   of META_ROLE_EPISODE and META_ROLE_INNER_LOOP, must be in the bounds of [episode] and
   [inner_loop], whatever the plugin's own table allows. */
int meta_plugin_check(const struct meta_plugin *, void *settings, struct meta_error *);

/* Calls the shape function of a plugin that is a layer or pairs. The output must have at least one
   number and at most `most`, and the multiply-adds of a layer that counts them be a number. */
int meta_plugin_shape(const struct meta_plugin *, const void *settings, struct meta_shape in,
                      size_t most, struct meta_shape *out, struct meta_error *);

/* Asks the plugin of a layer for its parameters with this input. Returns how many arrays it has, of
   at most `most` numbers together, or -1 with a message. */
int meta_plugin_arrays(const struct meta_plugin *, const void *settings, struct meta_shape in,
                       size_t most, struct meta_array[META_MOST_ARRAYS], struct meta_error *);

struct meta_rng;
/* Fills in what the arrays begin with, one behind the other. */
void meta_plugin_begin(const struct meta_array *, int count, struct meta_rng *, float *);

#endif
