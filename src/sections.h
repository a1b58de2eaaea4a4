/* Darknet's own sections: their options, and the layers that meta-learning can differentiate. */
#ifndef META_SECTIONS_H
#define META_SECTIONS_H

#include "options.h"
#include "model.h"

int meta_sections_is_stock(const char *name);              /* one of Darknet's, supported here or not */
const char *meta_sections_layers(void);                    /* the supported layers, for an error: "convolutional connected ..." */

/* [net] or [network] into settings that the caller zeroed; free with meta_net_clear. */
int  meta_net_parse(struct meta_net_settings *, const struct meta_section *, const char *path, struct meta_error *);
void meta_net_clear(struct meta_net_settings *);

/* A stock layer's section appended to the network. The error has file, line and section. */
int  meta_sections_add(struct meta_network *, const struct meta_section *, const char *path, struct meta_error *);

/* The tables, for the usage text: section i's canonical name and options; NULL past the last. The first is [net]. */
const struct meta_option *meta_sections_table(int i, const char **name);

#endif
