/* The verbs of `darknet meta`: a row of meta_verbs and a function in a file of its own each. */
#ifndef META_USAGE_H
#define META_USAGE_H

struct meta_verb {
    const char *name, *arguments, *summary;
    /* Gets the words behind the verb; returns the exit status. */
    int (*run)(int argc, char **argv);
};
extern const struct meta_verb meta_verbs[]; /* the last one has no name */

/* Prints the usage of `darknet meta` with a line a verb to standard output. */
void meta_print_verbs(void);

int meta_command_lists(int argc, char **argv);
int meta_command_train(int argc, char **argv);
int meta_command_pretrain(int argc, char **argv);
int meta_command_test(int argc, char **argv);
int meta_command_adapt(int argc, char **argv);
int meta_command_calibrate(int argc, char **argv);
int meta_command_predict(int argc, char **argv);
int meta_command_evaluate(int argc, char **argv);
int meta_command_features(int argc, char **argv);
int meta_command_export(int argc, char **argv);
int meta_command_compare(int argc, char **argv);
int meta_command_stock(int argc, char **argv);
int meta_command_table(int argc, char **argv);
int meta_command_report(int argc, char **argv);
int meta_command_grad(int argc, char **argv);
int meta_command_check(int argc, char **argv);
int meta_command_bench(int argc, char **argv);
int meta_command_doctor(int argc, char **argv);
int meta_command_version(int argc, char **argv);
int meta_command_help(int argc, char **argv);

#endif
