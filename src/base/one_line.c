/* Keeps messages on one line, whatever is in the names and texts that they repeat. */
#include "one_line.h"

void meta_one_line(char *text)
{
    for (unsigned char *c = (unsigned char *)text; *c; c++) {
        int pair = c[0] == 0xc2 && c[1] >= 0x80 && c[1] < 0xa0; /* U+0080 to U+009F in UTF-8 */
        if (pair) *c++ = '?';
        if (pair || *c < 32 || *c == 127) *c = '?';
    }
}
