/* Darknet's section types, one row each. */
#ifndef META_SECTIONS_H
#define META_SECTIONS_H

#include "cfg.h"
#include "model.h"

struct meta_section_type {
    const char *name, *alias; /* without brackets; alias NULL: the section has one name */
    const char *parser;       /* libdarknet's function that makes the layer; NULL for [net] */
    int takes_net;            /* 1: the function takes the network as its third argument */

    /* For meta-learning. options NULL: the layer has no derivatives here. */
    const char *summary;
    size_t settings_size;
    const struct meta_option *options;
    /* Describes layer number `index` by its parsed settings. The caller frees out->from. */
    int (*layer)(const void *settings, int index, struct meta_layer *out, struct meta_error *);
};

/* All section types, [net] first; the last row has no name. */
extern const struct meta_section_type meta_section_types[];
/* By name or alias; NULL: Darknet has no such section. */
const struct meta_section_type *meta_section_find(const char *name);

/* The options of [net]. */
extern const struct meta_option meta_net_table[];
/* Reads [net]. The caller frees net->steps.values and net->scales.values, also on failure. */
int meta_net_read(const struct meta_section *, const char *path, struct meta_net_settings *net,
                  struct meta_error *);

#endif
