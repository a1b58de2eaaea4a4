/* The doctor's look at the program and what it needs beside it: libdarknet, the stock program,
   plugins, gnuplot. */
#include "base/opencv.h"
#include "config/plugins.h"
#include "doctor.h"
#include "host/host.h"
#include "host/stock.h"
#include "training/chart.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void check_gnuplot(struct meta_doctor *d)
{
    char folder[] = "/tmp/darknet-meta-XXXXXX", path[64];
    const struct meta_row rows[] = {
        { .iteration = 1, .auc = .5, .low = .4, .high = .6, .rate = .1 },
        { .iteration = 2, .auc = .6, .low = .5, .high = .7, .rate = .1 }
    };
    struct meta_chart chart;
    struct meta_error error;
    if (!mkdtemp(folder)) {
        meta_doctor_say(d, META_WARNING, "gnuplot", "%s: %s: can't try a chart", folder,
                        strerror(errno));
        return;
    }
    snprintf(path, sizeof path, "%s/chart.png", folder);
    if (meta_chart_open(&chart, META_TRAINING_TASKS, path, "doctor", &error)
        || meta_chart_close(&chart, rows, 2, &error))
        meta_doctor_say(d, META_WARNING, "gnuplot",
                        "%s, without chart_NAME.png: install the package gnuplot-nox", error.text);
    else meta_doctor_say(d, META_OK, "gnuplot", "draws charts");
    unlink(path);
    rmdir(folder);
}

void meta_doctor_programs(struct meta_doctor *d)
{
    struct meta_library library;
    struct meta_error error;
    if (meta_library_open(&library, &error))
        meta_doctor_say(d, META_WRONG, "libdarknet", "%s", error.text);
    else
        meta_doctor_say(d, META_OK, "libdarknet",
                        "%s: struct layer of %zu bytes, as this program was compiled for",
                        library.path, sizeof(layer));

    if (!meta_opencv_table("meta_image_opencv", &error))
        meta_doctor_say(d, META_WRONG, "OpenCV", "%s", error.text);

    char *stock = meta_stock_find(&error);
    if (stock)
        meta_doctor_say(d, META_OK, "darknet", "%s: the stock program, for all commands but meta",
                        stock);
    else
        meta_doctor_say(d, META_WARNING, "darknet", "%s; meta's own commands do without",
                        error.text);
    free(stock);

    const struct meta_plugins *plugins = meta_plugins_load(&error);
    if (!plugins)
        meta_doctor_say(d, META_WRONG, "plugins", "%s: mend or remove that file", error.text);
    else {
        char names[200] = "", missing[80] = "";
        const char *needed[] = { "episode", "inner_loop", "meta_loss" };
        for (int i = 0; i < plugins->count && strlen(names) + 70 < sizeof names; i++)
            sprintf(names + strlen(names), " [%s]", plugins->entries[i].plugin->name);
        for (int i = 0; i < 3; i++)
            if (!meta_plugins_find(plugins, needed[i]))
                sprintf(missing + strlen(missing), " [%s]", needed[i]);
        if (*missing)
            meta_doctor_say(d, META_WRONG, "plugins",
                            "no%s in %s: make builds plugins/*.so, which belong beside the program",
                            missing, plugins->folders);
        else
            meta_doctor_say(d, META_OK, "plugins", "%d in %s:%s", plugins->count, plugins->folders,
                            names);
    }
    if (d->task == META_DOCTOR_TRAIN || d->task == META_DOCTOR_PRETRAIN) check_gnuplot(d);
}
