/* NAME_sent.csv: what has left a site, in the order in which it did, a row for each exchange with
   other sites: the iteration, a word for what it carried, its bytes to all of them. The row is in
   the file before the bytes leave. Rows are added and never taken off: an iteration that was made
   twice, because the site was killed in between, has sent twice. */
#ifndef META_SENT_H
#define META_SENT_H

#include <stdint.h>

#include "base/error.h"

struct meta_sent;

/* The record begins in memory. The caller frees. */
int meta_sent_create(struct meta_sent **, struct meta_error *);
void meta_sent_free(struct meta_sent *); /* may be NULL */
/* Adds what is in memory to the file of that path, which it makes where there is none. */
int meta_sent_open(struct meta_sent *, const char *path, struct meta_error *);

/* The iteration of the rows to come. */
void meta_sent_iteration(struct meta_sent *, uint64_t iteration);
/* The `record` of a transport, with a struct meta_sent as its context. */
int meta_sent_record(void *sent, const char *about, size_t bytes, struct meta_error *);
/* How often a vector of the site's own, META_SITES_GRADIENT or META_SITES_CHANGE, has left it,
   those of the file included once it is open. */
uint64_t meta_sent_vectors(const struct meta_sent *);
/* Puts the file on the disk. */
void meta_sent_sync(const struct meta_sent *);

#endif
