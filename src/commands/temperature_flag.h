/* The flag -temperature of the commands that give answers of adapted weights. */
#ifndef META_TEMPERATURE_FLAG_H
#define META_TEMPERATURE_FLAG_H

#include "network/temperature_file.h"

#define META_TEMPERATURE_HELP                                                                      \
    "on or off (on where STEM.temperature lies beside STEM.weights): whether probabilities are "   \
    "calibrated by it"

/* What became of it. Zeroed, there is none. */
struct meta_temperature_wish {
    char *path;                     /* of the file that was read; NULL: none was */
    double temperature;             /* 0: the answers stay as they are */
    char why[META_TEMPERATURE_WHY]; /* why they do, where a file is there: what it is of */
};
/* Finds the temperature for these weights' answers: value is "on", "off" or NULL, the flag's. A
   file that is not good, or of other weights, is an error. With "on" so is one that is missing or
   that has no such temperature. The caller clears, also after a failure. */
int meta_temperature_wish(struct meta_temperature_wish *, const char *value, const char *weights,
                          const struct meta_temperature_use *, struct meta_error *);
void meta_temperature_wish_clear(struct meta_temperature_wish *);
/* Prints a line about a file that is there and has nothing for these answers. */
void meta_temperature_tell(const struct meta_temperature_wish *);

#endif
