/* Writes down what the weights of a training depend on, and compares two such texts by line. */
#define _GNU_SOURCE
#include "fingerprint.h"
#include "base/digest.h"
#include "base/text.h"
#include "config/cfg.h"
#include "config/plugins.h"
#include "learning/policy.h"
#include "tasks/identity.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Whether a section says how a task is learned: [inner_loop], or that of a plugin with a rule of
   its own. */
static int is_inner_loop(const char *section)
{
    struct meta_error ignored;
    const struct meta_plugins *all = meta_plugins_load(&ignored);
    const struct meta_plugin *plugin = all ? meta_plugins_find(all, section) : NULL;
    return plugin && plugin->role == META_ROLE_INNER_LOOP;
}

static int matters(const struct meta_section *s, const char *key)
{
    if (!strcmp(key, "test_steps")) return !is_inner_loop(s->name);
    return strcmp(key, "max_batches") != 0;
}

int meta_fingerprint_cfg(FILE *f, const char *path, int all, struct meta_error *error)
{
    struct meta_cfg *cfg;
    if (meta_cfg_read(&cfg, path, error)) return -1;
    fprintf(f, "number of sections=%d\n", cfg->count);
    for (int i = 0; i < cfg->count; i++) {
        const struct meta_section *s = &cfg->sections[i];
        fprintf(f, "type of section %d=[%s]\n", i + 1, s->name);
        for (int k = 0; k < s->count; k++)
            if (all || matters(s, s->pairs[k].key))
                fprintf(f, "[%s] %s (section %d)=%s\n", s->name, s->pairs[k].key, i + 1,
                        s->pairs[k].value);
    }
    meta_cfg_free(cfg);
    return 0;
}

static const char plugin[] = "plugin [";

/* The file of a plugin that does not come with the program. */
static int write_plugin(FILE *f, const char *section, struct meta_error *error)
{
    struct meta_digest digest;
    char text[META_DIGEST_TEXT];
    const struct meta_plugins *all = meta_plugins_load(error);
    if (!all) return -1;
    for (int i = 0; i < all->count; i++) {
        const struct meta_plugin_entry *e = &all->entries[i];
        if (strcmp(e->plugin->name, section)) continue;
        if (meta_digest_file(&digest, e->path, error)) return -1;
        meta_digest_text(text, digest);
        fprintf(f, "%s%s]=xxh3-128:%s\n", plugin, section, text);
    }
    return 0;
}

int meta_fingerprint_plugins(FILE *f, const char *path, struct meta_error *error)
{
    struct meta_cfg *cfg;
    int status = 0;
    if (meta_cfg_read(&cfg, path, error)) return -1;
    for (int i = 0; i < cfg->count && !status; i++) {
        const char *name = cfg->sections[i].name;
        int known = meta_plugins_are_ours(name);
        for (int k = 0; k < i; k++) known |= !strcmp(cfg->sections[k].name, name);
        if (!known) status = write_plugin(f, name, error);
    }
    meta_cfg_free(cfg);
    return status;
}

static int write_cfg(FILE *f, const struct meta_model *model, struct meta_error *error)
{
    if (meta_fingerprint_cfg(f, model->path, 0, error)
        || meta_fingerprint_plugins(f, model->path, error))
        return -1;
    if (meta_policy_reads_end(&model->net))
        fprintf(f, "[net] max_batches, which its policy reads,=%d\n", model->net.max_batches);
    return 0;
}

/* This line is not compared: a training may go on on another machine. */
static const char instructions[] = "instructions=";

/* What version 1.0 wrote in place of the images' digest. */
static const char pixels[] = "check sum of the training images' pixels=";

static void write_digest(FILE *f, const char *what, struct meta_digest digest)
{
    char text[META_DIGEST_TEXT];
    meta_digest_text(text, digest);
    fprintf(f, "digest of the training images' %s=xxh3-128:%s\n", what, text);
}

static int write_data(FILE *f, const struct meta_dataset *data, struct meta_error *error)
{
    struct meta_identity id;
    if (meta_identity(&id, data, error)) return -1;
    fprintf(f, "classes of the training list=%d\n", data->classes);
    fprintf(f, "images in the training list=%d\n", data->count);
    write_digest(f, "classes", id.classes);
    write_digest(f, "groups", id.groups);
    write_digest(f, "files", id.images);
    if (meta_dataset_scaled(data)) fputs("decode in the .data file=scaled\n", f);
    if (meta_dataset_white(data))
        fprintf(f, "range in the .data file=%d\n", meta_dataset_white(data));
    return 0;
}

static void write_sites(FILE *f, const struct meta_fingerprint_parts *p)
{
    const struct meta_federation *s = p->federation;
    if (!s || !s->mode) return;
    fprintf(f, "-federated=%s\n", s->mode == META_FEDERATED_AVERAGE ? "average" : "gradients");
    if (s->mode == META_FEDERATED_AVERAGE) fprintf(f, "-local=%d\n", s->local);
    fprintf(f, "-share=%s\nnumber of sites=%d\n", s->equal ? "equal" : "tasks", p->sites);
    if (s->clip > 0) fprintf(f, "-clip_site=%.17g\n-noise=%.17g\n", s->clip, s->noise);
    if (p->train) fprintf(f, "rank of the site=%d\n", p->site);
}

int meta_fingerprint(char **text, const struct meta_fingerprint_parts *parts,
                     struct meta_error *error)
{
    const struct meta_model *model = parts->model;
    const struct meta_backend *backend = parts->backend;
    struct meta_text t;
    *text = NULL;
    if (meta_text_begin(&t, error)) return -1;
    FILE *f = t.file;
    fprintf(f, "-seed=%llu\n-backend=%s\n", (unsigned long long)parts->seed, backend->name);
    if (backend->instructions) fprintf(f, "%s%s\n", instructions, backend->instructions());
    if (model->purpose == META_FOR_IMAGES) fputs("supervised training=1\n", f);
    write_sites(f, parts);
    int status = write_cfg(f, model, error);
    if (!status && parts->train) status = write_data(f, parts->train, error);
    return meta_text_end(&t, status, text, error);
}

/* The value of the line that begins with the `n` bytes at `key`, which end in "=", behind `skip`
   others that do; *length is that of the value. NULL: there is no such line. */
static const char *find_next(const char *text, const char *key, size_t n, int skip, size_t *length)
{
    while (*text) {
        size_t line = strcspn(text, "\n");
        if (line >= n && !memcmp(text, key, n) && !skip--) {
            *length = line - n;
            return text + n;
        }
        text += line + (text[line] == '\n');
    }
    return NULL;
}

static const char *find(const char *text, const char *key, size_t n, size_t *length)
{
    return find_next(text, key, n, 0, length);
}

/* How many lines before `end` begin as the `n` bytes there. */
static int earlier(const char *text, const char *end, size_t n)
{
    int count = 0;
    while (text < end) {
        count += !strncmp(text, end, n);
        text += strcspn(text, "\n") + 1;
    }
    return count;
}

/* Compares as numbers, whole ones to their last digit: a double holds fewer digits than a seed may
   have. */
static int same_number(const char *a, size_t la, const char *b, size_t lb)
{
    char *enda, *endb;
    unsigned long long m = strtoull(a, &enda, 10), n = strtoull(b, &endb, 10);
    if (enda == a + la && endb == b + lb) return la && lb && m == n;
    double x = strtod(a, &enda), y = strtod(b, &endb);
    return la && lb && enda == a + la && endb == b + lb && x == y;
}

/* Whether a line depends on [meta_loss]: its options, that it is there, and so how many sections
   there are. */
static int of_meta_loss(const char *text, size_t line)
{
    static const char option[] = "[meta_loss] ",
                      sections[] = "number of sections=", type[] = "type of section ",
                      own[] = "=[meta_loss]";
    if (!strncmp(text, option, sizeof option - 1) || !strncmp(text, sections, sizeof sections - 1))
        return 1;
    return !strncmp(text, type, sizeof type - 1) && line >= sizeof own
        && !memcmp(text + line - (sizeof own - 1), own, sizeof own - 1);
}

/* A line "what=value" of a text, and what another text has in its place. */
struct line {
    const char *what, *value, *other; /* other: NULL where there is no such line */
    int what_size, value_size, other_size;
    size_t size; /* of the whole line */
};

/* Reads the next line of the text that has a value, and moves *at behind it; 0: there is none. A
   text may have lines of one name, as an ensemble's has those of each training: the n-th here is
   beside the n-th there. */
static int next_line(struct line *l, const char *text, const char **at, const char *other)
{
    while (**at) {
        const char *what = *at;
        size_t size = strcspn(what, "\n"), length = 0;
        const char *equals = memchr(what, '=', size);
        *at = what + size + (what[size] == '\n');
        if (!equals) continue;
        *l = (struct line){ .what = what,
                            .value = equals + 1,
                            .what_size = (int)(equals - what),
                            .value_size = (int)(what + size - equals - 1),
                            .size = size };
        size_t name = (size_t)l->what_size + 1;
        l->other = find_next(other, what, name, earlier(text, what, name), &length);
        l->other_size = (int)length;
        return 1;
    }
    return 0;
}

/* Whether the other text has the same value, to the letter. */
static int same_value(const struct line *l)
{
    return l->other && l->value_size == l->other_size
        && !memcmp(l->value, l->other, (size_t)l->value_size);
}

/* Whether a line is one that earlier versions wrote, of test_steps of a plugin's inner loop. */
static int is_dropped(const struct line *l)
{
    static const char option[] = "] test_steps (section ";
    const char *end = memmem(l->what, (size_t)l->what_size, option, sizeof option - 1);
    char section[64];
    if (!end) return 0;
    snprintf(section, sizeof section, "%.*s", (int)(end - l->what - 1), l->what + 1);
    return is_inner_loop(section);
}

/* Whether a line is one that is not compared. */
static int is_left_aside(const char *line)
{
    static const char measure[] = META_FINGERPRINT_MEASURE;
    return !strncmp(line, instructions, strlen(instructions))
        || !strncmp(line, measure, strlen(measure));
}

/* Whether a line is one that a checkpoint may lack: earlier versions wrote none of plugins. */
static int is_new(const char *line) { return !strncmp(line, plugin, sizeof plugin - 1); }

/* Checks that `other` has every line of `text`; those of [meta_loss] only when `weighed`. was:
   `text` is the checkpoint's, else `other` is. */
static int compare(const char *text, const char *other, int was, int weighed,
                   struct meta_error *error)
{
    struct line l;
    const char *at = text;
    while (next_line(&l, text, &at, other)) {
        if ((!weighed && of_meta_loss(l.what, l.size)) || is_left_aside(l.what)) continue;
        if (!l.other && (was ? is_dropped(&l) : is_new(l.what))) continue;
        if (!l.other)
            return was ? meta_fail(error, "%.*s was %.*s in the checkpoint and is not set now",
                                   l.what_size, l.what, l.value_size, l.value)
                       : meta_fail(error, "%.*s is %.*s and was not set in the checkpoint",
                                   l.what_size, l.what, l.value_size, l.value);
        if (!same_value(&l)
            && !same_number(l.value, (size_t)l.value_size, l.other, (size_t)l.other_size))
            return meta_fail(error, "%.*s is %.*s, but was %.*s in the checkpoint", l.what_size,
                             l.what, was ? l.other_size : l.value_size, was ? l.other : l.value,
                             was ? l.value_size : l.other_size, was ? l.value : l.other);
    }
    return 0;
}

/* Checks that `other` has every line of `text`, to the letter. turned: `other` is ours. */
static int differ(const char *text, const char *other, int turned, struct meta_error *error)
{
    struct line l;
    const char *at = text;
    while (next_line(&l, text, &at, other)) {
        if (same_value(&l)) continue;
        const char *words[2] = { l.value, l.other ? l.other : "not set" };
        int sizes[2] = { l.value_size, l.other ? l.other_size : 7 };
        return meta_fail(error, "%.*s is %.*s here, but %.*s", l.what_size, l.what, sizes[turned],
                         words[turned], sizes[!turned], words[!turned]);
    }
    return 0;
}

int meta_fingerprint_differ(const char *here, const char *there, struct meta_error *error)
{
    return differ(here, there, 0, error) || differ(there, here, 1, error) ? -1 : 0;
}

int meta_fingerprint_ranks(struct meta_transport *ranks, const char *text, struct meta_error *error)
{
    uint64_t size = strlen(text) + 1;
    struct meta_error why;
    if (meta_transport_broadcast(ranks, &size, sizeof size, error)) return -1;
    char *first = malloc(size);
    if (!first) return meta_fail_memory(error);
    if (!ranks->rank) memcpy(first, text, size);
    int status = meta_transport_broadcast(ranks, first, size, error);
    if (!status && meta_fingerprint_differ(text, first, &why))
        status = meta_fail(error, "%s on rank 0 (%s)", why.text, ranks->hosts[0]);
    free(first);
    return status;
}

static int check_version(const char *checkpoint, struct meta_error *error)
{
    size_t length;
    if (!find(checkpoint, pixels, sizeof pixels - 1, &length)) return 0;
    return meta_fail(error,
                     "it tells the training images by a check sum of their pixels, as version 1.0 "
                     "of this program did: finish it with that version, or begin anew");
}

int meta_fingerprint_compare(const char *checkpoint, const char *now, struct meta_error *error)
{
    if (check_version(checkpoint, error)) return -1;
    return compare(checkpoint, now, 1, 1, error) || compare(now, checkpoint, 0, 1, error) ? -1 : 0;
}

int meta_fingerprint_compare_unweighed(const char *checkpoint, const char *now,
                                       struct meta_error *error)
{
    if (check_version(checkpoint, error)) return -1;
    return compare(checkpoint, now, 1, 0, error) || compare(now, checkpoint, 0, 0, error) ? -1 : 0;
}

char *meta_fingerprint_measure(const char *text)
{
    size_t length;
    const char *value = find(text, META_FINGERPRINT_MEASURE, strlen(META_FINGERPRINT_MEASURE),
                             &length);
    return value ? strndup(value, length) : NULL;
}

int meta_fingerprint_moved(const char *checkpoint, const char *now, char was[META_INSTRUCTIONS],
                           char is[META_INSTRUCTIONS])
{
    size_t a = 0, b = 0, key = strlen(instructions);
    const char *old = find(checkpoint, instructions, key, &a),
               *new = find(now, instructions, key, &b);
    if (!old || !new || (a == b && !memcmp(old, new, a))) return 0;
    snprintf(was, META_INSTRUCTIONS, "%.*s", (int)a, old);
    snprintf(is, META_INSTRUCTIONS, "%.*s", (int)b, new);
    return 1;
}
