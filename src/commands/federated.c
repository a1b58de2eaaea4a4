/* Reads the flags of a training over sites, and keeps what a site prints at the site. */
#define _GNU_SOURCE
#include "federated.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/lines.h"
#include "base/path.h"
#include "ranks.h"
#include "stats/privacy.h"
#include "tasks/data_file.h"

static int choice(const char *flag, const char *value, const char *first, const char *second)
{
    struct meta_error error;
    if (!value || !strcmp(value, first)) return 0;
    if (!strcmp(value, second)) return 1;
    meta_fail(&error, "%s %s: must be %s or %s", flag, value, first, second);
    meta_complain(&error);
    return -1;
}

static double read_delta(const struct meta_federated_flags *f)
{
    return meta_flag_real("-delta", f->delta, 1e-5, 1e-300, .5);
}

int meta_federated_read(struct meta_federation *out, const struct meta_federated_flags *f)
{
    struct meta_error error;
    *out = (struct meta_federation){ .local = 1 };
    if (!f->mode) {
        const char *flag = f->sites ? "-site"
            : f->local              ? "-local"
            : f->share              ? "-share"
            : f->clip               ? "-clip_site"
            : f->noise              ? "-noise"
            : f->delta              ? "-delta"
                                    : NULL;
        if (!flag) return 0;
        meta_fail(&error, "%s: is for -federated gradients or -federated average", flag);
        return meta_complain(&error);
    }
    int average = choice("-federated", f->mode, "gradients", "average"),
        equal = choice("-share", f->share, "tasks", "equal");
    if (average < 0 || equal < 0) return 1;
    out->mode = average ? META_FEDERATED_AVERAGE : META_FEDERATED_GRADIENTS;
    out->equal = equal;
    if (average) out->local = (int)meta_flag_int("-local", f->local, 10, 1, 1000000);
    out->clip = meta_flag_real("-clip_site", f->clip, 0, 1e-9, 1e9);
    out->noise = meta_flag_real("-noise", f->noise, 0, 1e-3, 1e6);
    if (f->local && !average) meta_fail(&error, "-local: is for -federated average");
    else if (f->noise && !f->clip)
        meta_fail(&error, "-noise: needs -clip_site, which it is measured in");
    else if (f->delta && !f->noise) meta_fail(&error, "-delta: needs -noise");
    else {
        read_delta(f);
        return 0;
    }
    return meta_complain(&error);
}

/* The part of rank `rank` of `count` .data files. */
static int take(char **data, const char *const *files, int count, const struct meta_transport *t,
                struct meta_error *error)
{
    if (count != t->size)
        return meta_fail(error, "-site: has %d .data files for %d sites: must be equal", count,
                         t->size);
    return (*data = strdup(files[t->rank])) ? 0 : meta_fail_memory(error);
}

static int choose_data(const char *sites, const struct meta_transport *t, char **data,
                       struct meta_error *error)
{
    size_t n = strlen(sites);
    int count = 1, status;
    struct meta_lines lines;
    if (!strchr(sites, ',')) {
        if (n > 5 && !strcmp(sites + n - 5, ".data"))
            return (*data = strdup(sites)) ? 0 : meta_fail_memory(error);
        if (meta_lines_read(&lines, sites, error)) return -1;
        status = take(data, (const char *const *)lines.line, lines.count, t, error);
        meta_lines_free(&lines);
        return status;
    }
    char *text = strdup(sites), *rest = text;
    for (const char *c = sites; *c; c++) count += *c == ',';
    const char **files = calloc((size_t)count, sizeof *files);
    if (!text || !files) status = meta_fail_memory(error);
    else {
        for (int i = 0; i < count; i++) files[i] = strsep(&rest, ",");
        status = take(data, files, count, t, error);
    }
    free(text);
    free(files);
    return status;
}

/* NAME.out in the site's backup folder; where its .data file can't be read, in the working
   folder. */
static int name_output(char **path, const struct meta_training_settings *s,
                       struct meta_error *error)
{
    struct meta_error ignored;
    struct meta_data *data = NULL;
    char *own = s->name ? NULL : meta_training_name(s->cfg, s->seed, error);
    const char *folder = ".", *name = s->name ? s->name : own;
    if (!name || meta_training_check_name(name, error)) return -1;
    if (s->data && !meta_data_read(&data, s->data, &ignored)) {
        folder = data->backup ? data->backup : "backup";
        if (meta_path_make_folder(folder, &ignored)) folder = ".";
    }
    int status = data ? asprintf(path, "%s/%s.out", folder, name)
                      : asprintf(path, "./%s-rank%d.out", name, s->transport->rank);
    meta_data_free(data);
    free(own);
    return status < 0 ? meta_fail_memory(error) : 0;
}

int meta_federated_open(const struct meta_federated_flags *f, struct meta_training_settings *s,
                        char **owned, struct meta_error *error)
{
    struct meta_error why;
    char *output = NULL;
    *owned = NULL;
    if (!s->federation.mode) return 0;
    s->transport->discreet = 1;
    int chosen = f->sites ? choose_data(f->sites, s->transport, owned, &why) : 0;
    if (f->sites) s->data = *owned;
    /* the first prints to where it was started: it needs no file, and no folder for one */
    int status = s->transport->rank
            && (name_output(&output, s, error) || meta_ranks_discreet(s->transport, output, error))
        ? -1
        : 0;
    if (!status && chosen) {
        *error = why;
        status = -1;
    }
    free(output);
    return status;
}

/* Any change of a site's images changes a vector of norm C at most by 2C. */
void meta_federated_tell(const struct meta_trainer *t, const struct meta_federated_flags *f,
                         int is_start)
{
    const struct meta_federation *s = &meta_trainer_settings(t)->federation;
    unsigned long long sent = meta_trainer_vectors(t), left = meta_trainer_vectors_left(t);
    if (!meta_federation_protects(s)) return;
    if (!(s->noise > 0)) {
        if (is_start) puts("Without -noise, -clip_site promises no privacy");
        return;
    }
    double delta = read_delta(f), now = meta_privacy_epsilon(1, s->noise / 2, (double)sent, delta);
    printf("This site has sent %llu vectors of norm %g at most with noise of %g times that: "
           "for any change of its images (epsilon, delta) = (%.4g, %g)",
           sent, s->clip, s->noise, now, delta);
    if (is_start)
        printf("; at the end %llu and (%.4g, %g)", sent + left,
               meta_privacy_epsilon(1, s->noise / 2, (double)(sent + left), delta), delta);
    putchar('\n');
}
