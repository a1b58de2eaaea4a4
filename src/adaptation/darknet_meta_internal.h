/* What the files of libdarknet-meta share: the objects behind its pointers, and what every call
   begins and ends with. */
#ifndef META_DARKNET_META_INTERNAL_H
#define META_DARKNET_META_INTERNAL_H

#include <stdatomic.h>

#include "adapt.h"
#include "config/model.h"
#include "darknet_meta.h"
#include "network/temperature_file.h"

_Static_assert(sizeof(darknet_meta_error) == sizeof(struct meta_error), "one error, two names");

/* A model is freed with its last user, since layers of a classifier's network may point into the
   model's settings. */
struct darknet_meta_model {
    atomic_int users;
    struct meta_model *model;
    struct meta_base base;
    struct meta_temperatures temperatures; /* of the answers; count 0: there are none */
};

struct darknet_meta_classifier {
    struct darknet_meta_model *model;
    struct meta_adapted *adapted;
};

/* The backend tells OpenMP to use the calling thread alone; meta_call_leave gives the number of
   threads back that the program has set. */
int meta_call_enter(const struct meta_backend *, int *threads, struct meta_error *);
void meta_call_leave(int threads);
/* Hands a failure to the caller, who may want none; returns -1. */
int meta_call_fail(darknet_meta_error *to, struct meta_error *);

/* The program's word for statistics that are one of the three. */
enum meta_bn meta_call_kind(enum darknet_meta_statistics);

/* A pointer that a call can't do without, and its name for the message. */
struct meta_needed {
    const char *name;
    const void *at;
};
/* Fails where one of them is NULL. The last has no name. */
int meta_call_needs(const struct meta_needed *, struct meta_error *);
#define NEEDED(...) ((const struct meta_needed[]){ __VA_ARGS__, { NULL, NULL } })

#endif
