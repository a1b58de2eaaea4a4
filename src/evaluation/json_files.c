/* The rules for the files of JSON that are read back. */
#include "json_files.h"

#include <limits.h>
#include <math.h>

#include "tasks/data_file.h"

#define NONE (-INFINITY), INFINITY
/* clang-format off */
#define TEXT(where) { where, META_JSON_TEXT, NONE, 0 }
#define NUMBER(where, least, most) { where, META_JSON_NUMBER, least, most, META_JSON_OR_NULL }
#define ANY(where) { where, META_JSON_NUMBER, NONE, META_JSON_OR_NULL }
#define WHOLE(where, least, most) { where, META_JSON_WHOLE, least, most, 0 }
#define COUNT(where) WHOLE(where, 0, INT_MAX)
/* A mean of numbers least..most. Student's interval may reach out of them. */
#define ESTIMATE(where, least, most) \
    NUMBER(where ".mean", least, most), NUMBER(where ".standard_error", 0, INFINITY), \
    ANY(where ".low"), ANY(where ".high"), COUNT(where ".tasks")
/* clang-format on */

const struct meta_json_rule meta_result_rules[] = {
    { "program", META_JSON_TEXT, NONE, META_JSON_NEEDED },
    COUNT("format"),
    TEXT("settings.list"),
    TEXT("settings.seed"),
    TEXT("settings.method"),
    COUNT("settings.runs"),
    COUNT("settings.ways"),
    COUNT("settings.shots"),
    COUNT("settings.queries"),
    COUNT("settings.with"),
    NUMBER("settings.temper[]", 0, INFINITY),
    NUMBER("settings.temperature", 0, INFINITY),
    COUNT("diverged"),
    TEXT("files.data.path"),
    TEXT("files.cfg.path"),
    TEXT("files.weights.path"),
    TEXT("files.rates.path"),
    TEXT("files.temperature.path"),
    TEXT("files.list.path"),
    TEXT("classes[]"),
    ESTIMATE("auc_before", 0, 1),
    ESTIMATE("auc_after", 0, 1),
    ESTIMATE("auc_gain", -1, 1),
    ESTIMATE("accuracy_before", 0, 1),
    ESTIMATE("accuracy_after", 0, 1),
    ESTIMATE("query_loss", 0, INFINITY),
    ESTIMATE("nll", 0, INFINITY),
    ESTIMATE("brier", 0, 2),
    ESTIMATE("ece", 0, 1),
    NUMBER("bins[].count", 0, INFINITY),
    NUMBER("bins[].confidence", 0, INFINITY),
    NUMBER("bins[].correct", 0, INFINITY),
    TEXT("pairs[].classes[]"),
    ESTIMATE("pairs[].auc_before", 0, 1),
    ESTIMATE("pairs[].auc_after", 0, 1),
    TEXT("other_groups.redrawn"),
    NUMBER("other_groups.standard_error", 0, INFINITY),
    ANY("other_groups.low"),
    ANY("other_groups.high"),
    TEXT("other_groups.image[]"),
    TEXT("other_groups.xxh3_128[]"),
    WHOLE("other_groups.class[]", 0, META_CLASSES_MOST - 1),
    WHOLE("other_groups.asked[]", 0, 1e15),
    ANY("other_groups.influence[]"),
    ANY("other_groups.parts[][]"),
    COUNT("curve[].epoch"),
    ESTIMATE("curve[].support_loss", 0, INFINITY),
    ESTIMATE("curve[].auc", 0, 1),
    ANY("roc[][]"),
    COUNT("tasks[].run"),
    COUNT("tasks[].classes[]"),
    TEXT("tasks[].images"),
    NUMBER("tasks[].auc_before", 0, 1),
    NUMBER("tasks[].auc_after", 0, 1),
    NUMBER("tasks[].accuracy_before", 0, 1),
    NUMBER("tasks[].accuracy_after", 0, 1),
    NUMBER("tasks[].query_loss", 0, INFINITY),
    NUMBER("tasks[].nll", 0, INFINITY),
    NUMBER("tasks[].brier", 0, 2),
    TEXT("tasks[].ranks"),
    WHOLE("table.id", 0, UINT_MAX),
    TEXT("table.key"),
    TEXT("table.row"),
    TEXT("table.name"),
    TEXT("table.method"),
    TEXT("table.cfg"),
    NUMBER("table.paper", 0, 1),
    NUMBER("table.test_seconds", 0, INFINITY),
    NUMBER("table.test_memory_mb", 0, INFINITY),
    COUNT("table.ensemble[]"),
    TEXT("table.answers"),
    COUNT("table.training.seed"),
    COUNT("table.training.iterations"),
    NUMBER("table.training.seconds", 0, INFINITY),
    NUMBER("table.training.memory_mb", 0, INFINITY),
    ANY("table.training.curve[][]"),
    COUNT("table.difference.format"),
    TEXT("table.difference.reference"),
    WHOLE("table.difference.id", 0, UINT_MAX),
    WHOLE("table.difference.check", 0, UINT_MAX),
    NUMBER("table.difference.mean", -1, 1),
    ANY("table.difference.low"),
    ANY("table.difference.high"),
    TEXT("table.difference.word"),
    TEXT("table.difference.other_groups.redrawn"),
    ANY("table.difference.other_groups.low"),
    ANY("table.difference.other_groups.high"),
    TEXT("table.difference.other_groups.word"),
    { 0 },
};

const struct meta_json_rule meta_plan_rules[] = {
    { "program", META_JSON_TEXT, NONE, META_JSON_NEEDED },
    { "format", META_JSON_WHOLE, 0, INT_MAX, META_JSON_NEEDED },
    TEXT("name"),
    TEXT("file"),
    TEXT("data"),
    TEXT("needs"),
    TEXT("reference"),
    TEXT("list"),
    WHOLE("place", 1, INT_MAX),
    TEXT("caption"),
    TEXT("authors"),
    TEXT("groups"),
    COUNT("seed"),
    COUNT("runs"),
    COUNT("first"),
    WHOLE("columns[]", 0, INT_MAX),
    TEXT("rows[]"),
    { "cells[].row", META_JSON_WHOLE, 0, INT_MAX, META_JSON_NEEDED },
    { "cells[].shots", META_JSON_WHOLE, 0, INT_MAX, META_JSON_NEEDED },
    { "cells[].result", META_JSON_TEXT, NONE, META_JSON_NEEDED },
    { "cells[].id", META_JSON_WHOLE, 0, UINT_MAX, META_JSON_NEEDED },
    TEXT("cells[].family"),
    TEXT("cells[].paired_with"),
    TEXT("cells[].cfg"),
    TEXT("cells[].method"),
    TEXT("cells[].train"),
    TEXT("cells[].train_data"),
    TEXT("cells[].log"),
    COUNT("cells[].seed"),
    COUNT("cells[].iterations"),
    COUNT("cells[].train_shots"),
    NUMBER("cells[].paper", 0, 1),
    { 0 },
};

const struct meta_json_rule meta_images_rules[] = {
    { "format", META_JSON_WHOLE, 2, 2, META_JSON_NEEDED },
    { "list *.count", META_JSON_WHOLE, 0, INT_MAX, META_JSON_NEEDED },
    { "list *.xxh3_128", META_JSON_DIGEST, NONE, META_JSON_NEEDED },
    { "list *.state", META_JSON_DIGEST, NONE, META_JSON_NEEDED },
    { 0 },
};

const struct meta_json_rule meta_usage_rules[] = {
    NUMBER("processor_seconds", 0, INFINITY),
    NUMBER("memory_mb", 0, INFINITY),
    NUMBER("processes", 0, INFINITY),
    { 0 },
};
