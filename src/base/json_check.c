/* Holds the members of a file of JSON to rules. */
#include "json_check.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "digest.h"

/* The rule that is being followed, and the place that it has led to. */
struct walk {
    const struct meta_json_rule *rule;
    const char *path;
    char place[200]; /* "tasks[3].auc_after"; what is too long for it is cut */
    struct meta_error *error;
};

static int follow(struct walk *w, const cJSON *item, const char *rest, size_t used);

/* ---- messages -------------------------------------------------------------------------------- */

static void print_bounds(char text[80], double least, double most)
{
    if (isinf(least) && isinf(most)) *text = 0;
    else if (least == most) snprintf(text, 80, ", %.17g", least);
    else if (isinf(most)) snprintf(text, 80, ", at least %.17g", least);
    else snprintf(text, 80, ", %.17g to %.17g", least, most);
}

static void print_rule(char text[120], const struct meta_json_rule *r)
{
    static const char *const kinds[] = { [META_JSON_TEXT] = "a text",
                                         [META_JSON_DIGEST] = "a text of 32 hexadecimal digits",
                                         [META_JSON_NUMBER] = "a number",
                                         [META_JSON_WHOLE] = "a whole number" };
    char bounds[80] = "";
    if (r->kind == META_JSON_NUMBER || r->kind == META_JSON_WHOLE)
        print_bounds(bounds, r->least, r->most);
    snprintf(text, 120, "%s%s%s", kinds[r->kind], bounds,
             r->flags & META_JSON_OR_NULL ? ", or null" : "");
}

static void print_value(char text[64], const cJSON *item)
{
    if (cJSON_IsNumber(item)) snprintf(text, 64, "%.17g", item->valuedouble);
    else if (cJSON_IsString(item))
        snprintf(text, 64, strlen(item->valuestring) > 40 ? "\"%.40s...\"" : "\"%s\"",
                 item->valuestring);
    else if (cJSON_IsBool(item)) snprintf(text, 64, cJSON_IsTrue(item) ? "true" : "false");
    else
        snprintf(text, 64, "%s",
                 cJSON_IsObject(item)      ? "an object"
                     : cJSON_IsArray(item) ? "an array"
                                           : "null");
}

static int fail_value(const struct walk *w, const cJSON *item, const char *allowed)
{
    char value[64], rule[120];
    print_value(value, item);
    print_rule(rule, w->rule);
    return meta_fail(w->error, "%s: %s is %s: must be %s", w->path,
                     *w->place ? w->place : "the whole", value, allowed ? allowed : rule);
}

static int fail_missing(const struct walk *w)
{
    char rule[120];
    print_rule(rule, w->rule);
    return meta_fail(w->error, "%s: %s is missing: must be %s", w->path, w->place, rule);
}

/* ---- values ---------------------------------------------------------------------------------- */

static int check_value(const struct walk *w, const cJSON *item)
{
    const struct meta_json_rule *r = w->rule;
    struct meta_digest digest;
    double x = item->valuedouble;
    int right = cJSON_IsNull(item) && r->flags & META_JSON_OR_NULL;
    if (cJSON_IsString(item))
        right = r->kind == META_JSON_TEXT
            || (r->kind == META_JSON_DIGEST && !meta_digest_parse(&digest, item->valuestring));
    if (cJSON_IsNumber(item) && isfinite(x) && x >= r->least && x <= r->most)
        right = r->kind == META_JSON_NUMBER || (r->kind == META_JSON_WHOLE && x == rint(x));
    return right ? 0 : fail_value(w, item, NULL);
}

static int follow_items(struct walk *w, const cJSON *array, const char *rest, size_t used)
{
    const cJSON *item;
    int i = 0;
    if (!cJSON_IsArray(array)) return fail_value(w, array, "an array");
    cJSON_ArrayForEach(item, array)
    {
        int n = snprintf(w->place + used, sizeof w->place - used, "[%d]", i++);
        if (follow(w, item, rest, used + (size_t)n)) return -1;
    }
    return 0;
}

/* name: `length` bytes, with a star at its end where every name is meant that begins like it. */
static int follow_members(struct walk *w, const cJSON *object, const char *name, size_t length,
                          size_t used)
{
    const cJSON *item;
    int found = 0;
    size_t many = name[length - 1] == '*';
    const char *dot = used ? "." : "";
    if (!cJSON_IsObject(object)) return fail_value(w, object, "an object");
    cJSON_ArrayForEach(item, object)
    {
        if (!item->string || strncmp(item->string, name, length - many)
            || (!many && item->string[length]))
            continue;
        int n = snprintf(w->place + used, sizeof w->place - used, "%s%s", dot, item->string);
        if (follow(w, item, name + length, used + (size_t)n)) return -1;
        found = 1;
        if (!many) break; /* a name that is there twice is read once: the first */
    }
    if (found || many || name[length] || !(w->rule->flags & META_JSON_NEEDED)) return 0;
    snprintf(w->place + used, sizeof w->place - used, "%s%.*s", dot, (int)length, name);
    return fail_missing(w);
}

/* Follows what is left of the rule from `item`, whose place takes the first `used` bytes. */
static int follow(struct walk *w, const cJSON *item, const char *rest, size_t used)
{
    if (used >= sizeof w->place) used = sizeof w->place - 1;
    w->place[used] = 0;
    if (!*rest) return check_value(w, item);
    if (*rest == '[') return follow_items(w, item, rest + 2, used);
    rest += *rest == '.';
    return follow_members(w, item, rest, strcspn(rest, ".["), used);
}

int meta_json_check(const cJSON *root, const char *path, const struct meta_json_rule *rules,
                    struct meta_error *error)
{
    struct walk w = { .path = path, .error = error };
    for (w.rule = rules; w.rule->where; w.rule++)
        if (follow(&w, root, w.rule->where, 0)) return -1;
    return 0;
}

int meta_json_read_checked(cJSON **root, const char *path, const struct meta_json_rule *rules,
                           struct meta_error *error)
{
    if (meta_json_read(root, path, error)) return -1;
    if (!meta_json_check(*root, path, rules, error)) return 0;
    cJSON_Delete(*root);
    *root = NULL;
    return -1;
}
