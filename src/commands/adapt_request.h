/* What the command line of `meta adapt` asks for. */
#ifndef META_ADAPT_REQUEST_H
#define META_ADAPT_REQUEST_H

#include "adapt_files.h"
#include "adaptation/adapt.h"
#include "config/model.h"
#include "network/export.h"
#include "tasks/data_open.h"

struct meta_adapt_request {
    const char *data, *cfg, *weights;
    const char *out;                      /* NAME of the files that are written */
    char *onnx;                           /* NAME.onnx, or NULL; owned */
    const char *temperature;              /* on, off, or NULL: on where there is one */
    const char *steps_text, *copies_text; /* as written; NULL: it is not said */
    int steps, copies;                    /* of the inner loop, and of each image */
    int plain;                            /* 1: each image counts the same, whatever its class */
    int workers;
    const struct meta_backend *backend;
    struct meta_data_flags said;
    struct meta_adapt_files files;
    enum meta_bn bn;
    enum meta_fold fold;
};
/* Takes the flags out of argv (argc), whose texts the request points into, and checks all that
   needs neither network nor data. The caller clears, after a failure too. */
int meta_adapt_request_read(struct meta_adapt_request *, int argc, char **argv,
                            struct meta_error *);
/* Sets steps and copies, and checks them and the number of classes. */
int meta_adapt_request_check(struct meta_adapt_request *, const struct meta_model *,
                             const struct meta_data *, struct meta_error *);
void meta_adapt_request_clear(struct meta_adapt_request *);

#endif
