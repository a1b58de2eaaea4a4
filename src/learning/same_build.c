/* Compares the files that compute on each rank, the program and the plugins, and their images. */
#include "same_build.h"

#include <stdio.h>
#include <string.h>

#include "base/digest.h"
#include "config/plugins.h"
#include "tasks/identity.h"

int meta_same_build(struct meta_transport *ranks, struct meta_error *error)
{
    char names[200] = "", text[META_DIGEST_TEXT];
    if (!meta_transport_many(ranks)) return 0;
    const struct meta_plugins *plugins = meta_plugins_load(error);
    struct meta_digest digest;
    if (!plugins) return -1;
    for (int i = 0; i < plugins->count; i++) {
        size_t used = strlen(names);
        snprintf(names + used, sizeof names - used, "[%s]", plugins->entries[i].plugin->name);
    }
    if (meta_transport_agree(ranks, "the list of plugins", names, error)) return -1;
    for (int i = -1; i < plugins->count; i++) {
        const char *path = i < 0 ? "/proc/self/exe" : plugins->entries[i].path;
        char what[64] = "the program's file";
        if (i >= 0)
            snprintf(what, sizeof what, "the file of the plugin [%.20s]",
                     plugins->entries[i].plugin->name);
        int status = meta_digest_file(&digest, path, error);
        meta_digest_text(text, digest);
        if (meta_transport_share_status(ranks, status, error)
            || meta_transport_agree(ranks, what, text, error))
            return -1;
    }
    return 0;
}

int meta_same_images(struct meta_transport *ranks, const struct meta_dataset *set,
                     const char *whose, struct meta_error *error)
{
    struct meta_identity id;
    char what[80], text[META_DIGEST_TEXT];
    int status = meta_identity(&id, set, error);
    if (meta_transport_share_status(ranks, status, error)) return -1;
    const struct {
        const char *of;
        struct meta_digest digest;
    } all[] = { { "classes", id.classes }, { "groups", id.groups }, { "images", id.images } };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        snprintf(what, sizeof what, "the digest of %s%s", *whose ? whose : "the ", all[i].of);
        meta_digest_text(text, all[i].digest);
        if (meta_transport_agree(ranks, what, text, error)) return -1;
    }
    snprintf(what, sizeof what, "the range of %simages", *whose ? whose : "the ");
    snprintf(text, sizeof text, "%d", meta_dataset_white(set));
    if (meta_transport_agree(ranks, what, text, error)) return -1;
    snprintf(what, sizeof what, "the decoding of %simages", *whose ? whose : "the ");
    return meta_transport_agree(ranks, what, meta_dataset_scaled(set) ? "scaled" : "full", error);
}
