/* Options by table: what is stored, and the exact words of every refusal. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "config/options.h"

struct settings { int shots, large, type, only; double rate, any; char *text; struct meta_list steps, scales; };

#define OF(field) offsetof(struct settings, field)
static const struct meta_option table[] = {
    { "shots", META_INT, 5, 1, 1000, NULL, OF(shots), "" },
    { "large", META_INT, 7, 0, INT_MAX, NULL, OF(large), "" },
    { "only", META_INT, 0, 0, 0, NULL, OF(only), "" },
    { "type", META_CHOICE, 1, 0, 0, "difficulty|mean", OF(type), "" },
    { "rate", META_REAL, .01, 0, 10, NULL, OF(rate), "" },
    { "any", META_REAL, 0, -1, INFINITY, NULL, OF(any), "" },
    { "text", META_TEXT, 0, 0, 0, NULL, OF(text), "" },
    { "steps", META_INTS, 0, -5, 100, NULL, OF(steps), "" },
    { "scales", META_REALS, 0, 0, 1.5, NULL, OF(scales), "" },
    { NULL, META_INT, 0, 0, 0, NULL, 0, NULL }
};
static struct meta_error error;
static struct settings s;

/* Parses pairs as lines 41, 42...; 0 or -1. What is stored is cleared by the next call. */
static int parse(const char *name, int count, const char *pairs[][2])
{
    struct meta_pair list[8];
    for (int i = 0; i < count; i++) list[i] = (struct meta_pair){ (char *)pairs[i][0], (char *)pairs[i][1], 41 + i };
    struct meta_section section = { (char *)name, 40, count, list };
    meta_options_clear(table, &s);
    memset(&s, 0, sizeof s);
    return meta_options_parse(table, &section, "x.cfg", &s, &error);
}

static int parse_one(const char *key, const char *value)
{
    const char *pairs[][2] = { { key, value } };
    return parse("episode", 1, pairs);
}

static void refuses(const char *key, const char *value, const char *expected)
{
    char full[500];
    assert_int_equal(parse_one(key, value), -1);
    snprintf(full, sizeof full, "x.cfg:41: [episode] %s", expected);
    assert_string_equal(error.text, full);
}

static void defaults(void **state)
{
    assert_int_equal(parse("episode", 0, NULL), 0);
    assert_int_equal(s.shots, 5);
    assert_int_equal(s.large, 7);
    assert_int_equal(s.type, 1);
    assert_true(s.rate == .01);
    assert_null(s.text);
    assert_int_equal(s.steps.count, 0);
}

static void values(void **state)
{
    const char *pairs[][2] = { { "shots", "1000" }, { "type", "difficulty" }, { "rate", "1e-3" }, { "any", "1e300" }, { "text", "a b" },
                               { "steps", "-5,0,+100" }, { "scales", ".1,1.5" }, { "large", "2147483647" } };
    assert_int_equal(parse("episode", 8, pairs), 0);
    assert_int_equal(s.shots, 1000);
    assert_int_equal(s.large, INT_MAX);
    assert_int_equal(s.type, 0);
    assert_true(s.rate == 1e-3 && s.any == 1e300);
    assert_string_equal(s.text, "a b");
    assert_int_equal(s.steps.count, 3);
    assert_true(s.steps.values[0] == -5 && s.steps.values[1] == 0 && s.steps.values[2] == 100);
    assert_int_equal(s.scales.count, 2);
    assert_true(s.scales.values[0] == .1 && s.scales.values[1] == 1.5);
}

static void whole_numbers(void **state)
{
    refuses("shots", "0", "shots=0: must be 1 to 1000");
    refuses("shots", "1001", "shots=1001: must be 1 to 1000");
    refuses("shots", "-3", "shots=-3: must be 1 to 1000");
    refuses("shots", "4294967297", "shots=4294967297: must be 1 to 1000");
    refuses("shots", "99999999999999999999", "shots=99999999999999999999: must be 1 to 1000");
    const char *malformed[] = { "5x", "x", "5.0", "5.5", "1e2", "0x5", "5 ", "--5", "nan", "inf", "" };
    for (size_t i = 0; i < sizeof malformed / sizeof *malformed; i++) {
        char expected[100];
        snprintf(expected, sizeof expected, "shots=%s: must be a whole number, 1 to 1000", malformed[i]);
        refuses("shots", malformed[i], expected);
    }
    refuses("large", "2147483648", "large=2147483648: must be 0 to 2147483647");
    refuses("only", "1", "only=1: must be 0");
}

static void numbers(void **state)
{
    refuses("rate", "10.01", "rate=10.01: must be 0 to 10");
    refuses("rate", "-1e-9", "rate=-1e-9: must be 0 to 10");
    refuses("any", "-1.5", "any=-1.5: must be at least -1");
    const char *malformed[] = { "1x", "nan", "inf", "-inf", "infinity", "1e400", "0x1p3", "1,5", ".", "e5", "1e" };
    for (size_t i = 0; i < sizeof malformed / sizeof *malformed; i++) {
        char expected[100];
        snprintf(expected, sizeof expected, "rate=%s: must be a number, 0 to 10", malformed[i]);
        refuses("rate", malformed[i], expected);
    }
    assert_int_equal(parse_one("rate", "1e-400"), 0);
    assert_true(s.rate == 0);
}

static void choices(void **state)
{
    refuses("type", "men", "type=men: must be difficulty or mean");
    refuses("type", "mea", "type=mea: must be difficulty or mean");
    refuses("type", "means", "type=means: must be difficulty or mean");
    refuses("type", "difficulty|mean", "type=difficulty|mean: must be difficulty or mean");
    refuses("type", "1", "type=1: must be difficulty or mean");
}

static void lists(void **state)
{
    refuses("steps", "1,101", "steps=1,101: must be whole numbers, -5 to 100, separated by commas");
    refuses("steps", "1,", "steps=1,: must be whole numbers, -5 to 100, separated by commas");
    refuses("steps", ",1", "steps=,1: must be whole numbers, -5 to 100, separated by commas");
    refuses("steps", "1.5", "steps=1.5: must be whole numbers, -5 to 100, separated by commas");
    refuses("scales", "1,,1", "scales=1,,1: must be numbers, 0 to 1.5, separated by commas");
    refuses("scales", "1,nan", "scales=1,nan: must be numbers, 0 to 1.5, separated by commas");
}

static void unknown_and_repeated(void **state)
{
    refuses("shot", "5", "shot: unknown option; allowed: shots large type rate any text steps scales");
    refuses("Shots", "5", "Shots: unknown option; allowed: shots large type rate any text steps scales");
    const char *pairs[][2] = { { "shots", "1" }, { "text", "a" }, { "shots", "1" } };
    assert_int_equal(parse("episode", 3, pairs), -1);
    assert_string_equal(error.text, "x.cfg:43: [episode] shots: repeated; first on line 41");
    const char *texts[][2] = { { "text", "a" }, { "text", "b" } };
    assert_int_equal(parse("episode", 2, texts), -1);
    assert_string_equal(error.text, "x.cfg:42: [episode] text: repeated; first on line 41");
}

/* A .data file has no section names. */
static void without_section(void **state)
{
    const char *pairs[][2] = { { "shots", "0" } }, *unknown[][2] = { { "x", "0" } };
    assert_int_equal(parse("", 1, pairs), -1);
    assert_string_equal(error.text, "x.cfg:41: shots=0: must be 1 to 1000");
    assert_int_equal(parse("", 1, unknown), -1);
    assert_string_equal(error.text, "x.cfg:41: x: unknown option; allowed: shots large type rate any text steps scales");
}

/* Long and unprintable text is cut and masked: one line, whatever the file holds. */
static void hostile_text(void **state)
{
    char value[100001];
    memset(value, '9', sizeof value - 1);
    value[sizeof value - 1] = 0;
    refuses("shots", value, "shots=99999999999999999999999999999999999999999999999999...: must be 1 to 1000");
    refuses("steps", value, "steps=99999999999999999999999999999999999999999999999999...: must be whole numbers, -5 to 100, separated by commas");
    refuses("rate", "1\n\x1b[2J", "rate=1??[2J: must be a number, 0 to 10");
    memset(value, 'k', sizeof value - 1);
    refuses(value, "1", "kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk: unknown option; allowed: shots large type rate any text steps scales");
}

static int clear(void **state)
{
    meta_options_clear(table, &s);
    assert_null(s.text);
    assert_null(s.steps.values);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults), cmocka_unit_test(values), cmocka_unit_test(whole_numbers), cmocka_unit_test(numbers),
        cmocka_unit_test(choices), cmocka_unit_test(lists), cmocka_unit_test(unknown_and_repeated), cmocka_unit_test(without_section),
        cmocka_unit_test(hostile_text),
    };
    return cmocka_run_group_tests(tests, NULL, clear);
}
