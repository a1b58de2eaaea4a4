/* Writes what of a .cfg decides how a task is learned: settings of temperatures. */
#include "inner_text.h"

#include <stdio.h>
#include <string.h>

#include "base/c_locale.h"
#include "base/checksum.h"
#include "base/number_text.h"

/* Text that is kept as far as there is room, and the check sum of all of it. */
struct line {
    char *text;
    size_t used, room;
    uint32_t sum;
};

static void add(struct line *l, const char *text)
{
    size_t n = strlen(text);
    l->sum = meta_checksum_add(l->sum, text, n);
    if (l->used + n < l->room) memcpy(l->text + l->used, text, n + 1);
    l->used += n;
}

static void add_number(struct line *l, double value)
{
    char text[META_NUMBER_TEXT];
    add(l, meta_number_text(value, text));
}

static void add_list(struct line *l, const struct meta_list *list)
{
    for (int i = 0; i < list->count; i++) {
        if (i) add(l, ",");
        add_number(l, list->values[i]);
    }
}

static void add_choice(struct line *l, const char *choices, int place)
{
    char word[64];
    while (place-- && strchr(choices, '|')) choices = strchr(choices, '|') + 1;
    snprintf(word, sizeof word, "%.*s", (int)strcspn(choices, "|"), choices);
    add(l, word);
}

static int is_default(const struct meta_option *o, const void *field)
{
    switch (o->type) {
    case META_INT:
    case META_CHOICE: return *(const int *)field == (int)o->fallback;
    case META_REAL: return *(const double *)field == o->fallback;
    case META_TEXT: return !*(char *const *)field;
    case META_INTS:
    case META_REALS: return !((const struct meta_list *)field)->count;
    }
    return 1;
}

static void add_option(struct line *l, const struct meta_option *o, const void *field)
{
    if (is_default(o, field)) return;
    add(l, " ");
    add(l, o->name);
    add(l, "=");
    if (o->type == META_INT) add_number(l, *(const int *)field);
    else if (o->type == META_REAL) add_number(l, *(const double *)field);
    else if (o->type == META_CHOICE) add_choice(l, o->choices, *(const int *)field);
    else if (o->type == META_TEXT) add(l, *(char *const *)field);
    else add_list(l, field);
}

/* Of the settings that all inner loops begin with: those of training alone, and those that are
   compared as they are in use. */
static int is_left_out(size_t offset)
{
    static const size_t fields[] = { offsetof(struct meta_inner_settings, steps),
                                     offsetof(struct meta_inner_settings, test_steps),
                                     offsetof(struct meta_inner_settings, learning_rate),
                                     offsetof(struct meta_inner_settings, order),
                                     offsetof(struct meta_inner_settings, second_order_start),
                                     offsetof(struct meta_inner_settings, keep),
                                     offsetof(struct meta_inner_settings, multi_step) };
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        if (offset == fields[i]) return 1;
    return 0;
}

void meta_inner_text(char text[META_TEMPERATURE_INNER], const struct meta_model *model)
{
    const struct meta_plugin *plugin = model->inner->plugin;
    const struct meta_shape in = model->network->input;
    char images[64], options[META_TEMPERATURE_INNER - sizeof images - 48] = "";
    struct line l = { .text = options, .room = sizeof options };
    locale_t before = meta_c_locale_begin();
    for (const struct meta_option *o = plugin->options; o && o->name; o++)
        if (!is_left_out(o->offset))
            add_option(&l, o, (const char *)model->inner->settings + o->offset);
    meta_c_locale_end(before);
    if (l.used >= l.room) snprintf(options, sizeof options, " options of crc32 %08x", l.sum);
    snprintf(images, sizeof images, "%dx%dx%d", in.w, in.h, in.c);
    snprintf(text, META_TEMPERATURE_INNER, "[%.32s]%s on images of %s", plugin->name, options,
             images);
}
