/* darknet meta help: prints the sections of a .cfg with their options. */
#include "config/plugins.h"
#include "config/sections.h"
#include "flags.h"
#include "usage.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static const char *type_name(enum meta_option_type type)
{
    static const char *names[] = {
        [META_INT] = "whole", [META_REAL] = "number", [META_CHOICE] = "choice",
        [META_TEXT] = "text", [META_INTS] = "wholes", [META_REALS] = "numbers"
    };
    return names[type];
}

static void print_number(double value)
{
    char text[32];
    if (isinf(value) || fabs(value) >= INT_MAX) snprintf(text, sizeof text, "-");
    else snprintf(text, sizeof text, value == rint(value) ? "%.0f" : "%g", value);
    printf("  %10s", text);
}

static void print_option(const struct meta_option *o)
{
    const char *choice = o->choices;
    int number = o->type == META_INT || o->type == META_REAL;
    printf("    %-15s  %-7s", o->name, type_name(o->type));
    if (o->type == META_CHOICE) {
        for (int i = 0; i < (int)o->fallback; i++) choice += strcspn(choice, "|") + 1;
        printf("  %10.*s", (int)strcspn(choice, "|"), choice);
    } else if (number && o->fallback >= o->least && o->fallback <= o->most)
        print_number(o->fallback);
    else printf("  %10s", "-");
    if (o->type == META_CHOICE || o->type == META_TEXT) printf("  %10s  %10s", "", "");
    else {
        print_number(o->least);
        print_number(o->most);
    }
    printf("  %s", o->help);
    if (o->type == META_CHOICE) printf(" (%s)", o->choices);
    putchar('\n');
}

/* Whether an option, one of Darknet's keys, may have one value only. */
static int fixed(const struct meta_option *o)
{
    return (o->type == META_INT || o->type == META_REAL) && o->least == o->most;
}

static void print_section(const char *name, const char *alias, const char *summary,
                          const struct meta_option *options, int all)
{
    int count = 0, fixed_count = 0;
    printf("[%s]", name);
    if (alias) printf(" or [%s]", alias);
    printf("  %s\n", summary);
    for (const struct meta_option *o = options; o->name; o++) {
        if (fixed(o)) {
            fixed_count += all;
            continue;
        }
        if (!count++)
            printf("    %-15s  %-7s  %10s  %10s  %10s\n", "option", "type", "default", "least",
                   "most");
        print_option(o);
    }
    if (fixed_count) printf("    supported at one value only:");
    for (const struct meta_option *o = options; o->name && fixed_count; o++)
        if (fixed(o)) printf(" %s=%.0f", o->name, o->least);
    puts(fixed_count ? "\n" : "");
}

static int wanted(int count, char **names, const char *name)
{
    for (int i = 0; i < count; i++)
        if (!strcmp(names[i], name)) return 1;
    return !count;
}

static const struct meta_option *stock_options(const struct meta_section_type *t)
{
    return t->parser ? t->options : meta_net_table;
}

/* 0 when *name is a section that `help` describes; an alias becomes the section's own name. */
static int find_section(const struct meta_plugins *plugins, char **name)
{
    const struct meta_section_type *t = meta_section_find(*name);
    if (!t) return meta_plugins_find(plugins, *name) ? 0 : -1;
    *name = (char *)t->name;
    return stock_options(t) ? 0 : -1;
}

int meta_command_help(int argc, char **argv)
{
    struct meta_error error;
    const struct meta_syntax syntax = { "help [SECTION]...", 0, INT_MAX, NULL, 0 };
    int count = meta_flags_parse(argc, argv, &syntax);
    const struct meta_plugins *plugins = meta_plugins_load(&error);
    if (!plugins) return meta_complain(&error);
    for (int i = 0; i < count; i++)
        if (find_section(plugins, &argv[i])) {
            meta_fail(&error,
                      "help %.60s: is not a section of a .cfg that is meta-trained; darknet meta "
                      "help lists them",
                      argv[i]);
            return meta_complain(&error);
        }
    for (const struct meta_section_type *t = meta_section_types; t->name; t++)
        if (stock_options(t) && wanted(count, argv, t->name))
            print_section(t->name, t->alias, t->summary, stock_options(t), count);
    for (int i = 0; i < plugins->count; i++) {
        const struct meta_plugin *p = plugins->entries[i].plugin;
        if (!wanted(count, argv, p->name)) continue;
        print_section(p->name, NULL, p->summary ? p->summary : "", p->options, count);
        if (count) printf("    plugin %s\n\n", plugins->entries[i].path);
    }
    if (!count)
        puts("darknet meta help SECTION also tells which of Darknet's keys are supported at one "
             "value only.");
    return 0;
}
