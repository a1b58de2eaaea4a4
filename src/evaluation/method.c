#include "method.h"

#include <string.h>

const struct meta_method *const meta_methods[] = { &meta_method_maml, &meta_method_finetune, &meta_method_knn, &meta_method_svm,
                                                   &meta_method_relation, NULL };

const struct meta_method *meta_method_find(const char *name)
{
    for (const struct meta_method *const *m = meta_methods; *m; m++)
        if (!strcmp((*m)->name, name)) return *m;
    return NULL;
}

int meta_method_refuse_pairs(const struct meta_method *method, const struct meta_model *model, struct meta_error *error)
{
    const struct meta_network *net = model->network;
    if (!net->ways) return 0;
    return meta_fail(error, "%s:%d: [%s]: pairs the images of a task, which -method %s knows nothing of; allowed: -method relation", model->path,
                     net->layers[net->pairing].line, meta_layer_name(&net->layers[net->pairing]), method->name);
}
