/* Refuses to tune on the rare classes: they are asked once, at the end, and what is tuned on them
   says nothing any more. */
#include "tuning_list.h"
#include "tasks/file_id.h"
#include "tasks/shared.h"

int meta_tuning_list(const struct meta_data *data, struct meta_error *error)
{
    if (!data->valid)
        return meta_fail(error,
                         "%s: has no valid=: must be a list of common classes that training does "
                         "not see, never the test list",
                         data->path);
    if (data->test && meta_file_id_same(data->valid, data->test))
        return meta_fail(error,
                         "%s:%d: valid: %s is the test list: must be common classes that training "
                         "does not see",
                         data->path, data->line[1], data->valid);
    return 0;
}

int meta_tuning_images(const struct meta_dataset *own, const struct meta_data *data,
                       struct meta_pool *pool, struct meta_error *error)
{
    struct meta_dataset *other;
    struct meta_error ignored;
    struct meta_shared shared = { 0 };
    if (!data->test || meta_shared_candidates(&other, own, data->test, pool, &ignored)) return 0;
    int status = meta_shared_find(&shared, own, other, error);
    if (!status && shared.count)
        status = meta_fail(error,
                           "%s:%d: %s: is in the test list, too (line %d), as %d image%s%s: must "
                           "be other images",
                           own->list, own->lines[shared.image], own->paths[shared.image],
                           other->lines[shared.twin], shared.count,
                           shared.count > 1 ? "s are" : " is", meta_shared_words(&shared));
    meta_dataset_free(other);
    return status;
}
