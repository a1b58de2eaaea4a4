/* Prints numbers in as many digits as they need. */
#include "number_text.h"

#include <stdio.h>
#include <stdlib.h>

char *meta_number_text(double x, char text[META_NUMBER_TEXT])
{
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, META_NUMBER_TEXT, "%.*g", digits, x);
        if (strtod(text, NULL) == x) break;
    }
    return text;
}
