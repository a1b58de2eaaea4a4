/* The images that a table and the results in its folder are of. */
#ifndef META_TABLE_IMAGES_H
#define META_TABLE_IMAGES_H

#include "table_model.h"

#define META_TABLE_IMAGES "images.json" /* in the table's folder */

/* Fills in the table's lists: which images they are of, their classes and groups. Reads the images'
   files, but for those of a list whose digest the folder has noted and whose files have had the
   same sizes and times then. An image that can't be read is left to the command that needs it. */
int meta_table_identify(struct meta_table *, struct meta_error *);

/* Refuses a folder whose results are of other images than the table's lists are now. keep: what the
   folder has not noted of them yet is noted there. */
int meta_table_images(const struct meta_table *, int keep, struct meta_error *);

#endif
