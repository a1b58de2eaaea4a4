/* The list of methods, and what their rows say. */
#ifndef META_METHODS_H
#define META_METHODS_H

#include "method.h"

/* A new method is a file method_NAME.c, which defines meta_method_NAME, and a row here. Help and
   messages keep the order. */
#define META_METHODS(ROW)                                                                          \
    ROW(maml, meta_method_maml)                                                                    \
    ROW(finetune, meta_method_finetune)                                                            \
    ROW(knn, meta_method_knn)                                                                      \
    ROW(svm, meta_method_svm)                                                                      \
    ROW(colour, meta_method_colour)                                                                \
    ROW(relation, meta_method_relation)                                                            \
    ROW(prototype, meta_method_prototype)

#define META_METHOD_DECLARE(name, method) extern const struct meta_method method;
META_METHODS(META_METHOD_DECLARE)

extern const struct meta_method *const meta_methods[]; /* all of them; the last is NULL */
extern const char meta_method_choices[]; /* "|maml|finetune...": all names, each after a bar */
const struct meta_method *meta_method_find(const char *name); /* NULL: there is none of that name */
int meta_method_place(const struct meta_method *);            /* in meta_methods */
/* What takes what the network puts out: maml; where the network pairs, the method of its pairing
   section's name, or relation where none has it. */
const struct meta_method *meta_method_for(const struct meta_model *);
void meta_method_names(char *text,
                       size_t size); /* "maml, finetune, knn..., relation or prototype" */

/* NULL: the method has no such flag of its own. */
const struct meta_method_flag *meta_method_flag(const struct meta_method *, const char *name);
/* The flags of all methods, one row a name, in the order of the list. Returns how many; `flags` has
   room for `most`. */
int meta_method_flags(const struct meta_method_flag **flags, int most);
/* Whether the flag, one of a method's own, -bn or -temperature, has an effect on the method. */
int meta_method_reads(const struct meta_method *, const char *flag);
/* Writes the names of the methods that the flag has an effect on: "maml, relation, prototype". */
void meta_method_readers(char *text, size_t size, const char *flag);

/* The default settings, at least one byte, in memory that the caller frees. */
int meta_method_settings(void **settings, const struct meta_method *, const struct meta_model *,
                         const struct meta_episode_settings *, struct meta_error *);
/* flag: a row of the method that has the settings. A whole number is stored as one. */
void meta_method_set(void *settings, const struct meta_method_flag *flag, double value);
/* Whether the method, which is not NULL, can work on this network: refuses with file, line and what
   is allowed. */
int meta_method_check(const struct meta_model *, const struct meta_evaluation *,
                      struct meta_error *);
/* Whether there is something to score before a task is learned: of answers that are averaged with
   those of other tests there is not. */
int meta_evaluation_learns(const struct meta_evaluation *);
/* Floating-point operations of one task of the test. The method is not NULL. */
double meta_method_flops(const struct meta_flops *, const struct meta_evaluation *);

#endif
