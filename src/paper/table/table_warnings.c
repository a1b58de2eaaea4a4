/* Finds warnings in the logs of a table's processes. */
#define _GNU_SOURCE
#include "table_warnings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Whether the line is a warning that has not been told; from then on it has. */
static int is_new(struct meta_table_warnings *w, const char *line, int well)
{
    const char *begins = well ? "darknet: " : "darknet: warning: ";
    if (strncmp(line, begins, strlen(begins))) return 0;
    for (int i = 0; i < w->count; i++)
        if (!strcmp(w->line[i], line)) return 0;
    char **grown = realloc(w->line, ((size_t)w->count + 1) * sizeof *grown);
    if (!grown) return 1;
    w->line = grown;
    if ((w->line[w->count] = strdup(line))) w->count++;
    return 1;
}

void meta_table_warnings_tell(struct meta_table_warnings *w, const char *log, off_t from, int well,
                              void (*tell)(void *context, const char *line), void *context)
{
    char *line = NULL;
    size_t room = 0;
    FILE *f = fopen(log, "re");
    if (!f) return;
    if (!fseeko(f, from, SEEK_SET))
        while (getline(&line, &room, f) > 0) {
            line[strcspn(line, "\n")] = 0;
            if (is_new(w, line, well)) tell(context, line);
        }
    free(line);
    fclose(f);
}

void meta_table_warnings_clear(struct meta_table_warnings *w)
{
    for (int i = 0; i < w->count; i++) free(w->line[i]);
    free(w->line);
    *w = (struct meta_table_warnings){ 0 };
}
