/* Writes bytes that are not UTF-8 as characters for private use, and turns those back. */
#include "utf8.h"

#include <stdlib.h>
#include <string.h>

/* U+EF00 + byte in UTF-8. */
enum { FIRST = 0xee, SECOND = 0xbe };

static int is_escape(const unsigned char *s)
{
    return s[0] == FIRST && (s[1] == SECOND || s[1] == SECOND + 1) && s[2] >> 6 == 2;
}

/* The bytes of the character that stands at s, 1 to 4; 0 where none does. Longer forms than
   needed, surrogates and numbers above U+10FFFF are no characters (RFC 3629). */
static int character(const unsigned char *s)
{
    int length = s[0] < 0x80 ? 1 : s[0] < 0xc2 ? 0 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
    if (s[0] > 0xf4) return 0;
    for (int i = 1; i < length; i++)
        if (s[i] >> 6 != 2) return 0;
    if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f)
        || (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
        return 0;
    return length;
}

char *meta_utf8_escape(const char *text)
{
    char *copy = malloc(3 * strlen(text) + 1), *to = copy;
    for (const unsigned char *s = (const unsigned char *)text; copy && *s;) {
        int length = is_escape(s) ? 0 : character(s);
        memcpy(to, s, (size_t)length);
        to += length;
        s += length;
        if (length) continue;
        *to++ = (char)FIRST;
        *to++ = (char)(SECOND + (*s >= 0xc0));
        *to++ = (char)(0x80 | (*s & 0x3f));
        s++;
    }
    if (copy) *to = 0;
    return copy;
}

void meta_utf8_restore(char *text)
{
    char *to = text;
    for (const unsigned char *s = (const unsigned char *)text; *s;) {
        int escape = is_escape(s);
        *to++ = (char)(escape ? 0x80 + 0x40 * (s[1] - SECOND) + (s[2] & 0x3f) : *s);
        s += escape ? 3 : 1;
    }
    *to = 0;
}
