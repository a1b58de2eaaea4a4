/* STEM.rates: the learned inner rates of STEM.weights, as text. The first line names the format and
   its version, the second says what the rates are of, and then there is a number a line and a last
   line, "end":

       darknet meta rates 1
       rates=layer steps=5 layers=0:1920,2:37056,4:3202
       0.0104
       ...
       end

   `layers` are those that move, by their place in the network from 0, each with its number of
   parameters. With rates=layer the rates of all layers at the first step come first, then those at
   the second; with rates=parameter each parameter's in the order of a .weights file, which has
   statistics besides. */
#ifndef META_RATES_FILE_H
#define META_RATES_FILE_H

#include "inner_rates.h"

#define META_RATES_END ".rates"
/* The file that belongs to these weights (meta_path_of_weights). The caller frees; NULL: there is
 * no memory. */
char *meta_rates_path(const char *weights);
/* Whether that file is there. */
int meta_rates_exist(const char *weights);

/* Reads the rates of these weights. The message says what is wrong with the file, and what its
   second line must be. The caller frees *value, (numbers); NULL after a failure. */
int meta_rates_load(const struct meta_network *, struct meta_rates_how, const char *weights,
                    float **value, struct meta_error *);
/* Begins the file (base/file.h), which the caller ends, with that of the weights, or drops. */
struct meta_new_file;
int meta_rates_begin(struct meta_new_file **, const struct meta_network *, struct meta_rates_how,
                     const char *weights, const float *value, struct meta_error *);
/* Writes the file whole or not at all. */
int meta_rates_save(const struct meta_network *, struct meta_rates_how, const char *weights,
                    const float *value, struct meta_error *);

#endif
