#include "usage.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "flags.h"
#include "config/plugins.h"
#include "config/sections.h"

const struct meta_verb meta_verbs[] = {
    { "train", "DATA CFG [WEIGHTS]", "meta-trains on the train list of DATA", meta_command_train },
    { "pretrain", "DATA CFG [WEIGHTS]", "trains a classifier of the train list's classes, as Darknet does", meta_command_pretrain },
    { "test", "DATA CFG WEIGHTS", "adapts to rare classes from few images of the test list: AUC", meta_command_test },
    { "adapt", "DATA CFG WEIGHTS -out NAME", "adapts to the few labelled images of DATA's train list: a .cfg and .weights for any Darknet", meta_command_adapt },
    { "predict", "CFG WEIGHTS DATA IMAGE|LIST|FOLDER...", "class probabilities of images, and where in them they come from", meta_command_predict },
    { "compare", "A.json B.json", "pairs two results of test, task by task", meta_command_compare },
    { "table", "FILE -out DIR", "trains and tests what a table of results lacks", meta_command_table },
    { "report", "DIR [-out FILE.html|-markdown]", "makes a page, or Markdown, of what table left in DIR", meta_command_report },
    { "grad", "DATA CFG WEIGHTS -episode FILE -out FILE", "writes the meta-gradient of one task", meta_command_grad },
    { "check", "CFG", "checks every derivative of a network on random data", meta_command_check },
    { "bench", "CFG", "measures speed and memory against the machine's peak and the stock library", meta_command_bench },
    { "doctor", "DATA CFG", "looks at everything a run needs: what is wrong, how to mend it, memory and hours", meta_command_doctor },
    { "help", "[SECTION]...", "prints the options of the .cfg's sections", meta_command_help },
    { NULL, NULL, NULL, NULL }
};

void meta_print_verbs(void)
{
    printf("usage: darknet meta VERB ...\n\n");
    for (const struct meta_verb *v = meta_verbs; v->name; v++) {
        int n = printf("    %s %s", v->name, v->arguments);
        printf("%*s%s\n", n < 52 ? 52 - n : 2, "", v->summary);
    }
    printf("\n    darknet meta VERB -h    the flags of one\n");
}

/* ---- options ----------------------------------------------------------------------------------- */

static const char *type_name(enum meta_option_type type)
{
    static const char *names[] = { [META_INT] = "whole", [META_REAL] = "number", [META_CHOICE] = "choice", [META_TEXT] = "text",
                                   [META_INTS] = "wholes", [META_REALS] = "numbers" };
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
    } else if (number && o->fallback >= o->least && o->fallback <= o->most) print_number(o->fallback);
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

/* Of Darknet's keys, those that may be there with one value only. */
static int fixed(const struct meta_option *o)
{
    return (o->type == META_INT || o->type == META_REAL) && o->least == o->most;
}

static void print_section(const char *name, const char *alias, const char *summary, const struct meta_option *options, int all)
{
    int count = 0, fixed_count = 0;
    printf("[%s]", name);
    if (alias) printf(" or [%s]", alias);
    printf("  %s\n", summary);
    for (const struct meta_option *o = options; o->name; o++) {
        if (fixed(o)) { fixed_count += all; continue; }
        if (!count++) printf("    %-15s  %-7s  %10s  %10s  %10s\n", "option", "type", "default", "least", "most");
        print_option(o);
    }
    if (fixed_count) printf("    supported at one value only:");
    for (const struct meta_option *o = options; o->name && fixed_count; o++)
        if (fixed(o)) printf(" %s=%.0f", o->name, o->least);
    puts(fixed_count ? "\n" : "");
}

/* ---- help -------------------------------------------------------------------------------------- */

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

/* By its own name; an alias becomes that. */
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
    int count = meta_flags_parse(argc, argv, NULL, 0, 0, INT_MAX, "help [SECTION]...");
    const struct meta_plugins *plugins = meta_plugins_load(&error);
    if (!plugins) return meta_complain(&error);
    for (int i = 0; i < count; i++)
        if (find_section(plugins, &argv[i])) {
            meta_fail(&error, "help %.60s: is not a section of a .cfg that is meta-trained; darknet meta help lists them", argv[i]);
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
    if (!count) puts("darknet meta help SECTION also tells which of Darknet's keys are supported at one value only.");
    return 0;
}
