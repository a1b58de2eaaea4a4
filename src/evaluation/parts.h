/* What an evaluation stands on. */
#ifndef META_EVALUATION_PARTS_H
#define META_EVALUATION_PARTS_H

#include "base/pool.h"
#include "config/model.h"
#include "engine/backend.h"
#include "tasks/dataset.h"
#include "transport/transport.h"

/* All of them belong to the caller and outlive what is created with them. */
struct meta_evaluation_parts {
    const struct meta_model *model;
    const struct meta_backend *backend;
    struct meta_pool *pool;
    /* the images that are evaluated on, at the network's size */
    const struct meta_dataset *dataset;
    /* With several ranks each does a part of the tasks; NULL: this process does all. */
    struct meta_transport *transport;
};

#endif
