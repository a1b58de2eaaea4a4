/* Looks at the values of 16-bit files. */
#include "depth.h"

#include <stdio.h>

#include "base/plural.h"

enum { HALF = META_WHITE / 2 };

struct meta_depth meta_depth_of(const struct meta_dataset *set)
{
    struct meta_depth d = { 0 };
    for (int i = 0; i < set->count; i++) {
        int largest = set->largest[i];
        if (!largest) continue;
        d.files++;
        if (largest > d.largest) d.largest = largest;
        if (largest > HALF) continue;
        d.dark++;
        if (largest > d.dark_largest) d.dark_largest = largest;
    }
    return d;
}

/* The white of the camera that the values look like: the next power of two, less 1. */
static int likely_white(int largest)
{
    int white = 255;
    while (white < largest) white = 2 * white + 1;
    return white;
}

int meta_depth_check(const struct meta_dataset *set, const struct meta_data *data,
                     struct meta_error *error)
{
    struct meta_depth d = meta_depth_of(set);
    if (data->range || 2 * d.dark <= d.files) return 0;
    if (data->labelled)
        return meta_fail(error,
                         "%s: the largest value of %d of its %d 16-bit files is %d: needs -range "
                         "%d "
                         "if that is their white, or -range %d if they are as dark as that",
                         set->list, d.dark, d.files, d.dark_largest, likely_white(d.dark_largest),
                         META_WHITE);
    return meta_fail(error,
                     "%s: the largest value of %d of its %d 16-bit files is %d: %s needs range=%d "
                     "if that is their white, or range=%d if they are as dark as that",
                     set->list, d.dark, d.files, d.dark_largest, data->path,
                     likely_white(d.dark_largest), META_WHITE);
}

int meta_depth_check_file(int largest, const struct meta_data *data, struct meta_error *error)
{
    if (data->range || !largest || largest > HALF) return 0;
    return meta_fail(error,
                     "the largest of its 16-bit values is %d: %s needs range=%d if that is white, "
                     "or range=%d if the image is as dark as that",
                     largest, data->path, likely_white(largest), META_WHITE);
}

void meta_depth_text(char *text, const struct meta_depth *d, const struct meta_data *data)
{
    int n = snprintf(text, META_DEPTH_TEXT, "%d 16-bit file%s, largest value %d, white is %d",
                     d->files, meta_plural(d->files), d->largest,
                     data->range ? data->range : META_WHITE);
    if (d->dark && !data->range)
        snprintf(text + n, META_DEPTH_TEXT - n, "; %d of them %s dark, %d at most", d->dark,
                 d->dark == 1 ? "is" : "are", d->dark_largest);
}
