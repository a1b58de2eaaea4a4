/* Files of 16-bit samples: whether their white is known. A camera of 12 bits writes values up to
   4095 into them; read as if white were 65535, they would be nearly black. One dark file does not
   tell that, a list does. */
#ifndef META_DEPTH_H
#define META_DEPTH_H

#include "dataset.h"

/* The white of 16-bit files where nothing says another. */
enum { META_WHITE = 65535 };

/* What the 16-bit files of a list hold that don't say their white themselves. */
struct meta_depth {
    int files, largest;     /* how many there are, and their largest value */
    int dark, dark_largest; /* how many stay in the lower half of 65535, and their largest value */
};
struct meta_depth meta_depth_of(const struct meta_dataset *);

/* Fails where most of these files stay in the lower half, and the .data file has no `range`. */
int meta_depth_check(const struct meta_dataset *, const struct meta_data *, struct meta_error *);
/* The same of one file outside of a list, whose largest value is `largest`. */
int meta_depth_check_file(int largest, const struct meta_data *, struct meta_error *);

/* "300 16-bit files, largest value 65535, white is 65535; 2 of them are dark, 4095 at most", for
   files > 0, into text (META_DEPTH_TEXT). */
enum { META_DEPTH_TEXT = 160 };
void meta_depth_text(char *text, const struct meta_depth *, const struct meta_data *);

#endif
