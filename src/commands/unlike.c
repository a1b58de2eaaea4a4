/* Prints the warnings of unlike images and of copies. */
#include "unlike.h"

#include <math.h>
#include <stdio.h>

#include "adaptation/distance.h"
#include "tasks/list_place.h"

static void print_place(const struct meta_unlike *u, int i)
{
    fprintf(stderr, "darknet: warning: ");
    if (u->list) fputs(meta_list_place(u->list, u->lines[i]).text, stderr);
    fprintf(stderr, "%s: ", u->paths[i]);
}

void meta_warn_unlike(const struct meta_unlike *u)
{
    double least = INFINITY, most = 0;
    int read = 0, distant = 0;
    for (int i = 0; i < u->count; i++) {
        read += !isnan(u->distance[i]);
        distant += u->distance[i] > META_DISTANT;
        least = fmin(least, u->distance[i]);
        most = fmax(most, u->distance[i]);
    }
    if (distant > 1 && distant == read) {
        fprintf(stderr,
                "darknet: warning: %s%sall %d images are unlike those of %s: their first "
                "statistics are %.2f to %.2f nats from theirs, above %.2f\n",
                u->list ? u->list : "", u->list ? ": " : "", distant, u->known, least, most,
                META_DISTANT);
        return;
    }
    for (int i = 0; i < u->count; i++) {
        if (!(u->distance[i] > META_DISTANT)) continue;
        print_place(u, i);
        fprintf(stderr,
                "unlike the images of %s: its first statistics are %.2f nats from theirs, above "
                "%.2f\n",
                u->known, u->distance[i], META_DISTANT);
    }
}

static void warn(const struct meta_dataset *set, int i, const char *text)
{
    fprintf(stderr, "darknet: warning: %s%s: %s\n", meta_list_place(set->list, set->lines[i]).text,
            set->paths[i], text);
}

void meta_warn_copies(const struct meta_dataset *d)
{
    char text[4200];
    for (int i = 0; i < d->count; i++) {
        int copy = d->copy_of[i];
        if (copy < 0) continue;
        if (d->lines[copy])
            snprintf(text, sizeof text, "is the same image as line %d: counts twice",
                     d->lines[copy]);
        else snprintf(text, sizeof text, "is the same image as %s: counts twice", d->paths[copy]);
        warn(d, i, text);
    }
}
