/* A network as files of stock sections, which Darknets and OpenCV read. */
#ifndef META_EXPORT_H
#define META_EXPORT_H

#include "filled.h"
#include "portable.h"

/* The word of the .cfg's comment that has the digest of the .weights. */
#define META_WEIGHTS_NOTE "weights"

struct meta_export {
    const char *name;    /* of the files, without their ends */
    const char *comment; /* for the head of the .cfg: one or more lines, or NULL */
    enum meta_fold fold;
    const char *net; /* lines of [net] besides the size, each with its end; NULL: none */
};

/* The names of the two files; the caller frees both, which are NULL after a failure. */
int meta_export_paths(const char *name, char **cfg, char **weights, struct meta_error *);
/* Writes NAME.weights and NAME.cfg, which has the digest of the first, both or neither, renamed in
   this order (meta_new_file_end_two). The files are of the network in the form of portable.h. They
   give its probabilities, with its statistics as rolling ones, here, in the stock library, in those
   of AlexeyAB and hank-ai and in OpenCV, but for those that *otherwise names: a line without an
   end, which also stands in the .cfg and which the caller frees, or NULL. A plugin's layer is an
   error. */
int meta_export(const struct meta_filled *, const struct meta_export *, char **otherwise,
                struct meta_error *);

#endif
