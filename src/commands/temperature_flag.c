/* Finds out which temperature a command's answers have. */
#include "temperature_flag.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int meta_temperature_wish(struct meta_temperature_wish *w, const char *value, const char *weights,
                          const struct meta_temperature_use *use, struct meta_error *error)
{
    struct meta_temperatures t;
    int wanted = value && !strcmp(value, "on");
    if (value && !wanted && strcmp(value, "off"))
        return meta_fail(error, "-temperature %.60s: must be on or off", value);
    if (value && !wanted) return 0;
    if (meta_temperatures_find(&t, weights, error)) return -1;
    if (!t.count && !wanted) return 0;
    if (!(w->path = meta_temperatures_path(weights, error))) return -1;
    if (!t.count)
        return meta_fail(error, "-temperature on: there is no %s: `meta calibrate` makes it",
                         w->path);
    w->temperature = meta_temperatures_choose(&t, use, w->why, sizeof w->why);
    if (w->temperature == 0 && wanted)
        return meta_fail(error, "-temperature on: %s is of %s", w->path, w->why);
    return 0;
}

void meta_temperature_wish_clear(struct meta_temperature_wish *w)
{
    free(w->path);
    *w = (struct meta_temperature_wish){ 0 };
}

void meta_temperature_tell(const struct meta_temperature_wish *w)
{
    if (*w->why) printf("%s is not taken: it is of %s\n", w->path, w->why);
}
