/* The images that a folder's results are of. */
#ifndef META_TABLE_IMAGES_H
#define META_TABLE_IMAGES_H

#include "table_model.h"

/* Refuses a folder whose results are of other images than the table's lists name now, by the
   sizes of their files. keep: lists that are new to the folder are noted there. */
int meta_table_images(const struct meta_table *, int keep, struct meta_error *);

#endif
