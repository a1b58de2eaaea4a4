/* Darknet's own section types: one row each. */
#ifndef META_SECTIONS_H
#define META_SECTIONS_H

#include "cfg.h"
#include "model.h"

struct meta_section_type {
    const char *name, *alias;        /* without brackets; alias NULL: it has one name */
    const char *parser;              /* libdarknet's function that makes the layer; NULL: [net] */
    int takes_net;                   /* that function takes the network as its third argument */

    /* What meta-learning makes of it; options NULL: it can't differentiate this one. */
    const char *summary;
    size_t settings_size;
    const struct meta_option *options;
    /* Describes layer number `index` by settings that options were parsed into; out->from is the receiver's to free. */
    int (*layer)(const void *settings, int index, struct meta_layer *out, struct meta_error *);
};

/* All of them, [net] first; the last row has no name. */
extern const struct meta_section_type meta_section_types[];
const struct meta_section_type *meta_section_find(const char *name);     /* by name or alias; NULL: not one of Darknet's */

/* [net]. The caller frees net->steps.values and net->scales.values, also on failure. */
extern const struct meta_option meta_net_table[];
extern const size_t meta_net_settings_size;
int meta_net_read(const struct meta_section *, const char *path, struct meta_net_settings *net, struct meta_error *);

#endif
