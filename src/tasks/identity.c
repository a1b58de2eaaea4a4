/* Digests of a list's images, classes and groups, and of some of its images. */
#include "identity.h"

#include <stdlib.h>

/* Digest of the groups by the first image of each: their names and numbers don't matter. */
static int digest_groups(struct meta_digest *digest, const struct meta_dataset *set,
                         struct meta_error *error)
{
    int most = -1;
    for (int i = 0; i < set->count; i++)
        if (set->group[i] > most) most = set->group[i];
    int *first = malloc((most + 2) * sizeof *first);
    if (!first) return meta_fail_memory_for(error, set->list);
    for (int g = 0; g <= most; g++) first[g] = -1;
    for (int i = 0; i < set->count; i++) {
        int *known = set->group[i] < 0 ? NULL : &first[set->group[i]];
        if (known && *known < 0) *known = i;
        int32_t own = known ? *known : -1;
        *digest = meta_digest_add(*digest, &own, sizeof own);
    }
    free(first);
    return 0;
}

int meta_identity(struct meta_identity *id, const struct meta_dataset *set,
                  struct meta_error *error)
{
    *id = (struct meta_identity){ 0 };
    for (int i = 0; i < set->count; i++) {
        int32_t label = set->label[i];
        id->images = meta_identity_of(set, &i, 1, id->images);
        id->classes = meta_digest_add(id->classes, &label, sizeof label);
    }
    return digest_groups(&id->groups, set, error);
}

struct meta_digest meta_identity_of(const struct meta_dataset *set, const int *items, int n,
                                    struct meta_digest before)
{
    for (int i = 0; i < n; i++)
        before = meta_digest_add(before, &set->digests[items[i]], sizeof *set->digests);
    return before;
}
