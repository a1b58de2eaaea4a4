/* Options of other Darknets that change training alone, so that a network may be used without
   them. */
#include "training_keys.h"
#include "base/c_locale.h"

#include <stdlib.h>
#include <string.h>

#include "sections.h"

static const struct {
    const char *section, *key;
    double off; /* the value that changes nothing */
} keys[] = {
    { "net", "blur", 0 },           { "net", "cutmix", 0 },
    { "net", "gaussian_noise", 0 }, { "net", "label_smooth_eps", 0 },
    { "net", "mixup", 0 },          { "net", "mosaic", 0 },
    { "crop", "angle", 0 },         { "crop", "exposure", 1 },
    { "crop", "saturation", 1 },    { "crop", "shift", 0 },
};

/* The row of the option, or -1. */
static int find(const char *section, const char *key)
{
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (!strcmp(keys[i].section, section) && !strcmp(keys[i].key, key)) return (int)i;
    return -1;
}

static int is_off(const char *value, double off)
{
    char *end;
    locale_t before = meta_c_locale_begin();
    double number = strtod(value, &end);
    meta_c_locale_end(before);
    return !*end && number == off;
}

int meta_training_keys_drop(struct meta_section *s, const char *path, enum meta_purpose purpose,
                            struct meta_error *error)
{
    const struct meta_section_type *type = meta_section_find(s->name);
    int kept = 0;
    for (int i = 0; type && purpose != META_FOR_ANY && i < s->count; i++) {
        const struct meta_pair *pair = &s->pairs[i];
        int row = find(type->name, pair->key);
        if (row >= 0 && !is_off(pair->value, keys[row].off))
            return meta_fail(error,
                             "%s:%d: [%s] %s=%.50s: another Darknet's way to train: must be %g, or "
                             "left out",
                             path, pair->line, s->name, pair->key, pair->value, keys[row].off);
    }
    for (int i = 0; i < s->count; i++) {
        struct meta_pair pair = s->pairs[i];
        if (!type || find(type->name, pair.key) < 0) {
            s->pairs[kept++] = pair;
            continue;
        }
        free(pair.key);
        free(pair.value);
    }
    s->count = kept;
    return 0;
}
