/* Finds classes of one name, and puts their numbers behind it. */
#define _GNU_SOURCE
#include "class_names.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static int by_name(const void *a, const void *b)
{
    return strcmp(**(char **const *)a, **(char **const *)b);
}

/* Marks in `equal` (n) the names that stand elsewhere too; sorted (n) is room to work in. Returns
   how many they are. */
static int find_equal(char **names, int n, char *equal, char ***sorted)
{
    int count = 0;
    for (int k = 0; k < n; k++) sorted[k] = &names[k];
    qsort(sorted, (size_t)n, sizeof *sorted, by_name);
    memset(equal, 0, (size_t)n);
    for (int i = 1; i < n; i++)
        if (!strcmp(*sorted[i - 1], *sorted[i]))
            equal[sorted[i - 1] - names] = equal[sorted[i] - names] = 1;
    for (int k = 0; k < n; k++) count += equal[k];
    return count;
}

static int number(char **name, int class)
{
    char *longer;
    if (asprintf(&longer, "%s (class %d)", *name, class) < 0) return -1;
    free(*name);
    *name = longer;
    return 0;
}

int meta_class_names_tell_apart(char **names, int n, struct meta_error *error)
{
    char *equal = malloc((size_t)n), ***sorted = malloc((size_t)n * sizeof *sorted);
    int status = equal && sorted ? 0 : -1;
    for (int round = 0; round < 2 && !status && find_equal(names, n, equal, sorted); round++)
        for (int k = 0; k < n && !status; k++)
            if (equal[k] || round) status = number(&names[k], k);
    free(equal);
    free(sorted);
    return status ? meta_fail_memory(error) : 0;
}

static int by_letters(const void *a, const void *b)
{
    char *const *p = *(char *const *const *)a, *const *q = *(char *const *const *)b;
    int order = strcasecmp(*p, *q);
    return order ? order : (p > q) - (p < q);
}

int meta_class_names_alike(int pair[2], char *const *names, int n)
{
    char *const **sorted = malloc(((size_t)n + 1) * sizeof *sorted);
    int found = 0;
    if (!sorted) return 0;
    for (int k = 0; k < n; k++) sorted[k] = &names[k];
    qsort(sorted, (size_t)n, sizeof *sorted, by_letters);
    for (int i = 1; i < n; i++) {
        if (strcasecmp(*sorted[i - 1], *sorted[i]) || (found && sorted[i - 1] - names > pair[0]))
            continue;
        pair[0] = (int)(sorted[i - 1] - names);
        pair[1] = (int)(sorted[i] - names);
        found = 1;
    }
    free(sorted);
    return found;
}
