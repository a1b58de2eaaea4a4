/* Finds images that show the same from elsewhere: keypoints of each image, their nearest among
   those of all others, and what these say about how one image lies on another. */
#include "align.h"
#include "alike_internal.h"
#include "base/pool.h"
#include "keypoints.h"

#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum {
    CHUNK = 500,     /* keypoints that a thread looks up at a time */
    TOGETHER = 8,    /* votes of a pair that are also taken two by two */
    VOTES_LEAST = 2, /* of keypoints, for a pair; two that are each other's nearest vote twice */
};
#define SCALE_MOST 2
/* Correlations of what votes have laid on each other, as it is, and moved to where it is largest.
 */
#define LAID_LEAST .65f
#define COARSE_LEAST .85f

/* Keypoint q of image a is near keypoint r of image b; a < b. */
struct vote {
    int a, b, q, r;
};

struct moved {
    const struct meta_look *look;
    struct meta_alike_list *list;
    struct meta_keypoint *points; /* (count, META_KEYPOINTS), later those that there are */
    unsigned char *descriptors;   /* likewise, each META_DESCRIPTOR bytes */
    int *found;                   /* (count) keypoints of an image */
    int *owner;                   /* (keypoints) image */
    struct meta_coarse *coarse;   /* (count) */
    struct meta_nearest *nearest;
    struct vote *votes;           /* (keypoints, META_NEAREST), a < 0: none; later sorted */
    int keypoints, *begin, pairs; /* begin: (pairs + 1) the first vote of a pair */
    atomic_int failed;
    struct meta_error *error; /* of the thread that failed first */
};

static void clear(struct moved *m)
{
    free(m->points);
    free(m->descriptors);
    free(m->found);
    free(m->owner);
    free(m->coarse);
    free(m->votes);
    free(m->begin);
    meta_nearest_free(m->nearest);
}

static void fail(struct moved *m, const struct meta_error *why)
{
    int none = 0;
    if (atomic_compare_exchange_strong(&m->failed, &none, 1)) *m->error = *why;
}

/* ---- keypoints ------------------------------------------------------------------------------- */

static void see(void *context, int i, int worker)
{
    struct moved *m = context;
    const struct meta_thumbnail *t = &m->look->thumbnails[i];
    size_t first = (size_t)i * META_KEYPOINTS;
    struct meta_error why;
    if (!t->w || atomic_load(&m->failed)) return;
    meta_coarse_make(t, &m->coarse[i]);
    int n = meta_keypoints_find(t->gray, t->w, t->h, m->points + first,
                                m->descriptors + first * META_DESCRIPTOR, &why);
    if (n < 0) fail(m, &why);
    else m->found[i] = n;
}

/* Closes the gaps between the keypoints of one image and the next. */
static void close_gaps(struct moved *m)
{
    for (int i = 0; i < m->look->count; i++) {
        size_t first = (size_t)i * META_KEYPOINTS;
        int n = m->found[i];
        memmove(m->points + m->keypoints, m->points + first, n * sizeof *m->points);
        memmove(m->descriptors + (size_t)m->keypoints * META_DESCRIPTOR,
                m->descriptors + first * META_DESCRIPTOR, (size_t)n * META_DESCRIPTOR);
        for (int k = 0; k < n; k++) m->owner[m->keypoints++] = i;
    }
}

static int find_keypoints(struct moved *m, struct meta_pool *pool, struct meta_error *error)
{
    size_t count = m->look->count, most = count * META_KEYPOINTS;
    m->points = malloc((most + 1) * sizeof *m->points);
    m->descriptors = malloc(most * META_DESCRIPTOR + 1);
    m->found = calloc(count + 1, sizeof *m->found);
    m->owner = malloc((most + 1) * sizeof *m->owner);
    m->coarse = malloc((count + 1) * sizeof *m->coarse);
    if (!m->points || !m->descriptors || !m->found || !m->owner || !m->coarse)
        return meta_fail(error, "out of memory for the keypoints of %zu images", count);
    meta_pool_run(pool, count, see, m);
    if (m->failed) return -1;
    close_gaps(m);
    return 0;
}

/* ---- votes ----------------------------------------------------------------------------------- */

static void vote(void *context, int chunk, int worker)
{
    struct moved *m = context;
    const int *known = m->look->known;
    int found[CHUNK * META_NEAREST],
        first = chunk * CHUNK, n = m->keypoints - first < CHUNK ? m->keypoints - first : CHUNK;
    struct meta_error why;
    if (atomic_load(&m->failed)) return;
    if (meta_nearest_find(m->nearest, m->descriptors + (size_t)first * META_DESCRIPTOR, n, found,
                          &why)) {
        fail(m, &why);
        return;
    }
    for (int i = 0; i < n * META_NEAREST; i++) {
        int q = first + i / META_NEAREST, r = found[i], a = m->owner[q],
            b = r < 0 ? a : m->owner[r];
        int told = a != b && (known[a] < 0 || known[a] != known[b]);
        m->votes[(size_t)first * META_NEAREST + i] = !told ? (struct vote){ -1, -1, -1, -1 }
            : a < b                                        ? (struct vote){ a, b, q, r }
                                                           : (struct vote){ b, a, r, q };
    }
}

static int by_pair(const void *x, const void *y)
{
    const struct vote *u = x, *v = y;
    if (u->a != v->a) return u->a < v->a ? -1 : 1;
    if (u->b != v->b) return u->b < v->b ? -1 : 1;
    if (u->q != v->q) return u->q < v->q ? -1 : 1;
    return (u->r > v->r) - (u->r < v->r);
}

/* Sorts the votes and keeps those for pairs that have enough of them. */
static int count_votes(struct moved *m, struct meta_error *error)
{
    int all = m->keypoints * META_NEAREST, kept = 0;
    for (int i = 0; i < all; i++)
        if (m->votes[i].a >= 0) m->votes[kept++] = m->votes[i];
    all = kept;
    if (all) qsort(m->votes, all, sizeof *m->votes, by_pair);
    m->begin = malloc((all / VOTES_LEAST + 2) * sizeof *m->begin);
    if (!m->begin) return meta_fail_memory(error);
    for (int i = 0, end; i < all; i = end) {
        for (end = i + 1; end < all; end++)
            if (m->votes[end].a != m->votes[i].a || m->votes[end].b != m->votes[i].b) break;
        if (end - i < VOTES_LEAST) continue;
        memmove(m->votes + (m->pairs ? m->begin[m->pairs] : 0), m->votes + i,
                (end - i) * sizeof *m->votes);
        int first = m->pairs ? m->begin[m->pairs] : 0;
        m->begin[m->pairs++] = first;
        m->begin[m->pairs] = first + end - i;
    }
    return 0;
}

static int take_votes(struct moved *m, struct meta_pool *pool, struct meta_error *error)
{
    if (meta_nearest_make(&m->nearest, m->descriptors, m->keypoints, error)) return -1;
    m->votes = malloc((size_t)m->keypoints * META_NEAREST * sizeof *m->votes);
    if (!m->votes) return meta_fail(error, "out of memory for %d keypoints", m->keypoints);
    meta_pool_run(pool, (m->keypoints + CHUNK - 1) / CHUNK, vote, m);
    return m->failed ? -1 : count_votes(m, error);
}

/* ---- pairs ----------------------------------------------------------------------------------- */

/* How keypoint q of image `a` lies on keypoint r of another, and with them the images. */
static struct meta_alignment lay(const struct moved *m, int image, const struct meta_keypoint *q,
                                 const struct meta_keypoint *r)
{
    const struct meta_thumbnail *a = &m->look->thumbnails[image];
    float angle = r->angle - q->angle, scale = r->size / q->size;
    float dx = (a->w - 1) / 2.f - q->x, dy = (a->h - 1) / 2.f - q->y;
    float c = scale * cosf(angle), s = scale * sinf(angle);
    return (struct meta_alignment){ angle, logf(scale), r->x + c * dx - s * dy,
                                    r->y + s * dx + c * dy };
}

/* How two pairs of keypoints lie on each other, by their places alone. */
static struct meta_alignment lay_two(const struct moved *m, const struct vote *v,
                                     const struct vote *w)
{
    const struct meta_keypoint *q = &m->points[v->q], *r = &m->points[v->r];
    const struct meta_keypoint *q2 = &m->points[w->q], *r2 = &m->points[w->r];
    struct meta_keypoint from = *q, to = *r;
    from.angle = atan2f(q2->y - q->y, q2->x - q->x);
    to.angle = atan2f(r2->y - r->y, r2->x - r->x);
    from.size = hypotf(q2->x - q->x, q2->y - q->y);
    to.size = hypotf(r2->x - r->x, r2->y - r->y);
    return lay(m, v->a, &from, &to);
}

/* The best of *best, which has the correlation `most`, and another one. */
static void take(const struct moved *m, const struct vote *v, struct meta_alignment at, float *most,
                 struct meta_alignment *best)
{
    if (!(fabsf(at.log_scale) <= logf(SCALE_MOST))) return; /* nor two keypoints in one place */
    float r = meta_align_lay(&m->coarse[v->a], &m->coarse[v->b], &at);
    if (r <= *most) return;
    *most = r;
    *best = at;
}

static void compare(void *context, int pair, int worker)
{
    struct moved *m = context;
    const struct vote *begin = m->votes + m->begin[pair], *end = m->votes + m->begin[pair + 1];
    const struct meta_thumbnail *all = m->look->thumbnails;
    struct meta_alignment best = { 0 };
    float most = -1;
    for (const struct vote *v = begin; v < end; v++) {
        if (v > begin && !by_pair(v, v - 1)) continue; /* each other's nearest: once is enough */
        take(m, v, lay(m, v->a, &m->points[v->q], &m->points[v->r]), &most, &best);
        for (const struct vote *w = v + 1; w < end && w < begin + TOGETHER; w++)
            take(m, v, lay_two(m, v, w), &most, &best);
    }
    if (most < LAID_LEAST) return;
    if (meta_align_coarse(&m->coarse[begin->a], &m->coarse[begin->b], &best) < COARSE_LEAST) return;
    struct meta_alignment back = meta_align_inverse(&all[begin->a], &all[begin->b], &best);
    float r = meta_align(&all[begin->a], &all[begin->b], &best);
    if (r < 0) return;
    r = (r + meta_align(&all[begin->b], &all[begin->a], &back)) / 2;
    if (r >= META_ALIKE_MOVED_LEAST)
        meta_alike_add(m->list, (struct meta_alike){ begin->a, begin->b, r });
}

int meta_alike_moved(struct meta_alike_list *list, const struct meta_look *look,
                     struct meta_pool *pool, struct meta_error *error)
{
    struct moved m = { .look = look, .list = list, .error = error };
    int status = find_keypoints(&m, pool, error);
    if (!status && m.keypoints) status = take_votes(&m, pool, error);
    if (!status) meta_pool_run(pool, m.pairs, compare, &m);
    clear(&m);
    return status;
}
