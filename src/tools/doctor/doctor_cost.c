/* What a training will take, memory and hours, by the dry run and the lists. */
#include "base/duration.h"
#include "base/plural.h"
#include "base/pool.h"
#include "doctor.h"
#include "learning/inner_loop.h"
#include "training/trainer.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* ---- memory ---------------------------------------------------------------------------------- */

/* The number behind `key` in a file of the kernel, or the first number of the file when `key` is
   "". NaN: there is none, or it is "max". */
static double kernel_number(const char *path, const char *key)
{
    char line[256];
    double value = NAN;
    FILE *f = fopen(path, "re");
    while (f && isnan(value) && fgets(line, sizeof line, f))
        if (!strncmp(line, key, strlen(key)) && sscanf(line + strlen(key), "%lf", &value) != 1)
            value = NAN;
    if (f) fclose(f);
    return value;
}

/* The files of control groups of version 2 and 1. */
static const struct groups {
    const char *root,
        *line; /* of the process's group in /proc/self/cgroup: what stands before it */
    const char *limit, *usage, *cached[2];
} versions[] = { { "/sys/fs/cgroup",
                   "0::",
                   "memory.max",
                   "memory.current",
                   { "inactive_file ", "active_file " } },
                 { "/sys/fs/cgroup/memory",
                   "memory:",
                   "memory.limit_in_bytes",
                   "memory.usage_in_bytes",
                   { "total_inactive_file ", "total_active_file " } } };

static double group_number(const char *folder, const char *file, const char *key)
{
    char path[PATH_MAX];
    if (snprintf(path, sizeof path, "%s/%s", folder, file) >= (int)sizeof path) return NAN;
    return kernel_number(path, key);
}

/* What a group's limit leaves; of its usage the kernel gives back what files are cached. */
static double left_of_group(const struct groups *v, const char *folder)
{
    double left = group_number(folder, v->limit, "") - group_number(folder, v->usage, "");
    for (int i = 0; i < 2; i++) {
        double cached = group_number(folder, "memory.stat", v->cached[i]);
        if (!isnan(cached)) left += cached;
    }
    return left;
}

/* Writes the process's group, "/user.slice/job", or "". */
static void find_group(const struct groups *v, char *group, size_t size)
{
    char line[PATH_MAX];
    FILE *f = fopen("/proc/self/cgroup", "re");
    *group = 0;
    while (f && fgets(line, sizeof line, f)) {
        const char *at = strstr(line, v->line);
        line[strcspn(line, "\n")] = 0;
        if (at && (at == line || at[-1] == ':' || at[-1] == ','))
            snprintf(group, size, "%s", at + strlen(v->line));
    }
    if (f) fclose(f);
}

/* The least that the limits of the process's group and of those around it leave; a container sees
   its own as the root. NaN: none has a limit. */
static double left_of_groups(const struct groups *v)
{
    char group[PATH_MAX], folder[2 * PATH_MAX];
    double left = left_of_group(v, v->root);
    find_group(v, group, sizeof group);
    for (char *slash; (slash = strrchr(group, '/')); *slash = 0) {
        snprintf(folder, sizeof folder, "%s%s", v->root, group);
        left = fmin(left, left_of_group(v, folder));
    }
    return left;
}

double meta_memory_available(void)
{
    struct rlimit limit;
    double free = 1024 * kernel_number("/proc/meminfo", "MemAvailable:"),
           used = kernel_number("/proc/self/statm", "") * sysconf(_SC_PAGESIZE);
    for (size_t i = 0; i < sizeof versions / sizeof *versions; i++)
        free = fmin(free, left_of_groups(&versions[i]));
    if (!getrlimit(RLIMIT_AS, &limit) && limit.rlim_cur != RLIM_INFINITY)
        free = fmin(free, limit.rlim_cur - used);
    return free;
}

enum { ROOM = 160 };

/* What would take less memory, of the settings that have an effect. */
static const char *remedy(const struct meta_doctor *d, char text[ROOM])
{
    const struct meta_inner_settings *s = d->model->inner;
    const struct meta_inner inner = meta_inner_of(s, 1, 1);
    int n = snprintf(text, ROOM, "fewer -threads");
    if (meta_inner_keeps_steps(d->model->network, &inner))
        n += snprintf(text + n, ROOM - n, ", %sorder=1 in [%s],",
                      inner.keep == 1 ? "" : "keep=1 or ", meta_inner_name(s));
    snprintf(text + n, ROOM - n, " or smaller images (max_crop, width, height in [net])");
    return text;
}

/* Bytes of the images that a training keeps. */
static double dataset_bytes(const struct meta_doctor *d)
{
    return (double)d->list[META_LIST_TRAIN].survey.bytes + d->list[META_LIST_VALID].survey.bytes;
}

void meta_doctor_memory(struct meta_doctor *d, const struct meta_dry_run *run, double available)
{
    /* A forked child has the libraries' pages, but they are not counted as its own. */
    double images = dataset_bytes(d);
    double libraries = 1024 * kernel_number("/proc/self/status", "RssFile:");
    double need = images + run->peak + run->kept + d->reading + (isnan(libraries) ? 0 : libraries);
    char text[ROOM];
    enum meta_verdict verdict = META_OK;
    if (need > .8 * available) verdict = META_WARNING;
    if (need > available) verdict = META_WRONG;
    meta_doctor_say(d, verdict, "memory",
                    "%.2f GB expected (images %.2f, %d thread%s %.2f), %.2f GB available%s%s",
                    need / 1e9, images / 1e9, d->threads, meta_plural(d->threads),
                    (need - images) / 1e9, available / 1e9, verdict == META_OK ? "" : ": ",
                    verdict == META_OK ? "" : remedy(d, text));
}

/* ---- hours ----------------------------------------------------------------------------------- */

/* Seconds of `count` things; 0 where there are none and `seconds`, of one, is NaN. */
static double seconds_of(double count, double seconds) { return count > 0 ? count * seconds : 0; }

/* Tasks of all valid AUCs that are left of a training: one every META_VALID_EVERY iterations, one
   at the end. */
static double valid_tasks(const struct meta_doctor *d)
{
    int last = d->model->net.max_batches;
    if (!d->data->valid) return 0;
    return (double)META_VALID_RUNS
        * (last / META_VALID_EVERY - d->done / META_VALID_EVERY + (last % META_VALID_EVERY != 0));
}

/* The middle (0), least (1) or most (2) of a range. */
static double pick(const struct meta_timing_range *r, int which)
{
    return which == 0 ? r->middle : which == 1 ? r->least : r->most;
}

/* Seconds of the iterations that are left. */
static double iterations_of(const struct meta_doctor *d, const struct meta_dry_run *run, int which)
{
    const struct meta_iterations all = meta_dry_run_iterations(d->model, d->done);
    double seconds = 0;
    for (int k = 0; k < META_ITERATION_KINDS; k++)
        seconds += seconds_of(all.count[k], pick(&run->iteration[k], which));
    return seconds;
}

void meta_doctor_time(struct meta_doctor *d, const struct meta_dry_run *run)
{
    int left = d->model->net.max_batches - d->done;
    double loading = d->list[META_LIST_TRAIN].seconds + d->list[META_LIST_VALID].seconds;
    char text[3][32], busy[80] = "";
    for (int i = 0; i < 3; i++) { /* middle, least, most */
        double valid = seconds_of(valid_tasks(d), pick(&run->valid, i));
        meta_format_time(text[i], sizeof *text, loading + iterations_of(d, run, i) + valid);
    }
    if (d->load > .5)
        snprintf(busy, sizeof busy, "; other programs kept %.1f of %d processors busy before",
                 d->load, meta_pool_cores());
    meta_doctor_say(d, META_OK, "time",
                    "%s expected on %d thread%s, %s to %s by the fastest and slowest fifth of a "
                    "trial: %.3g s an iteration%s",
                    text[0], d->threads, meta_plural(d->threads), text[1], text[2],
                    iterations_of(d, run, 0) / left, busy);
}

void meta_doctor_cost(struct meta_doctor *d)
{
    double numbers[META_CHILD_NUMBERS], available = meta_memory_available();
    struct meta_dry_run run;
    struct meta_error error;
    char text[ROOM];
    if (!d->child || !d->list[META_LIST_TRAIN].set || d->model->net.max_batches < 1) return;
    if (meta_child_ask(d->child, "iterations on random data", numbers, &error)) {
        int for_want = strstr(error.text, "memory") || strstr(error.text, "signal");
        if (for_want)
            meta_doctor_say(d, META_WRONG, "memory",
                            "%s; %.2f GB are available: if that was for want of memory, %s",
                            error.text, available / 1e9, remedy(d, text));
        else meta_doctor_say(d, META_WRONG, "training", "%s", error.text);
        return;
    }
    memcpy(&run, numbers, sizeof run);
    if (run.slow >= 0)
        meta_doctor_say(d, META_WARNING, "layer",
                        "%.0f is slow on this processor: its library has only a reference "
                        "implementation of it",
                        run.slow);
    meta_doctor_memory(d, &run, available);
    meta_doctor_time(d, &run);
}
