/* Checks the tables of a plugin: its symbol, its name, its options and the functions of its role.
 */
#define _GNU_SOURCE
#include "plugin_table.h"

#include <dlfcn.h>
#include <limits.h>
#include <link.h>
#include <math.h>
#include <string.h>

#include "sections.h"

#define LETTERS "abcdefghijklmnopqrstuvwxyz"

/* Most bytes of the settings and rows of the table: a table without its last row ends nowhere. */
enum { MOST_SETTINGS = 1 << 20, MOST_OPTIONS = 256, MOST_NAME = 64, MOST_TEXT = 1000 };

/* ---- texts ----------------------------------------------------------------------------------- */

/* Whether the text ends within `most` bytes and has no control character. */
static int is_line(const char *text, size_t most)
{
    size_t n = strnlen(text, most + 1);
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)text[i] < 32 || text[i] == 127) return 0;
    return n <= most;
}

static int is_word(const char *text, const char *letters)
{
    return strnlen(text, MOST_NAME + 1) <= MOST_NAME && *text && !text[strspn(text, letters)];
}

static int check_texts(const char *path, const struct meta_plugin *p, struct meta_error *error)
{
    if (!p->name || !is_word(p->name, LETTERS "0123456789_-"))
        return meta_fail(error,
                         "%s: the plugin's name is not one: must be lower-case letters, digits, _ "
                         "and -",
                         path);
    if (meta_section_find(p->name))
        return meta_fail(error,
                         "%s: [%s] is a section of Darknet's own: a plugin needs another name",
                         path, p->name);
    if (p->summary && !is_line(p->summary, MOST_TEXT))
        return meta_fail(error, "%s: plugin [%s]: its summary must be one line of at most %d bytes",
                         path, p->name, MOST_TEXT);
    return 0;
}

/* ---- options --------------------------------------------------------------------------------- */

/* What an option of each type takes of the settings. */
static const struct {
    size_t bytes, alignment;
} fields[] = { [META_INT] = { sizeof(int), _Alignof(int) },
               [META_REAL] = { sizeof(double), _Alignof(double) },
               [META_CHOICE] = { sizeof(int), _Alignof(int) },
               [META_TEXT] = { sizeof(char *), _Alignof(char *) },
               [META_INTS] = { sizeof(struct meta_list), _Alignof(struct meta_list) },
               [META_REALS] = { sizeof(struct meta_list), _Alignof(struct meta_list) } };

/* Counts the words of "a|b|c"; 0 where one is missing or is no word. */
static int count_choices(const char *choices)
{
    int count = 0;
    if (strpbrk(choices, " #;")) return 0; /* No .cfg could name that one. */
    for (;; choices++) {
        size_t n = strcspn(choices, "|");
        if (!n) return 0;
        count++;
        choices += n;
        if (!*choices) return count;
    }
}

static int fits_int(double x) { return x >= INT_MIN && x <= INT_MAX; }

/* What is wrong with the numbers of an option; NULL: nothing. A default out of bounds means one
   that the plugin's check works out. */
static const char *wrong_numbers(const struct meta_plugin *p, const struct meta_option *o)
{
    int one = o->type == META_INT || o->type == META_REAL;
    if (o->type == META_TEXT) return NULL;
    if (o->type == META_CHOICE) {
        int count = o->choices && is_line(o->choices, MOST_TEXT) ? count_choices(o->choices) : 0;
        if (!count) return "its choices must be words with | between them";
        if (!(o->fallback >= 0 && o->fallback < count)) return "its default is none of its choices";
        return NULL;
    }
    if (!(o->least <= o->most)) return "its least value is above its most";
    if (!one) return NULL;
    if (o->type == META_INT
        && (!fits_int(o->least) || !fits_int(o->most) || !fits_int(o->fallback)))
        return "its default and bounds must be numbers of an int";
    if (isnan(o->fallback)) return "its default is not a number";
    if (!p->check && (o->fallback < o->least || o->fallback > o->most))
        return "its default is out of its bounds, and the plugin has no check to replace it";
    return NULL;
}

/* What is wrong with the place of an option in the settings; NULL: nothing. */
static const char *wrong_place(const struct meta_plugin *p, const struct meta_option *o)
{
    size_t bytes = fields[o->type].bytes;
    if (bytes > p->settings_size || o->offset > p->settings_size - bytes)
        return "it lies outside its settings";
    if (o->offset % fields[o->type].alignment) return "its place in the settings is not aligned";
    for (const struct meta_option *before = p->options; before < o; before++) {
        if (!strcmp(before->name, o->name)) return "another option has the same name";
        if (o->offset < before->offset + fields[before->type].bytes
            && before->offset < o->offset + bytes)
            return "another option lies in the same place of the settings";
    }
    return NULL;
}

static const char *wrong_option(const struct meta_plugin *p, const struct meta_option *o)
{
    const char *wrong;
    if ((unsigned)o->type > META_REALS) return "its type is unknown";
    if (!o->help || !is_line(o->help, MOST_TEXT)) return "its help must be one line";
    if ((wrong = wrong_place(p, o))) return wrong;
    return wrong_numbers(p, o);
}

static int check_options(const char *path, const struct meta_plugin *p, struct meta_error *error)
{
    int row = 0;
    if (p->settings_size > MOST_SETTINGS)
        return meta_fail(error, "%s: plugin [%s]: settings of %zu bytes: must be at most %d", path,
                         p->name, p->settings_size, MOST_SETTINGS);
    if (!p->options)
        return meta_fail(error, "%s: plugin [%s] has no table of options", path, p->name);
    for (const struct meta_option *o = p->options; o->name; o++, row++) {
        const char *wrong;
        if (row == MOST_OPTIONS)
            return meta_fail(error,
                             "%s: plugin [%s]: its table of options has no end: must be at most %d "
                             "rows and one whose name is NULL",
                             path, p->name, MOST_OPTIONS);
        if (!is_word(o->name, LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-"))
            return meta_fail(error,
                             "%s: plugin [%s]: the name of option %d is not one: must be letters, "
                             "digits, _ . and -",
                             path, p->name, row + 1);
        if ((wrong = wrong_option(p, o)))
            return meta_fail(error, "%s: plugin [%s]: option %s: %s", path, p->name, o->name,
                             wrong);
    }
    return 0;
}

/* ---- functions ------------------------------------------------------------------------------- */

static int check_role(const char *path, const struct meta_plugin *p, struct meta_error *error)
{
    const char *missing = NULL;
    switch (p->role) {
    case META_ROLE_LAYER:
        if (!p->layer || !p->layer->forward || !p->layer->backward)
            missing = "forward and backward";
        else if (!p->layer->forward_tangent != !p->layer->backward_tangent)
            missing = "both tangents or neither";
        else if ((unsigned)p->layer->reach > META_REACH_IMAGE)
            missing = "a reach that this program knows";
        break;
    case META_ROLE_EPISODE:
        if (p->settings_size < sizeof(struct meta_episode_settings))
            missing = "settings that begin with struct meta_episode_settings";
        break;
    case META_ROLE_INNER_LOOP:
        if (p->settings_size < sizeof(struct meta_inner_settings))
            missing = "settings that begin with struct meta_inner_settings";
        else if (p->inner && (!p->inner->step || !p->inner->back)) missing = "step and back";
        break;
    case META_ROLE_META_LOSS:
        if (!p->loss || !p->loss->value || !p->loss->weight) missing = "value and weight";
        break;
    case META_ROLE_PAIRING:
        if (!p->pairing || !p->pairing->shape || !p->pairing->forward || !p->pairing->backward)
            missing = "shape, forward and backward";
        break;
    default:
        return meta_fail(error, "%s: plugin [%s] has role %d: this program knows 0 to %d", path,
                         p->name, p->role, META_ROLE_PAIRING);
    }
    if (missing) return meta_fail(error, "%s: plugin [%s] must have %s", path, p->name, missing);
    return 0;
}

/* ---- the whole ------------------------------------------------------------------------------- */

/* A symbol of that name may be anything: a function, or a struct of another size. */
static int check_symbol(const char *path, const struct meta_plugin *p, struct meta_error *error)
{
    Dl_info info;
    const ElfW(Sym) *symbol = NULL;
    if (!dladdr1(p, &info, (void **)&symbol, RTLD_DL_SYMENT) || !symbol
        || ELF64_ST_TYPE(symbol->st_info) != STT_OBJECT || symbol->st_size < sizeof p->abi)
        return meta_fail(error,
                         "%s: is not a plugin: its " META_PLUGIN_SYMBOL " is not a struct "
                         "meta_plugin",
                         path);
    if (p->abi != META_PLUGIN_ABI)
        return meta_fail(error, "%s: plugin ABI %d: this program speaks %d", path, p->abi,
                         META_PLUGIN_ABI);
    size_t size = symbol->st_size < sizeof *p ? symbol->st_size : p->size;
    if (size != sizeof *p)
        return meta_fail(error, "%s: struct meta_plugin of %zu bytes: this program's has %zu", path,
                         size, sizeof *p);
    return 0;
}

int meta_plugin_table_check(const char *path, const struct meta_plugin *plugin,
                            struct meta_error *error)
{
    return check_symbol(path, plugin, error) || check_texts(path, plugin, error)
            || check_options(path, plugin, error) || check_role(path, plugin, error)
        ? -1
        : 0;
}
