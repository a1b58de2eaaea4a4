/* Takes several weights as one answer. */
#include "more_weights.h"
#include "flags.h"
#include "network/weights.h"

#include <stdlib.h>

int meta_more_weights_split(struct meta_more_weights *m, const char *value, const char *out,
                            const char **first, struct meta_error *error)
{
    if (!value) return 0;
    if (*first)
        return meta_fail(error, "-weights: stands in place of WEIGHTS, %s: must be one of them",
                         *first);
    if (meta_word_list(&m->paths, "-weights", value, error)) return -1;
    *first = m->paths.words[0];
    return meta_flag_out(out, (const char *const *)m->paths.words, m->paths.count, error);
}

int meta_more_weights_check(const struct meta_more_weights *m, const struct meta_model *model,
                            const struct meta_evaluation *e, struct meta_error *error)
{
    const struct meta_method *method = e->method;
    if (m->paths.count < 2) return 0;
    if (!method->probabilities)
        return meta_fail(error,
                         "-weights: of -method %s there are no probabilities to average: must be "
                         "one file",
                         method->name);
    if (method->curve_epochs)
        return meta_fail(error,
                         "-weights: -method %s tests one file, with its curve: -csv and -with "
                         "average the answers of several",
                         method->name);
    if (e->bn == META_BN_RUNNING)
        return meta_fail(error,
                         "-weights: each has running statistics of its own: -bn must be "
                         "batch or support");
    if (model->inner->rates)
        return meta_fail(error,
                         "%s: [inner_loop] rates: are beside each of the weights: -weights must be "
                         "one file",
                         model->path);
    return 0;
}

int meta_more_weights_load(struct meta_more_weights *m, const struct meta_network *net,
                           const struct meta_backend *backend, struct meta_evaluation *e,
                           struct meta_error *error)
{
    int more = m->paths.count > 1 ? m->paths.count - 1 : 0;
    m->backend = backend;
    if (more && !(m->phi = calloc(more, sizeof *m->phi))) return meta_fail_memory(error);
    for (; m->count < more; m->count++) {
        float *parameters, *statistics;
        void **phi = &m->phi[m->count];
        int status = meta_weights_load(net, m->paths.words[m->count + 1], &parameters, &statistics,
                                       error);
        if (!status && !(*phi = backend->allocate(net->parameters * backend->element)))
            status = meta_fail(error, "out of memory for %zu parameters", net->parameters);
        if (!status) backend->upload(*phi, parameters, net->parameters);
        free(parameters);
        free(statistics);
        if (status) return -1;
    }
    e->more_phi = m->phi;
    e->more = more;
    return 0;
}

void meta_more_weights_clear(struct meta_more_weights *m)
{
    for (int i = 0; i < m->count; i++) m->backend->release(m->phi[i]);
    free(m->phi);
    meta_word_list_clear(&m->paths);
}
