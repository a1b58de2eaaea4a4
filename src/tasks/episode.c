/* Draws tasks so that images of one group are never on both sides, and never gets stuck. */
#include "episode.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "base/plural.h"

/* One image. */
struct member {
    int image, class;
    int group; /* -1 - image where the image is in no group */
    int mass;  /* images of the same group and class */
};
/* The images of one class in one group. */
struct cluster {
    int group, size;
    int shared; /* whether other classes have images in the group */
};
/* The images of one class. */
struct supply {
    int class, count, clusters;
    int largest;                  /* size of the largest cluster */
    int shared;                   /* whether a cluster is shared */
    const struct member *members; /* (count) in the order of the list */
    struct cluster *cluster;      /* (clusters) the largest first */
};

struct meta_sampler {
    int ways, shots, queries;
    int count;               /* classes that have images */
    struct supply *supplies; /* (count) */
    struct member *members;  /* class by class; the supplies point into these two */
    struct cluster *clusters;
};

/* ---- whether a task can be finished ---------------------------------------------------------- */

/* The least sum of sizes of whole clusters, none of them of a group in taken (count), that is at
   least `need` >= 1; INT_MAX when all of them hold fewer images. reach (need) is scratch: which
   smaller sums whole clusters can have. */
static int least_sum(const struct supply *p, int need, const int *taken, int count,
                     unsigned char *reach)
{
    int best = INT_MAX;
    memset(reach, 0, need);
    reach[0] = 1;
    for (int k = 0; k < p->clusters && best > need; k++) {
        int used = 0, size = p->cluster[k].size;
        for (int i = 0; i < count && !used; i++) used = taken[i] == p->cluster[k].group;
        for (int sum = need - 1; !used && sum >= 0; sum--) {
            if (!reach[sum]) continue;
            if (sum + size < need) reach[sum + size] = 1;
            else if (sum + size < best) best = sum + size;
        }
    }
    return best;
}

/* The support side of a class so far: the groups drawn from, and how many of the images of the
   class these hold. */
struct progress {
    int images, groups, *group;
};

/* Whether the class can still fill its support side, and its queries from other groups, once m is
   on the support side.

   Let T be the number of images in the groups drawn from and N that of the class. Where T < shots,
   further whole groups that hold at least shots - T images have to be drawn from, and the least
   that costs is least_sum(shots - T), so the answer is N - T - least_sum(shots - T) >= queries, the
   sum being 0 where T >= shots. If the answer is yes before a pick, some pick keeps it so: an
   undrawn image of the groups drawn from, if there is one, changes nothing; else T < shots, and one
   of the whole groups of least_sum adds its size to T and takes as much off the sum. So picking
   only what keeps the answer yes never gets stuck if it is yes at T = 0; queries draw no group of
   the support side, so they don't get stuck either. */
static int can_finish(const struct meta_sampler *s, const struct supply *p,
                      const struct progress *done, const struct member *m, unsigned char *reach)
{
    int images = done->images, groups = done->groups, fresh = 1;
    for (int i = 0; i < groups && fresh; i++) fresh = done->group[i] != m->group;
    if (fresh) {
        done->group[groups++] = m->group; /* the array has room for one uncounted group */
        images += m->mass;
    }
    int others = p->count - images, need = s->shots - images;
    if (need <= 0) return others >= s->queries;
    if (others - (need - 1 + p->largest) >= s->queries)
        return 1; /* least_sum(need) < need + largest */
    int least = least_sum(p, need, done->group, groups, reach);
    return least != INT_MAX && others - least >= s->queries;
}

static int larger_first(const void *a, const void *b)
{
    const struct cluster *p = a, *q = b;
    return (q->size > p->size) - (q->size < p->size);
}

/* The fewest images of a class that shares groups which can be left for its queries. Its support
   draws touch at most `shots` groups, those of the other classes of the task at most (ways - 1) *
   shots of the shared groups. When that leaves `queries` images in the worst case, no draw can go
   wrong, and can_finish always answers yes. */
static int worst_case(const struct meta_sampler *s, const struct supply *p)
{
    long own = s->shots, others = (long)(s->ways - 1) * s->shots, left = p->count;
    for (int k = 0; k < p->clusters && k < own; k++) left -= p->cluster[k].size;
    for (int k = 0; k < p->clusters && others > 0; k++)
        if (p->cluster[k].shared) {
            left -= p->cluster[k].size;
            others--;
        }
    return left < 0 ? 0 : left;
}

static int check_supply(const struct meta_sampler *s, const struct supply *p,
                        const struct meta_dataset *set, struct meta_error *error)
{
    unsigned char *reach = malloc(s->shots);
    if (!reach) return meta_fail_memory_for(error, set->list);
    int least = least_sum(p, s->shots, NULL, 0, reach);
    free(reach);
    int enough = p->shared ? worst_case(s, p) >= s->queries
                           : least != INT_MAX && p->count - least >= s->queries;
    if (enough) return 0;
    const char *name = set->names[p->class];
    if (p->largest == 1 && !p->shared)
        return meta_fail(error,
                         "%s: class %s has %d image%s: shots=%d and queries=%d need at least %d",
                         set->list, name, p->count, meta_plural(p->count), s->shots, s->queries,
                         s->shots + s->queries);
    return meta_fail(error,
                     "%s: class %s has %d image%s in %d group%s%s, the largest of %d: too few to "
                     "have shots=%d and queries=%d in different groups",
                     set->list, name, p->count, meta_plural(p->count), p->clusters,
                     meta_plural(p->clusters), p->shared ? ", some shared with other classes" : "",
                     p->largest, s->shots, s->queries);
}

/* ---- the sampler ----------------------------------------------------------------------------- */

static int by_group(const void *a, const void *b)
{
    const struct member *p = a, *q = b;
    int order = (p->group > q->group) - (p->group < q->group);
    if (!order) order = (p->class > q->class) - (p->class < q->class);
    return order ? order : (p->image > q->image) - (p->image < q->image);
}

static int by_class(const void *a, const void *b)
{
    const struct member *p = a, *q = b;
    int order = (p->class > q->class) - (p->class < q->class);
    return order ? order : (p->image > q->image) - (p->image < q->image);
}

static int cluster_class(const void *a, const void *b)
{
    const struct member *const *p = a, *const *q = b;
    int order = ((*p)->class > (*q)->class) - ((*p)->class < (*q)->class);
    return order ? order : (*p > *q) - (*p < *q);
}

/* Fills members and clusters, class by class, and the supplies. first: (count) scratch. */
static void build(struct meta_sampler *s, const struct meta_dataset *set,
                  const struct member **first)
{
    struct member *m = s->members;
    int n = set->count, clusters = 0;
    for (int i = 0; i < n; i++)
        m[i] = (struct member){ .image = i,
                                .class = set->label[i],
                                .group = set->group[i] >= 0 ? set->group[i] : -1 - i };
    qsort(m, n, sizeof *m, by_group);
    for (int i = 0, end; i < n; i = end) { /* stretches of one group and class */
        for (end = i; end < n && m[end].group == m[i].group && m[end].class == m[i].class; end++)
            ;
        for (int k = i; k < end; k++) m[k].mass = end - i;
        first[clusters++] = &m[i];
    }
    qsort(first, clusters, sizeof *first, cluster_class);
    for (int k = 0; k < clusters; k++) {
        const struct member *f = first[k];
        int shared = (f > m && f[-1].group == f->group)
            || (f + f->mass < m + n && f[f->mass].group == f->group);
        s->clusters[k] = (struct cluster){ f->group, f->mass, shared };
    }
    qsort(m, n, sizeof *m, by_class);
    struct cluster *c = s->clusters;
    for (int i = 0, end; i < n; i = end) {
        struct supply *p = &s->supplies[s->count++];
        for (end = i; end < n && m[end].class == m[i].class; end++)
            ;
        *p = (struct supply){
            .class = m[i].class, .count = end - i, .members = m + i, .cluster = c
        };
        for (int held = 0; held < p->count; held += (c++)->size) {
            p->clusters++;
            p->shared |= c->shared;
            if (c->size > p->largest) p->largest = c->size;
        }
        qsort(p->cluster, p->clusters, sizeof *p->cluster, larger_first);
    }
}

int meta_sampler_create(struct meta_sampler **out, const struct meta_dataset *set,
                        const struct meta_episode_settings *settings, struct meta_error *error)
{
    const struct member **first = malloc((set->count + 1) * sizeof *first);
    struct meta_sampler *s = calloc(1, sizeof *s);
    if (!s || !first) {
        meta_fail_memory_for(error, set->list);
        goto fail;
    }
    s->ways = settings->ways;
    s->shots = settings->shots;
    s->queries = settings->queries;
    if (s->ways < 1 || s->shots < 1 || s->queries < 1) {
        meta_fail(error, "ways=%d, shots=%d, queries=%d: must be at least 1", s->ways, s->shots,
                  s->queries);
        goto fail;
    }
    s->supplies = calloc(set->classes, sizeof *s->supplies);
    s->members = malloc((set->count + 1) * sizeof *s->members);
    s->clusters = malloc((set->count + 1) * sizeof *s->clusters);
    if (!s->supplies || !s->members || !s->clusters) {
        meta_fail_memory_for(error, set->list);
        goto fail;
    }
    build(s, set, first);
    if (s->count < s->ways) {
        meta_fail(error, "%s: has images of %d class%s: ways=%d needs at least %d", set->list,
                  s->count, meta_plural_es(s->count), s->ways, s->ways);
        goto fail;
    }
    for (int k = 0; k < s->count; k++)
        if (check_supply(s, &s->supplies[k], set, error)) goto fail;
    free(first);
    *out = s;
    return 0;
fail:
    free(first);
    meta_sampler_free(s);
    return -1;
}

void meta_sampler_free(struct meta_sampler *s)
{
    if (!s) return;
    free(s->supplies);
    free(s->members);
    free(s->clusters);
    free(s);
}

int meta_episode_create(struct meta_episode **out, const struct meta_episode_settings *settings,
                        struct meta_error *error)
{
    struct meta_episode *e = calloc(1, sizeof *e);
    if (!e) return meta_fail_memory(error);
    size_t ways = e->ways = settings->ways, shots = e->shots = settings->shots,
           queries = e->queries = settings->queries;
    e->classes = calloc(ways, sizeof *e->classes);
    e->support = calloc(ways * shots, sizeof *e->support);
    e->query = calloc(ways * queries, sizeof *e->query);
    e->groups = calloc(ways * shots + 1, sizeof *e->groups);
    e->reach = calloc(shots, 1);
    if (e->classes && e->support && e->query && e->groups && e->reach) {
        *out = e;
        return 0;
    }
    meta_episode_free(e);
    return meta_fail(error, "out of memory for ways=%zu, shots=%zu, queries=%zu", ways, shots,
                     queries);
}

void meta_episode_free(struct meta_episode *e)
{
    if (!e) return;
    free(e->classes);
    free(e->support);
    free(e->query);
    free(e->groups);
    free(e->reach);
    free(e);
}

/* ---- the draw -------------------------------------------------------------------------------- */

/* One pick of an image: which images may be taken now. */
struct choice {
    const struct meta_sampler *sampler;
    const struct supply *supply;
    const int *picked; /* (picks) images of the class that are on this side already */
    int picks;
    struct progress *progress; /* of the support side; NULL on the query side */
    const int *barred;         /* (barred_count) groups on the other side */
    int barred_count;
    unsigned char *reach;
};

static int may_take(const struct choice *c, const struct member *m)
{
    for (int i = 0; i < c->picks; i++)
        if (c->picked[i] == m->image) return 0;
    for (int i = 0; i < c->barred_count; i++)
        if (c->barred[i] == m->group) return 0;
    return !c->progress || can_finish(c->sampler, c->supply, c->progress, m, c->reach);
}

/* Picks among the images that may be taken, of which there is at least one, with equal chances. A
   few tries nearly always find one; where they don't, the images that may be taken are counted.
   Both ways give equal chances, so together they do. */
static const struct member *pick(const struct choice *c, struct meta_rng *rng)
{
    const struct member *members = c->supply->members;
    int n = c->supply->count, allowed = 0, i;
    for (int tries = 0; tries < 32; tries++) {
        i = meta_rng_below(rng, n);
        if (may_take(c, &members[i])) return &members[i];
    }
    for (i = 0; i < n; i++) allowed += may_take(c, &members[i]);
    int rank = meta_rng_below(rng, allowed);
    for (i = 0; i < n; i++)
        if (may_take(c, &members[i]) && !rank--) break;
    return &members[i];
}

static void draw_classes(const struct meta_sampler *s, struct meta_rng *rng, int *chosen)
{
    for (int k = 0; k < s->ways; k++) {
        int rank = meta_rng_below(rng, s->count - k), i, taken;
        for (i = 0;; i++) {
            taken = 0;
            for (int j = 0; j < k && !taken; j++) taken = chosen[j] == i;
            if (!taken && !rank--) break;
        }
        chosen[k] = i;
    }
}

/* On entry e->classes holds numbers of supplies, on return classes. */
static void draw_images(const struct meta_sampler *s, struct meta_rng *rng, struct meta_episode *e)
{
    int groups = 0; /* groups on the support side of the task */
    for (int k = 0; k < s->ways; k++) {
        const struct supply *p = &s->supplies[e->classes[k]];
        struct progress progress = { .group = e->groups + groups };
        struct choice c = { .sampler = s,
                            .supply = p,
                            .picked = e->support + (size_t)k * s->shots,
                            .progress = &progress,
                            .reach = e->reach };
        for (; c.picks < s->shots; c.picks++) {
            const struct member *m = pick(&c, rng);
            int fresh = 1;
            for (int i = 0; i < progress.groups && fresh; i++)
                fresh = progress.group[i] != m->group;
            if (fresh) {
                progress.group[progress.groups++] = m->group;
                progress.images += m->mass;
            }
            e->support[(size_t)k * s->shots + c.picks] = m->image;
        }
        groups += progress.groups;
    }
    for (int k = 0; k < s->ways; k++) {
        struct choice c = { .sampler = s,
                            .supply = &s->supplies[e->classes[k]],
                            .picked = e->query + (size_t)k * s->queries,
                            .barred = e->groups,
                            .barred_count = groups };
        for (; c.picks < s->queries; c.picks++)
            e->query[(size_t)k * s->queries + c.picks] = pick(&c, rng)->image;
    }
    for (int k = 0; k < s->ways; k++) e->classes[k] = s->supplies[e->classes[k]].class;
}

void meta_episode_draw(const struct meta_sampler *s, uint64_t seed, uint64_t iteration,
                       uint32_t task, struct meta_episode *e)
{
    struct meta_rng rng = meta_rng_open(seed, META_USE_EPISODE, iteration, task, 0);
    draw_classes(s, &rng, e->classes);
    draw_images(s, &rng, e);
}

void meta_episode_draw_kind(const struct meta_sampler *s, const int *kind, uint64_t seed,
                            uint64_t iteration, uint32_t task, struct meta_episode *e)
{
    struct meta_rng rng = meta_rng_open(seed, META_USE_EPISODE, iteration, task, 0);
    memcpy(e->classes, kind, s->ways * sizeof *kind);
    meta_rng_shuffle(&rng, e->classes, s->ways);
    draw_images(s, &rng, e);
}

int meta_sampler_classes(const struct meta_sampler *s) { return s->count; }
