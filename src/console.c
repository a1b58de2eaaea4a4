#include "console.h"

#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

void meta_format_time(char *out, int size, double s)
{
    if (s < 9.95) snprintf(out, size, "%.1f s", s);
    else if (s < 99.5) snprintf(out, size, "%.0f s", s);
    else if (s < 99.5 * 60) snprintf(out, size, "%.0f min", s / 60);
    else snprintf(out, size, "%.1f h", s / 3600);
}

void meta_print_row(enum meta_run_kind kind, const struct meta_row *r, double remaining)
{
    char left[64];
    meta_format_time(left, sizeof left, remaining);
    printf("%llu: ", (unsigned long long)r->iteration);
    if (kind == META_RUN_TASKS) printf("%.3f meta-loss, %.3f query loss", r->meta_loss, r->query_loss);
    else printf("%.3f loss", r->query_loss);
    printf(", %.1f%% accuracy, %.6f rate, %.2f seconds, %s left\n", 100 * r->accuracy, r->rate, r->seconds, left);
}

static int on_terminal(void)
{
    static int known = -1;
    if (known < 0) known = isatty(STDOUT_FILENO);
    return known;
}

void meta_print_bar(uint64_t done, uint64_t total)
{
    struct winsize size;
    char bar[256];
    if (!on_terminal() || !total) return;
    int columns = !ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) && size.ws_col ? size.ws_col : 80;
    int width = columns - 32;
    if (width > 60) width = 60;
    if (width < 5) width = 5;
    int full = done >= total ? width : (int)(width * done / total);
    memset(bar, '=', full);
    memset(bar + full, ' ', width - full);
    if (full && full < width) bar[full - 1] = '>';
    printf("\r[%.*s] %3d%% %llu/%llu\033[K", width, bar, (int)(100 * done / total),
           (unsigned long long)done, (unsigned long long)total);
    fflush(stdout);
}

void meta_clear_bar(void)
{
    if (on_terminal()) fputs("\r\033[K", stdout);
}
