/* Writes where an image stands in its list. */
#include "list_place.h"

#include <stdio.h>

struct meta_list_place meta_list_place(const char *list, int line)
{
    struct meta_list_place place = { "" };
    if (line) snprintf(place.text, sizeof place.text, "%s:%d: ", list, line);
    return place;
}

struct meta_list_place meta_list_on_line(int line)
{
    struct meta_list_place place = { "" };
    if (line) snprintf(place.text, sizeof place.text, " on line %d", line);
    return place;
}

struct meta_list_place meta_list_of_line(const char *list, int line)
{
    struct meta_list_place place = { "" };
    if (line) snprintf(place.text, sizeof place.text, " of line %d of %s", line, list);
    return place;
}
