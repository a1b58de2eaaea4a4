/* Lists in the value of a flag, with commas between their words. */
#ifndef META_WORD_LIST_H
#define META_WORD_LIST_H

#include "base/error.h"

struct meta_word_list {
    char *text; /* what the words point into */
    char **words;
    int count;
};
/* Splits the flag's value; an empty word is an error. The caller clears, also after a failure. */
int meta_word_list(struct meta_word_list *, const char *flag, const char *value,
                   struct meta_error *);
void meta_word_list_clear(struct meta_word_list *);

#endif
