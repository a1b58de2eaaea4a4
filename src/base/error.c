/* Writes messages of errors, shortens those that do not fit, and notes refused memory, so that the
   program can't end as if nothing had been. */
#define _GNU_SOURCE
#include "error.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum {
    ROOM = sizeof((struct meta_error *)0)->text - 1,
    LEAST = 24, /* bytes that stay of a word on either side of its gap */
};
static const char gap[] = "[...]";

/* Whether a character of UTF-8 goes on here. */
static int inside(char c) { return (c & 0xc0) == 0x80; }

/* Takes at least `excess` bytes out of the middle of text[from..from + length), but leaves `least`
   on either side of the gap. Returns how many bytes shorter the text is. */
static size_t cut(char *text, size_t from, size_t length, size_t excess, size_t least)
{
    const size_t mark = sizeof gap - 1;
    if (length <= 2 * least + mark) return 0;
    size_t most = length - 2 * least, out = excess + mark < most ? excess + mark : most;
    size_t begin = from + (length - out) / 2, end = begin + out;
    while (begin > from && inside(text[begin])) begin--;
    while (inside(text[end])) end++;
    memcpy(text + begin, gap, mark);
    memmove(text + begin + mark, text + end, strlen(text + end) + 1);
    return end - begin - mark;
}

/* The longest word, what stands between blanks; returns its length. */
static size_t longest_word(const char *text, size_t *from)
{
    size_t longest = 0;
    for (const char *p = text; *p;) {
        size_t n = strcspn(p, " ");
        if (n > longest) {
            longest = n;
            *from = p - text;
        }
        p += n;
        p += strspn(p, " ");
    }
    return longest;
}

/* Shortens the longest word each time, while that helps; then, of a text whose words are short, the
   middle of all. */
static void shorten(char *text)
{
    size_t size = strlen(text), from = 0, gone = 1;
    while (size > ROOM && gone) {
        size_t length = longest_word(text, &from);
        gone = cut(text, from, length, size - ROOM, LEAST);
        size -= gone;
    }
    if (size > ROOM) cut(text, 0, size, size - ROOM, LEAST);
}

int meta_fail(struct meta_error *e, const char *format, ...)
{
    char text[sizeof e->text], *whole = NULL;
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    int length = vsnprintf(text, sizeof text, format, arguments);
    if (length > ROOM && vasprintf(&whole, format, again) >= 0) shorten(whole);
    else whole = NULL; /* without memory it ends where it is full */
    va_end(again);
    va_end(arguments);
    strcpy(e->text, whole ? whole : text);
    free(whole);
    return -1;
}

static atomic_bool refused;

int meta_fail_memory(struct meta_error *error)
{
    refused = 1;
    return meta_fail(error, "out of memory");
}

int meta_fail_memory_for(struct meta_error *error, const char *what)
{
    refused = 1;
    return meta_fail(error, "%s: out of memory", what);
}

int meta_memory_refused(void) { return refused; }
