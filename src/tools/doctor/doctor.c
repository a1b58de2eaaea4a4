/* darknet meta doctor: looks at everything that a run needs, and says of each whether it is well and how to mend it. */
#include "doctor.h"
#include "training/chart.h"
#include "training/checkpoint.h"
#include "commands/flags.h"
#include "host/host.h"
#include "config/plugins.h"
#include "training/run_file.h"
#include "host/stock.h"
#include "base/plural.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

void meta_doctor_say(struct meta_doctor *d, enum meta_verdict verdict, const char *subject, const char *format, ...)
{
    static const char *names[] = { "ok", "warning", "wrong" };
    va_list arguments;
    d->count[verdict]++;
    printf("%-8s %-11s ", names[verdict], subject);
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    putchar('\n');
    fflush(stdout);
}

/* ---- programs ---------------------------------------------------------------------------------------------------------- */

static void check_gnuplot(struct meta_doctor *d)
{
    char folder[] = "/tmp/darknet-meta-XXXXXX", path[64];
    const struct meta_row rows[] = { { .iteration = 1, .auc = .5, .low = .4, .high = .6, .rate = .1 },
                                     { .iteration = 2, .auc = .6, .low = .5, .high = .7, .rate = .1 } };
    struct meta_chart chart;
    struct meta_error error;
    if (!mkdtemp(folder)) { meta_doctor_say(d, META_WARNING, "gnuplot", "%s: %s: can't try a chart", folder, strerror(errno)); return; }
    snprintf(path, sizeof path, "%s/chart.png", folder);
    if (meta_chart_open(&chart, META_RUN_TASKS, path, "doctor", &error) || meta_chart_close(&chart, rows, 2, &error))
        meta_doctor_say(d, META_WARNING, "gnuplot", "%s, without chart_NAME.png: install the package gnuplot-nox", error.text);
    else meta_doctor_say(d, META_OK, "gnuplot", "draws charts");
    unlink(path);
    rmdir(folder);
}

void meta_doctor_programs(struct meta_doctor *d)
{
    struct meta_library library;
    struct meta_error error;
    if (meta_library_find(&library, (const void *)free_network, &error))
        meta_doctor_say(d, META_WRONG, "libdarknet", "%s", error.text);
    else meta_doctor_say(d, META_OK, "libdarknet", "%s: struct layer of %zu bytes, as this program was compiled for", library.path, sizeof(layer));

    char *stock = meta_stock_find(&error);
    if (stock) meta_doctor_say(d, META_OK, "darknet", "%s: the stock program, for all commands but meta", stock);
    else meta_doctor_say(d, META_WARNING, "darknet", "%s; meta's own commands do without", error.text);
    free(stock);

    const struct meta_plugins *plugins = meta_plugins_load(&error);
    if (!plugins) meta_doctor_say(d, META_WRONG, "plugins", "%s: mend or remove that file", error.text);
    else {
        char names[200] = "", missing[80] = "";
        const char *needed[] = { "episode", "inner_loop", "meta_loss" };
        for (int i = 0; i < plugins->count && strlen(names) + 70 < sizeof names; i++)
            sprintf(names + strlen(names), " [%s]", plugins->entries[i].plugin->name);
        for (int i = 0; i < 3; i++)
            if (!meta_plugins_find(plugins, needed[i])) sprintf(missing + strlen(missing), " [%s]", needed[i]);
        if (*missing) meta_doctor_say(d, META_WRONG, "plugins", "no%s in %s: make builds plugins/*.so, which belong beside the program", missing, plugins->folders);
        else meta_doctor_say(d, META_OK, "plugins", "%d in %s:%s", plugins->count, plugins->folders, names);
    }
    check_gnuplot(d);
}

/* ---- the two files ------------------------------------------------------------------------------------------------------ */

/* A whole-number option of a plugin's section; `absent` where it has none of that name. */
static int plugin_option(const struct meta_plugin *p, const void *settings, const char *name, int absent)
{
    for (const struct meta_option *o = p->options; o->name; o++)
        if (!strcmp(o->name, name) && (o->type == META_INT || o->type == META_CHOICE)) return *(const int *)((const char *)settings + o->offset);
    return absent;
}

/* What never comes into effect, and was meant to. */
static void check_schedule(struct meta_doctor *d)
{
    const struct meta_model *m = d->model;
    int last = m->net.max_batches, start = m->loss ? plugin_option(m->loss, m->loss_settings, "start", 0) : 0;
    if (last < 1) {
        meta_doctor_say(d, META_WRONG, "cfg", "[net] max_batches: is 0 or not there: meta train begins only with -max_batches: write it");
        return;
    }
    if (start > last)
        meta_doctor_say(d, META_WARNING, "cfg", "[%s] start=%d is past max_batches=%d: tasks are never weighted: lower start, or raise max_batches",
                        m->loss->name, start, last);
    if (m->inner->order == 2 && m->inner->second_order_start > last)
        meta_doctor_say(d, META_WARNING, "cfg", "[inner_loop] second_order_start=%d is past max_batches=%d: the exact meta-gradient is never used: lower it, "
                        "or write order=1", m->inner->second_order_start, last);
    if (m->net.policy == META_POLICY_STEPS && m->net.steps.count && m->net.steps.values[m->net.steps.count - 1] >= last)
        meta_doctor_say(d, META_WARNING, "cfg", "[net] steps=%.0f is past max_batches=%d: the rate is never lowered there: lower steps, or raise max_batches",
                        m->net.steps.values[m->net.steps.count - 1], last);
}

void meta_doctor_cfg(struct meta_doctor *d)
{
    struct meta_error error;
    if (meta_model_load(&d->model, d->cfg_path, &error)) { meta_doctor_say(d, META_WRONG, "cfg", "%s", error.text); return; }
    const struct meta_model *m = d->model;
    meta_doctor_say(d, META_OK, "cfg", "%s: %zu parameters, %dx%dx%d, %d iterations of %d tasks: %d ways, %d + %d images a class, %d steps, order %d",
                    m->path, m->network->parameters, m->net.width, m->net.height, m->net.channels, m->net.max_batches, m->episode->tasks,
                    m->episode->ways, m->episode->shots, m->episode->queries, m->inner->steps, m->inner->order);
    check_schedule(d);
}

void meta_doctor_data(struct meta_doctor *d)
{
    struct meta_error error;
    if (meta_data_read(&d->data, d->data_path, &error)) { meta_doctor_say(d, META_WRONG, "data", "%s", error.text); return; }
    const char *names[META_WARDS] = { "train", "valid", "test" }, *paths[META_WARDS] = { d->data->train, d->data->valid, d->data->test };
    const char *lacks[META_WARDS] = { "training needs a list of images", "no AUC is watched while training", "meta test needs it" };
    meta_doctor_say(d, META_OK, "data", "%s: %d classes", d->data_path, d->data->classes);
    for (int i = 0; i < META_WARDS; i++) {
        d->ward[i] = (struct meta_ward){ .name = names[i], .path = paths[i] };
        if (!paths[i]) meta_doctor_say(d, i == META_WARD_TRAIN ? META_WRONG : META_WARNING, "data", "%s: has no %s=: %s", d->data_path, names[i], lacks[i]);
    }
}

/* ---- where a run writes -------------------------------------------------------------------------------------------------- */

/* `folder`, or the nearest folder above it that there is. The caller frees; NULL: no memory. */
static char *nearest_folder(const char *folder)
{
    char *path = strdup(folder), *slash;
    while (path && access(path, F_OK) && (slash = strrchr(path, '/')) && slash > path) *slash = 0;
    if (path && access(path, F_OK)) strcpy(path, *path == '/' ? "/" : ".");
    return path;
}

/* NAME_1000.weights..., NAME_final.weights, NAME.backup, NAME.state with the one being written beside it, the log and the chart */
static double run_bytes(const struct meta_model *m)
{
    double weights = 4. * (m->network->parameters + m->network->statistics), state = 12. * m->network->parameters + 4. * m->network->statistics;
    return (m->net.max_batches / 1000 + 3) * weights + 2 * state + 120. * m->net.max_batches + 1e6;
}

/* A checkpoint of this name, or a run that writes one now. */
static void check_earlier(struct meta_doctor *d, const char *folder)
{
    char *state = NULL, *log = NULL;
    struct meta_error error;
    struct meta_checkpoint c = { 0 };
    if (meta_run_file(&state, META_RUN_STATE, folder, d->model->name, &error) || meta_run_file(&log, META_RUN_LOG, folder, d->model->name, &error))
        meta_doctor_say(d, META_WRONG, "backup", "%s", error.text);
    int fd = log ? open(log, O_RDONLY | O_CLOEXEC) : -1;
    if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB))
        meta_doctor_say(d, META_WRONG, "backup", "%s: another training of this name is running: wait for it, or copy the .cfg to another name", log);
    if (fd >= 0) close(fd);
    if (state && !access(state, F_OK)) {
        if (meta_checkpoint_read(&c, state, &error)) meta_doctor_say(d, META_WARNING, "backup", "%s: -resume can't use it", error.text);
        else meta_doctor_say(d, META_WARNING, "backup", "%s: is at iteration %llu: -resume goes on from it, a run without keeps it as %s.old", state,
                             (unsigned long long)c.iteration, state);
        meta_checkpoint_free(&c);
    }
    free(state);
    free(log);
}

void meta_doctor_backup(struct meta_doctor *d)
{
    struct statvfs disk;
    struct stat info;
    if (!d->model || !d->data) return;
    const char *folder = d->data->backup ? d->data->backup : "backup";
    char *there = nearest_folder(folder);
    double need = run_bytes(d->model);
    if (!there || stat(there, &info) || statvfs(there, &disk))
        meta_doctor_say(d, META_WRONG, "backup", "backup=%s: %s: name a folder that can be written", folder, strerror(errno));
    else if (!S_ISDIR(info.st_mode)) meta_doctor_say(d, META_WRONG, "backup", "backup=%s: %s is not a folder: name one that can be written", folder, there);
    else if (access(there, W_OK | X_OK))
        meta_doctor_say(d, META_WRONG, "backup", "backup=%s: can't write in %s: %s: name another, or chmod u+w it", folder, there, strerror(errno));
    else {
        double left = (double)disk.f_bavail * disk.f_frsize;
        if (left < need)
            meta_doctor_say(d, META_WRONG, "backup", "%s: %.0f MB free of the %.0f MB that a run writes: make room, or name a folder on another disk", there,
                            left / 1e6, need / 1e6);
        else meta_doctor_say(d, META_OK, "backup", "%s%s: %.1f GB free, a run writes %.0f MB", folder, strcmp(there, folder) ? " (to be made)" : "",
                             left / 1e9, need / 1e6);
        check_earlier(d, folder);
    }
    free(there);
}

/* ---- the command ---------------------------------------------------------------------------------------------------------- */

static void clear(struct meta_doctor *d)
{
    meta_child_free(d->child);
    for (int i = 0; i < META_WARDS; i++) {
        meta_dataset_free(d->ward[i].set);
        meta_survey_clear(&d->ward[i].survey);
    }
    meta_data_free(d->data);
    meta_model_free(d->model);
}

int meta_command_doctor(int argc, char **argv)
{
    const char *threads = NULL, *seconds = NULL;
    const struct meta_flag flags[] = {
        { "-threads", "N", "of the run that is to be (the cores)", &threads, NULL },
        { "-seconds", "S", "for which iterations are timed, of each order (10)", &seconds, NULL },
    };
    struct meta_doctor d = { 0 };
    struct meta_error error;
    meta_flags_parse(argc, argv, flags, sizeof flags / sizeof *flags, 2, 2, "doctor DATA CFG");
    d.data_path = argv[0];
    d.cfg_path = argv[1];
    d.threads = meta_flag_int("-threads", threads, meta_pool_cores(), 1, 1024);
    d.seconds = meta_flag_real("-seconds", seconds, 10, 1e-3, 1e5);
    if (getloadavg(&d.load, 1) < 1) d.load = 0;
    meta_doctor_programs(&d);
    meta_doctor_cfg(&d);
    meta_doctor_data(&d);
    /* before this process has threads */
    if (d.model && d.data && meta_child_start(&d.child, meta_trial_serve, &d, &error)) goto fail;
    meta_doctor_lists(&d);
    meta_doctor_backup(&d);
    meta_doctor_run(&d);
    int wrong = d.count[META_WRONG], warnings = d.count[META_WARNING];
    printf("\n%d wrong, %d warning%s%s\n", wrong, warnings, meta_plural(warnings),
           wrong ? d.model && d.data ? "" : ": mend the files first: the rest can't be looked at without them" : ": darknet meta train can begin");
    clear(&d);
    return wrong > 0;
fail:
    clear(&d);
    return meta_complain(&error);
}
