/* The files of JSON that this program reads back: what their members must be. */
#ifndef META_JSON_FILES_H
#define META_JSON_FILES_H

#include "base/json_check.h"

/* A result of `meta test`, with what `meta table` adds to it, of this version and of version 1.0.
   What only one reader needs may be missing here. */
extern const struct meta_json_rule meta_result_rules[];
/* SLUG.json, the plan of a table. */
extern const struct meta_json_rule meta_plan_rules[];
/* images.json, which images the results of a folder are of. */
extern const struct meta_json_rule meta_images_rules[];
/* usage.json, what the processes of a training have used. */
extern const struct meta_json_rule meta_usage_rules[];

#endif
