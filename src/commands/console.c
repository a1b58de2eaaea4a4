/* Prints what commands show as they go: lines of iterations, the status line, a bar of progress. */
#include "console.h"
#include "base/clock.h"
#include "base/duration.h"
#include "learning/rates_file.h"
#include "tasks/data_open.h"
#include "tasks/depth.h"
#include "tasks/shared.h"
#include "flags.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* Seconds between lines of progress where there is no terminal. */
#define BETWEEN 600.

void meta_print_row(enum meta_training_kind kind, const struct meta_row *r, double remaining)
{
    char left[64];
    meta_format_time(left, sizeof left, remaining);
    printf("%llu: ", (unsigned long long)r->iteration);
    if (kind == META_TRAINING_TASKS)
        printf("%.3f meta-loss, %.3f query loss", r->meta_loss, r->query_loss);
    else printf("%.3f loss", r->query_loss);
    printf(", %.1f%% accuracy, %.6f rate, %.2f seconds, %s left\n", 100 * r->accuracy, r->rate,
           r->seconds, left);
}

void meta_tell_cache(const struct meta_dataset *set)
{
    if (set->note) printf("%s\n", set->note);
}

void meta_tell_left_out(int answers)
{
    if (answers)
        printf("%d of the answers %s, and left out\n", answers,
               answers == 1 ? "is not a number" : "are not numbers");
}

void meta_warn_groupless(const struct meta_data *data, const struct meta_dataset *set)
{
    int none = meta_dataset_groupless(set);
    if (!meta_data_grouped(data) || !none) return;
    fflush(stdout);
    fprintf(stderr,
            "darknet: warning: %s: %d of the %d images %s in no group of %s: each counts as unlike "
            "any other\n",
            set->list, none, set->count, none == 1 ? "is" : "are", meta_data_groups_source(data));
}

void meta_warn_rates(const struct meta_inner_settings *inner, const char *weights)
{
    if (meta_rates_how_of(inner).kind != META_RATES_FIXED || !meta_rates_exist(weights)) return;
    char *path = meta_rates_path(weights);
    if (!path) return; /* a warning is worth no error */
    fflush(stdout);
    fprintf(stderr,
            "darknet: warning: %s: left aside, as the .cfg has no rates=layer and no "
            "rates=parameter: these weights were trained with learned rates\n",
            path);
    free(path);
}

void meta_tell_copies(const struct meta_dataset *set)
{
    int n = meta_dataset_copies(set), i = 0;
    if (!n) return;
    while (set->copy_of[i] < 0) i++;
    printf("%s: %d of the %d images are the same as an earlier one, such as %s on line %d and %s "
           "on "
           "line %d: copies are kept together as a group is\n",
           set->list, n, set->count, set->paths[i], set->lines[i], set->paths[set->copy_of[i]],
           set->lines[set->copy_of[i]]);
}

void meta_warn_shared(const struct meta_dataset *set, const struct meta_dataset *trained)
{
    struct meta_shared shared;
    struct meta_error error;
    if (meta_shared_find(&shared, set, trained, &error)) {
        meta_complain(&error);
        return;
    }
    if (!shared.count) return;
    fflush(stdout);
    fprintf(stderr,
            "darknet: warning: %s: %d of its %d images %s in %s, too%s, such as %s on line %d, "
            "there %s on line %d: what is found on them is too good for images not seen before\n",
            set->list, shared.count, set->count, shared.count == 1 ? "is" : "are", trained->list,
            meta_shared_words(&shared), set->paths[shared.image], set->lines[shared.image],
            trained->paths[shared.twin], trained->lines[shared.twin]);
}

void meta_warn_trained(const struct meta_dataset *set, const char *list, struct meta_pool *pool)
{
    struct meta_dataset *trained;
    struct meta_error ignored;
    if (meta_shared_candidates(&trained, set, list, pool, &ignored)) return;
    meta_warn_shared(set, trained);
    meta_dataset_free(trained);
}

void meta_tell_depth(const struct meta_data *data, const struct meta_dataset *set)
{
    struct meta_depth d = meta_depth_of(set);
    char text[META_DEPTH_TEXT];
    if (!d.files) return;
    meta_depth_text(text, &d, data);
    printf("%s: %s\n", set->list, text);
}

/* Whether standard output is a terminal that can go back to the start of a line. */
static int on_terminal(void)
{
    static int known = -1;
    const char *kind = getenv("TERM");
    if (known < 0) known = isatty(STDOUT_FILENO) && kind && strcmp(kind, "dumb");
    return known;
}

static int columns(void)
{
    struct winsize size;
    return !ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) && size.ws_col ? size.ws_col : 80;
}

/* "[===>   ]", `width` characters between the brackets */
static void draw_bar(char *out, int width, uint64_t done, uint64_t total)
{
    int full = done >= total ? width : (int)(width * done / total);
    *out++ = '[';
    memset(out, '=', full);
    memset(out + full, ' ', width - full);
    if (full && full < width) out[full - 1] = '>';
    strcpy(out + width, "]");
}

/* Counts from the first call of what is under way, which may have done more than 1. */
static void print_progress(uint64_t done, uint64_t total)
{
    static double begun, printed;
    static uint64_t first, last, of; /* of: the total, 0 before any call */
    double now = meta_now();
    char left[64];
    if (done <= last || total != of) {
        begun = printed = now;
        first = done;
    }
    last = done;
    of = total;
    if (now - printed < BETWEEN) return;
    printed = now;
    meta_format_time(left, sizeof left, (now - begun) / (done - first) * (total - done));
    printf("%llu of %llu, %s left\n", (unsigned long long)done, (unsigned long long)total, left);
    fflush(stdout);
}

void meta_print_bar(uint64_t done, uint64_t total)
{
    char bar[64];
    if (!total) return;
    if (!on_terminal()) {
        print_progress(done, total);
        return;
    }
    int width = columns() - 32;
    draw_bar(bar, width > 60 ? 60 : width < 5 ? 5 : width, done, total);
    printf("\r%s %3d%% %llu/%llu\033[K", bar, (int)(100 * done / total), (unsigned long long)done,
           (unsigned long long)total);
    fflush(stdout);
}

int meta_format_status(char *out, int size, int width, const struct meta_status *s)
{
    enum { PARTS = 7, LONGEST_BAR = 40, SHORTEST_BAR = 10 };
    char part[PARTS][80] = { "" }, left[32];
    int used = 0, room = width < size ? width : size - 1;
    meta_format_time(left, sizeof left, s->remaining);
    snprintf(part[0], sizeof *part, "%llu/%llu %d%%", (unsigned long long)s->done,
             (unsigned long long)s->total, s->total ? (int)(100 * s->done / s->total) : 100);
    snprintf(part[1], sizeof *part, "%s left", left);
    snprintf(part[2], sizeof *part, "loss %.3f", s->query_loss);
    if (!isnan(s->auc)) snprintf(part[3], sizeof *part, "AUC %.3f", s->auc);
    if (!isnan(s->low))
        snprintf(part[3] + strlen(part[3]), sizeof *part - strlen(part[3]), " (%.3f to %.3f)",
                 s->low, s->high);
    snprintf(part[4], sizeof *part, "rate %.2g", s->rate);
    snprintf(part[5], sizeof *part, "meta-loss %.3f", s->meta_loss);
    snprintf(part[6], sizeof *part, "%.1f%% right", 100 * s->accuracy);
    *out = 0;
    for (int i = 0; i < PARTS; i++) {
        int n = strlen(part[i]), gap = used ? 2 : 0;
        if (!n || used + gap + n > room) continue;
        used += sprintf(out + used, "%*s%s", gap, "", part[i]);
    }
    int bar = room - used - 4;
    if (bar > LONGEST_BAR) bar = LONGEST_BAR;
    if (bar < SHORTEST_BAR || !s->total) return used;
    memmove(out + bar + 4, out, used + 1);
    draw_bar(out, bar, s->done, s->total);
    memset(out + bar + 2, ' ', 2);
    return used + bar + 4;
}

void meta_print_status(const struct meta_status *s)
{
    char line[256];
    if (!on_terminal()) return;
    meta_format_status(line, sizeof line, columns() - 1, s);
    printf("\r%s\033[K", line);
    fflush(stdout);
}

void meta_clear_bar(void)
{
    if (on_terminal()) fputs("\r\033[K", stdout);
}
