/* Members of JSON objects in tests: a missing or wrong one fails the test. Include cmocka before. */
#ifndef TESTS_JSON_MEMBERS_H
#define TESTS_JSON_MEMBERS_H

#include <float.h>
#include <math.h>
#include <string.h>
#include "base/json.h"

static const cJSON *member(const cJSON *object, const char *name)
{
    const cJSON *j = cJSON_GetObjectItemCaseSensitive(object, name);
    if (!j) fail_msg("no %s", name);
    return j;
}

static void assert_text(const cJSON *object, const char *name, const char *text)
{
    assert_string_equal(cJSON_GetStringValue(member(object, name)), text);
}

/* cJSON writes 15 digits where these are the number but for DBL_EPSILON of it. */
static void assert_number(const cJSON *object, const char *name, double value)
{
    const cJSON *j = member(object, name);
    if (isnan(value)) assert_true(cJSON_IsNull(j));
    else if (!cJSON_IsNumber(j) || !(fabs(j->valuedouble - value) <= DBL_EPSILON * fabs(value)))
        fail_msg("%s is %.17g, not %.17g", name, j->valuedouble, value);
}

/* Names of all members, in order. */
static void assert_members(const cJSON *object, const char *expected)
{
    char text[400] = "";
    for (const cJSON *j = object->child; j; j = j->next) {
        if (*text) strcat(text, " ");
        strcat(text, j->string);
    }
    assert_string_equal(text, expected);
}

#endif
