/* Splits the value of a flag at its commas. */
#include "word_list.h"

#include <stdlib.h>
#include <string.h>

int meta_word_list(struct meta_word_list *list, const char *flag, const char *value,
                   struct meta_error *error)
{
    int room = 1;
    for (const char *p = value; *p; p++) room += *p == ',';
    *list = (struct meta_word_list){ strdup(value), calloc(room, sizeof *list->words), 0 };
    if (!list->text || !list->words) return meta_fail_memory(error);
    for (char *p = list->text; p; list->count++) {
        char *comma = strchr(p, ',');
        if (comma) *comma = 0;
        if (!*p) return meta_fail(error, "%s %.60s: has an empty word", flag, value);
        list->words[list->count] = p;
        p = comma ? comma + 1 : NULL;
    }
    return 0;
}

void meta_word_list_clear(struct meta_word_list *list)
{
    free(list->text);
    free(list->words);
    *list = (struct meta_word_list){ 0 };
}
