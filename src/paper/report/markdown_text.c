/* Cells of a Markdown table: escaped text, and a difference with its interval and a word. */
#include "markdown_text.h"

#include <ctype.h>
#include <string.h>

void meta_markdown_text(FILE *f, const char *text)
{
    for (; *text; text++) {
        if (*text == '&' && (isalnum((unsigned char)text[1]) || text[1] == '#')) fputs("&amp;", f);
        else {
            if (strchr("|\\`*_[]<>~", *text)) fputc('\\', f);
            fputc(*text, f);
        }
    }
}

void meta_markdown_beside(FILE *f, const char *name)
{
    if (!*name) return;
    fputs("(beside ", f);
    meta_markdown_text(f, name);
    fputs(") ", f);
}

void meta_markdown_signed(FILE *f, double mean, double low, double high, const char *word)
{
    fprintf(f, "| %+.2f (%+.2f to %+.2f), %s ", 100 * mean, 100 * low, 100 * high, word);
}
