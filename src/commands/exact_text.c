/* Prints fields of CSV, and numbers in as many digits as they need. */
#include "exact_text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

void meta_write_csv_text(FILE *file, const char *text, const char *rest)
{
    if (!strpbrk(text, ",\"\n\r")) {
        fprintf(file, "%s%s", text, rest);
        return;
    }
    putc('"', file);
    for (; *text; text++) {
        if (*text == '"') putc('"', file);
        putc(*text, file);
    }
    fprintf(file, "%s\"", rest);
}

void meta_print_csv_text(const char *text, const char *rest)
{
    meta_write_csv_text(stdout, text, rest);
}

/* cJSON itself would round off the last bit, and with it some of what is near 1. */
void meta_json_add_exact(cJSON *to, const char *name, double x)
{
    char text[META_NUMBER_TEXT];
    cJSON_AddItemToObject(to, name,
                          isfinite(x) ? cJSON_CreateRaw(meta_number_text(x, text))
                                      : cJSON_CreateNull());
}
