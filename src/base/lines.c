/* Reads text files: refuses zero bytes, skips a byte order mark, and cuts the text into lines. */
#include "lines.h"
#include "file.h"

#include <stdlib.h>
#include <string.h>

int meta_lines_text(const char *path, char **bytes, char **start, struct meta_error *error)
{
    size_t size;
    if (meta_file_read(path, bytes, &size, error)) return -1;
    const char *zero = memchr(*bytes, 0, size);
    if (zero) {
        int line = 1;
        for (const char *p = *bytes; p < zero; p++) line += *p == '\n';
        free(*bytes);
        return meta_fail(error, "%s:%d: has a zero byte: must be a text file", path, line);
    }
    *start = *bytes + (strncmp(*bytes, "\xef\xbb\xbf", 3) ? 0 : 3);
    return 0;
}

int meta_lines_read(struct meta_lines *lines, const char *path, struct meta_error *error)
{
    char *p;
    size_t room = 1;
    *lines = (struct meta_lines){ 0 };
    if (meta_lines_text(path, &lines->text, &p, error)) return -1;
    for (const char *q = p; *q; q++) room += *q == '\n';
    lines->line = malloc(room * sizeof *lines->line);
    lines->number = malloc(room * sizeof *lines->number);
    if (!lines->line || !lines->number) {
        meta_lines_free(lines);
        return meta_fail_memory_for(error, path);
    }
    for (int number = 1; p; number++) {
        char *start = p, *end = strchr(p, '\n');
        p = end ? end + 1 : NULL;
        if (!end) end = start + strlen(start);
        if (end > start && end[-1] == '\r') end--;
        *end = 0;
        if (!start[strspn(start, " \t")]) continue;
        lines->line[lines->count] = start;
        lines->number[lines->count++] = number;
    }
    return 0;
}

void meta_lines_free(struct meta_lines *lines)
{
    free(lines->text);
    free(lines->line);
    free(lines->number);
    *lines = (struct meta_lines){ 0 };
}
