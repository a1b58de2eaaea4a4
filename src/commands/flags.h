/* The verbs of `darknet meta`. Each takes the words after the verb and returns the exit status; this layer alone prints and exits. */
#ifndef META_COMMAND_H
#define META_COMMAND_H

#include "engine/backend.h"
#include "tasks/data_file.h"
#include "base/error.h"

int meta_command_train(int argc, char **argv);
int meta_command_pretrain(int argc, char **argv);  /* `train` on images instead of tasks */
int meta_command_test(int argc, char **argv);
int meta_command_adapt(int argc, char **argv);
int meta_command_predict(int argc, char **argv);
int meta_command_compare(int argc, char **argv);   /* two results of `test` on the same tasks */
int meta_command_table(int argc, char **argv);
int meta_command_report(int argc, char **argv);
int meta_command_grad(int argc, char **argv);
int meta_command_check(int argc, char **argv);
int meta_command_bench(int argc, char **argv);
int meta_command_doctor(int argc, char **argv);

/* One flag of a verb. A flag that takes a value is stored as text in *value; one that does not sets *given.
   Whole numbers and reals are bounded when read, with meta_flag_int and meta_flag_real. */
struct meta_flag {
    const char *name;         /* "-seed" */
    const char *value_name;   /* "N" in the usage text; NULL: takes no value */
    const char *help;
    const char **value;
    int *given;
};
/* Takes flags out of argv wherever they stand, as Darknet does, and leaves the words; -h prints the usage and exits 0;
   an unknown flag, a repeated one, a missing value, or a number of words outside least..most is one line on stderr and exit 1.
   Returns the number of words, now argv[0..]. `usage` is the line after "usage: darknet meta ". */
int meta_flags_parse(int argc, char **argv, const struct meta_flag *flags, int count, int least, int most, const char *usage);
long long meta_flag_int(const char *name, const char *value, long long fallback, long long least, long long most);
double meta_flag_real(const char *name, const char *value, double fallback, double least, double most);
/* Of -backend. */
const struct meta_backend *meta_flag_backend(const char *value, const char *fallback);

/* Says how many images of a list are in no group, where there are groups and such images. */
void meta_tell_groups(const struct meta_data *, const struct meta_dataset *);
/* Prints "darknet: MESSAGE" on stderr; returns 1, so that a verb can end in `return meta_complain(&error)`. */
int meta_complain(const struct meta_error *);

#endif
