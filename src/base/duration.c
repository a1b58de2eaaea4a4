/* Writes a number of seconds in the unit that suits it. */
#include "duration.h"

#include <stdio.h>

void meta_format_time(char *out, int size, double s)
{
    if (s < 9.95) snprintf(out, size, "%.1f s", s);
    else if (s < 99.5) snprintf(out, size, "%.0f s", s);
    else if (s < 99.5 * 60) snprintf(out, size, "%.0f min", s / 60);
    else snprintf(out, size, "%.1f h", s / 3600);
}
