/* The command line of a verb: its flags and words, and the message that it ends with. This layer
   alone prints and exits. */
#ifndef META_FLAGS_H
#define META_FLAGS_H

#include <stdint.h>

#include "base/error.h"
#include "engine/backend.h"

/* One flag of a verb. Where it takes a value, the text is stored in *value; else *given is set.
   Numbers are bounded when they are read, with meta_flag_int and meta_flag_real. */
struct meta_flag {
    const char *name;       /* "-seed" */
    const char *value_name; /* "N" in the usage text; NULL: the flag takes no value */
    const char *help;
    const char **value;
    int *given;
};

/* What may stand behind a verb. */
struct meta_syntax {
    const char *usage;             /* what follows "usage: darknet meta ": the verb and its words */
    int least, most;               /* words */
    const struct meta_flag *flags; /* (count) */
    int count;
};

/* Takes flags out of argv wherever they stand, as Darknet does, and leaves the words, now argv[0]
   and on; returns their number. -h prints the usage and exits 0. An unknown flag, a repeated one, a
   missing value or another number of words is one line on standard error and exit 1. */
int meta_flags_parse(int argc, char **argv, const struct meta_syntax *);

/* The number that `value` says, or `fallback` where it is NULL. What is no number or lies outside
   least..most is one line on standard error, naming the flag, and exit 1. */
long long meta_flag_int(const char *name, const char *value, long long fallback, long long least,
                        long long most);
/* The value of -seed, any number of 64 bits. */
uint64_t meta_flag_seed(const char *value, uint64_t fallback);
double meta_flag_real(const char *name, const char *value, double fallback, double least,
                      double most);
/* The backend that the value of -backend names, or `fallback` names where that is NULL. */
const struct meta_backend *meta_flag_backend(const char *value, const char *fallback);

/* The backend with the kernels that the value of -kernels names; NULL: with its own. */
const struct meta_backend *meta_flag_kernels(const struct meta_backend *, const char *value);

/* Fails when the file `out` can't be written, as far as that shows beforehand, or is one of the
   files that the command reads: inputs (count), and what belongs to weights among them
   (meta_path_of_weights). Nothing is wrong with out=NULL. */
int meta_flag_out(const char *out, const char *const inputs[], int count, struct meta_error *);
/* Likewise of another flag than -out. */
int meta_flag_out_of(const char *flag, const char *out, const char *const inputs[], int count,
                     struct meta_error *);

/* Prints "darknet: MESSAGE" on standard error; returns 1, so that a verb can end in
   `return meta_complain(&error)`. */
int meta_complain(const struct meta_error *);

#endif
