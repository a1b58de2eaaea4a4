/* Compares what the ranks of `meta test` are to test: settings as they were understood, whatever
   the order of the words, and the files that they read. */
#include "test_ranks.h"

#include <stdlib.h>

#include "base/text.h"
#include "learning/rates_file.h"
#include "learning/same_build.h"
#include "training/fingerprint.h"

static int print_member(FILE *f, const cJSON *member, struct meta_error *error)
{
    if (cJSON_IsString(member)) {
        fprintf(f, "%s=%s\n", member->string, member->valuestring);
        return 0;
    }
    char *value = meta_json_print(member);
    if (!value) return meta_fail_memory(error);
    fprintf(f, "%s=%s\n", member->string, value);
    free(value);
    return 0;
}

/* The settings as lines "what=value". The caller frees. */
static int write_settings(char **text, const struct meta_results *r, struct meta_error *error)
{
    struct meta_text t;
    *text = NULL;
    if (meta_text_begin(&t, error)) return -1;
    cJSON *settings = cJSON_CreateObject();
    meta_results_settings(settings, r);
    int status = 0;
    const cJSON *member;
    cJSON_ArrayForEach(member, settings) if (!status) status = print_member(t.file, member, error);
    cJSON_Delete(settings);
    return meta_text_end(&t, status, text, error);
}

static int compare_settings(struct meta_transport *ranks, const struct meta_results *r,
                            struct meta_error *error)
{
    char *text;
    int status = write_settings(&text, r, error);
    status = meta_transport_share_status(ranks, status, error);
    if (!status) {
        status = meta_fingerprint_ranks(ranks, text, error);
        status = meta_transport_share_status(ranks, status, error);
    }
    free(text);
    return status;
}

static int compare_files(struct meta_transport *ranks, const struct meta_results *r,
                         struct meta_error *error)
{
    struct meta_digest files[3] = { 0 };
    char text[META_DIGEST_TEXT];
    int learned = r->evaluation->rates != NULL;
    char *rates = learned ? meta_rates_path(r->weights) : NULL;
    int status = learned && !rates ? meta_fail_memory(error)
        : meta_digest_file(&files[0], r->cfg, error)
            || (r->weights && meta_digest_file(&files[1], r->weights, error))
            || (rates && meta_digest_file(&files[2], rates, error))
        ? -1
        : 0;
    free(rates);
    if (meta_transport_share_status(ranks, status, error)) return -1;
    const char *what[] = { r->cfg, r->weights ? r->weights : "the weights",
                           "the digest of the learned rates" };
    for (int i = 0; i < 3; i++) {
        meta_digest_text(text, files[i]);
        if (meta_transport_agree(ranks, what[i], text, error)) return -1;
    }
    return 0;
}

int meta_test_ranks(struct meta_transport *ranks, const struct meta_results *r,
                    const char *instructions, struct meta_error *error)
{
    return meta_same_build(ranks, error) || compare_settings(ranks, r, error)
            || compare_files(ranks, r, error) || meta_same_images(ranks, r->dataset, "", error)
            || meta_transport_agree(ranks, "the instruction set", instructions, error)
        ? -1
        : 0;
}

int meta_test_ranks_alone(const struct meta_transport *ranks, int weights, int with,
                          struct meta_error *error)
{
    if (!meta_transport_many(ranks)) return 0;
    if (weights > 1)
        return meta_fail(error, "-weights: several are tested by one process: must be one file");
    return with ? meta_fail(error, "-with: answers are averaged by one process: must be without")
                : 0;
}
