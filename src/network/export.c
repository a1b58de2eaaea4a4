/* Writes a network as a .cfg and .weights of stock sections. */
#define _GNU_SOURCE
#include "export.h"
#include "base/c_locale.h"
#include "base/digest.h"
#include "base/file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "readers.h"
#include "tie.h"
#include "weights.h"

static const char *activation(const struct meta_layer *l)
{
    return meta_activation_name(l->activation);
}

static void print_layer(FILE *f, const struct meta_layer *l)
{
    fprintf(f, "\n[%s]\n", meta_layer_name(l));
    if (l->batch_normalize) fprintf(f, "batch_normalize=1\n");
    switch (l->type) {
    case META_CONVOLUTIONAL:
        fprintf(f, "filters=%d\nsize=%d\nstride=%d\n", l->filters, l->size, l->stride);
        /* many readers of .cfg files know pad alone; with dilation padding counts its pixels */
        if (l->padding && l->padding == l->size / 2 * meta_layer_dilation(l)) fprintf(f, "pad=1\n");
        else if (l->padding) fprintf(f, "padding=%d\n", l->padding / meta_layer_dilation(l));
        fprintf(f, "activation=%s\n", activation(l));
        if (meta_layer_groups(l) > 1) fprintf(f, "groups=%d\n", l->groups);
        if (meta_layer_dilation(l) > 1) fprintf(f, "dilation=%d\n", l->dilation);
        break;
    case META_CROP:
        fprintf(f, "crop_width=%d\ncrop_height=%d\nnoadjust=%d\n", l->crop_width, l->crop_height,
                !l->adjust);
        break;
    case META_REORG:
        fprintf(f, "stride=%d\n", l->stride);
        if (l->reverse) fprintf(f, "reverse=1\n");
        if (l->flatten) fprintf(f, "flatten=1\n");
        if (l->extra) fprintf(f, "extra=%d\n", l->extra);
        break;
    case META_LOCAL:
        fprintf(f, "filters=%d\nsize=%d\nstride=%d\npad=%d\nactivation=%s\n", l->filters, l->size,
                l->stride, l->padding, activation(l));
        break;
    case META_UPSAMPLE:
        fprintf(f, "stride=%d\n", l->stride);
        if (l->alpha != 1) fprintf(f, "scale=%.9g\n", l->alpha);
        break;
    case META_SCALE_CHANNELS: fprintf(f, "from=%d\n", l->from[0]); break;
    case META_CONNECTED: fprintf(f, "output=%d\nactivation=%s\n", l->filters, activation(l)); break;
    case META_MAXPOOL:
        fprintf(f, "size=%d\nstride=%d\npadding=%d\n", l->size, l->stride, l->padding);
        break;
    case META_SHORTCUT:
        fprintf(f, "from=%d\nactivation=%s\n", l->from[0], activation(l));
        if (l->alpha != 1) fprintf(f, "alpha=%.9g\n", l->alpha);
        if (l->beta != 1) fprintf(f, "beta=%.9g\n", l->beta);
        break;
    case META_ROUTE:
        for (int k = 0; k < l->from_count; k++) fprintf(f, "%s%d", k ? "," : "layers=", l->from[k]);
        fprintf(f, "\n");
        break;
    case META_DROPOUT: fprintf(f, "probability=%.9g\n", l->probability); break;
    case META_ACTIVATION: fprintf(f, "activation=%s\n", activation(l)); break;
    case META_SOFTMAX:
        if (l->temperature != 1) fprintf(f, "temperature=%.9g\n", l->temperature);
        break;
    default: break;
    }
}

/* The two files, and what the .cfg says of readers. */
struct written {
    const struct meta_export *how;
    const char *cfg, *weights, *otherwise;
};

/* Prints each line behind "# ". */
static void print_comment(FILE *f, const char *text)
{
    for (const char *line = text; line && *line; line += strcspn(line, "\n"), line += *line == '\n')
        fprintf(f, "# %.*s\n", (int)strcspn(line, "\n"), line);
}

/* Whoever has the .cfg alone written over, or the .weights alone, can tell by the digest. The
   caller frees *bytes. */
static int make_cfg(struct meta_text *text, char **bytes, const struct meta_network *net,
                    struct meta_digest digest, const struct written *w, struct meta_error *error)
{
    char sum[META_DIGEST_TEXT];
    const struct meta_export *how = w->how;
    if (meta_text_begin(text, error)) return -1;
    FILE *f = text->file;
    meta_digest_text(sum, digest);
    print_comment(f, how->comment);
    print_comment(f, w->otherwise);
    fprintf(f, "# " META_WEIGHTS_NOTE " %s\n", sum);
    fprintf(f, "[net]\nbatch=1\nsubdivisions=1\nwidth=%d\nheight=%d\nchannels=%d\n%s", net->input.w,
            net->input.h, net->input.c, how->net ? how->net : "");
    locale_t before = meta_c_locale_begin();
    for (int i = 0; i < net->count; i++) print_layer(f, &net->layers[i]);
    meta_c_locale_end(before);
    return meta_text_end(text, 0, bytes, error);
}

/* Neither file is touched before both are on the disk: a full disk leaves the earlier pair, or
   none. */
static int write_both(const struct meta_filled *f, const struct written *w,
                      struct meta_error *error)
{
    struct meta_new_file *weights, *cfg = NULL;
    struct meta_digest digest;
    struct meta_text text;
    char *bytes = NULL;
    if (meta_weights_begin(&weights, w->weights, f, (struct meta_weights_head){ 0 }, error))
        return -1;
    int status = meta_digest_file(&digest, meta_new_file_temporary(weights), error)
        || make_cfg(&text, &bytes, f->network, digest, w, error)
        || meta_new_file(&cfg, w->cfg, error) || meta_new_file_put(cfg, bytes, text.size, error);
    free(bytes);
    if (!status) return meta_new_file_end_two(weights, cfg, error);
    meta_new_file_drop(weights);
    meta_new_file_drop(cfg);
    return -1;
}

int meta_export_paths(const char *name, char **cfg, char **weights, struct meta_error *error)
{
    if (asprintf(cfg, "%s.cfg", name) < 0) *cfg = NULL;
    if (asprintf(weights, "%s.weights", name) < 0) *weights = NULL;
    if (*cfg && *weights) return 0;
    free(*cfg);
    free(*weights);
    *cfg = *weights = NULL;
    return meta_fail_memory(error);
}

int meta_export(const struct meta_filled *from, const struct meta_export *how, char **otherwise,
                struct meta_error *error)
{
    struct meta_filled untied, portable;
    char *cfg, *weights;
    *otherwise = NULL;
    if (meta_export_paths(how->name, &cfg, &weights, error)) return -1;
    int status = meta_tie_undo(&untied, from, error);
    if (!status) {
        status = meta_portable(&portable, &untied, how->fold, error);
        meta_filled_clear(&untied);
    }
    if (!status) {
        status = meta_readers_differ(portable.network, otherwise, error);
        if (!status)
            status = write_both(&portable, &(struct written){ how, cfg, weights, *otherwise },
                                error);
        meta_filled_clear(&portable);
    }
    free(cfg);
    free(weights);
    if (!status) return 0;
    free(*otherwise);
    *otherwise = NULL;
    return -1;
}
