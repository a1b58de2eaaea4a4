/* Finds comments that programs read. */
#include "note.h"

#include <string.h>

const char *meta_note(const char *line, const char *word)
{
    size_t length = strlen(word);
    if (*line != '#') return NULL;
    line += 1 + strspn(line + 1, " ");
    return !strncmp(line, word, length) && line[length] == ' ' ? line + length + 1 : NULL;
}
