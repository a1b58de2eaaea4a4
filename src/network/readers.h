/* Which programs read a network otherwise than this one. What each of them does was found out with
   the networks of tests/exported_networks.py. */
#ifndef META_READERS_H
#define META_READERS_H

#include "network.h"

/* *line: NULL where all programs read the network alike; else one line without an end that names
   those that do not, each with its first reason. The caller frees. */
int meta_readers_differ(const struct meta_network *, char **line, struct meta_error *);
/* Why stock Darknet reads the network otherwise, and the first layer of which that holds; NULL: it
   does not. */
const char *meta_readers_stock(const struct meta_network *, int *layer);

#endif
