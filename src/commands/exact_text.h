/* Texts and numbers that read back as they were. */
#ifndef META_EXACT_TEXT_H
#define META_EXACT_TEXT_H

#include <cjson/cJSON.h>
#include <stdio.h>

#include "base/number_text.h"

/* Prints the two texts as one field of CSV, quoted where it must be, and writes one to a file. */
void meta_print_csv_text(const char *text, const char *rest);
void meta_write_csv_text(FILE *, const char *text, const char *rest);

/* Adds a number to an object, in the fewest digits that read back as the same (number_text.h):
   null, where it is not finite. */
void meta_json_add_exact(cJSON *to, const char *name, double x);

#endif
