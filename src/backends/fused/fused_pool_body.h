/* The sweeps with a 2x2/2 max-pool, window by window, for blocks of LANES channels; fused_body.h
   includes this file. */

/* The window of output (i, j). */
INLINE struct window N(window_at)(const struct meta_map *m, int i, int j)
{
    size_t row = (size_t)m->w * LANES;
    return (struct window){ .at = 2 * i * row + 2 * (size_t)j * LANES,
                            .right = 2 * j + 1 < m->w ? LANES : 0,
                            .under = 2 * i + 1 < m->h ? row : 0 };
}

/* The first pixel of row i that no window covers: of odd sizes without padding some are left
   over. */
INLINE int N(first_uncovered)(const struct meta_map *m, int i)
{
    return i < 2 * m->oh ? 2 * m->ow : 0;
}

/* Of the x of the four pixels of a window, the one whose y is the largest: z, and its mark. */
INLINE void N(choose)(const V x[4], V g, V c, V s, float negative, float *z, uint8_t *marks)
{
    V v0 = g * (x[0] - c), v1 = g * (x[1] - c), v2 = g * (x[2] - c), v3 = g * (x[3] - c);
    I low_right = v1 > v0, high_right = v3 > v2;
    V low = N(select)(low_right, v1, v0), high = N(select)(high_right, v3, v2);
    I higher = high > low;
    V y = N(select)(higher, high, low) + s;
    PUT(z, 0) = N(bend)(y, negative, y);
    I which = (higher & (2 - high_right)) | (~higher & -low_right); /* a true lane is -1 */
    N(put_bytes)(marks, which | ((y > (V){ 0 }) & 4));
}

static void N(forward_pool)(in_t x, const struct meta_map *m, constants_t k, out_t z,
                            uint8_t *restrict marks)
{
    V g = ROW(k->gain), c = ROW(k->centre), s = ROW(k->shift);
    float negative = k->negative;
    size_t o = 0;
    for (int i = 0; i < m->oh; i++)
        for (int j = 0; j < m->ow; j++, o += LANES) {
            struct window w = N(window_at)(m, i, j);
            V of[4] = { AT(x, w.at), AT(x, w.at + w.right), AT(x, w.at + w.under),
                        AT(x, w.at + w.under + w.right) };
            N(choose)(of, g, c, s, negative, z + o, marks + o);
        }
}

/* ---- what a window's mark says --------------------------------------------------------------- */

INLINE I N(read_mark)(const uint8_t *mark) { return N(take_bytes)(mark); }

/* z'(y) t */
INLINE V N(bend_by)(I mark, float negative, V t)
{
    return N(select)(mark > 3, t, FILL(negative) * t);
}

/* t in the lanes whose winner is pixel `which`, else 0: adjoints reach the winner alone. */
INLINE V N(reach)(I mark, int which, V t) { return (V)((I)t & ((mark & 3) == which)); }

/* The number at each lane's winner. */
INLINE V N(of_winner)(const float *p, struct window w, I mark)
{
    size_t under = w.at + w.under;
    I won = mark & 3;
    return N(select)(won > 1, N(select)(won == 3, AT(p, under + w.right), AT(p, under)),
                     N(select)(won == 1, AT(p, w.at + w.right), AT(p, w.at)));
}

/* ---- sums over the windows ------------------------------------------------------------------- */

/* `term` gives what the window w of the output at offset o adds. */
typedef Pair N(WindowTerm)(const Source *, struct window, size_t o);
#define WindowTerm N(WindowTerm)

INLINE void N(sum_windows)(WindowTerm *term, const Source *from, const struct meta_map *m,
                           sums_t sums)
{
    Pair sum = { { 0 }, { 0 } };
    size_t o = 0, held = 0, left = (size_t)m->oh * m->ow;
    for (int i = 0; i < m->oh; i++)
        for (int j = 0; j < m->ow; j++, o += LANES) {
            N(add)(&sum, term(from, N(window_at)(m, i, j), o));
            left--;
            if (++held < STRIP && left) continue;
            N(flush)(sum, sums);
            sum.first = sum.second = (V){ 0 };
            held = 0;
        }
}

INLINE Pair N(slope_pool)(const Source *from, struct window w, size_t o)
{
    I mark = N(read_mark)(from->marks + o);
    V d = N(of_winner)(from->x, w, mark) - from->centre;
    V ybar = N(bend_by)(mark, from->negative, AT(from->zbar, o));
    return (Pair){ ybar, ybar * d };
}

static void N(slopes_pool)(in_t zbar, in_t x, marks_t marks, const struct meta_map *m,
                           constants_t k, sums_t sums)
{
    Source from = {
        .x = x, .zbar = zbar, .marks = marks, .centre = ROW(k->centre), .negative = k->negative
    };
    N(sum_windows)(N(slope_pool), &from, m, sums);
}

INLINE Pair N(slope_tangent_pool)(const Source *from, struct window w, size_t o)
{
    I mark = N(read_mark)(from->marks + o);
    V d = N(of_winner)(from->x, w, mark) - from->centre;
    V term = N(hat_term)(from, AT(from->zbar, o), AT(from->zbardot, o), d,
                         N(of_winner)(from->xdot, w, mark));
    return (Pair){ N(bend_by)(mark, from->negative, AT(from->zbardot, o)),
                   N(bend_by)(mark, from->negative, term) };
}

static void N(slope_tangents_pool)(in_t zbar, in_t zbardot, in_t x, in_t xdot, marks_t marks,
                                   const struct meta_map *m, constants_t k, sums_t sums)
{
    Source from = { .x = x,
                    .xdot = xdot,
                    .zbar = zbar,
                    .zbardot = zbardot,
                    .marks = marks,
                    .centre = ROW(k->centre),
                    .negative = k->negative,
                    .r = ROW(k->r),
                    .p = ROW(k->p),
                    .q = ROW(k->q),
                    .s = ROW(k->s) };
    N(sum_windows)(N(slope_tangent_pool), &from, m, sums);
}

/* ---- sweeps that write ----------------------------------------------------------------------- */

static void N(tangent_pool)(in_t x, in_t xdot, marks_t marks, const struct meta_map *m,
                            constants_t k, out_t z, out_t zdot)
{
    V g = ROW(k->gain), c = ROW(k->centre), f = ROW(k->shift);
    V p = ROW(k->p), q = ROW(k->q), s = ROW(k->s);
    float negative = k->negative;
    size_t o = 0;
    for (int i = 0; i < m->oh; i++)
        for (int j = 0; j < m->ow; j++, o += LANES) {
            struct window w = N(window_at)(m, i, j);
            I mark = N(read_mark)(marks + o);
            V d = N(of_winner)(x, w, mark) - c;
            PUT(z, o) = N(bend_by)(mark, negative, g * d + f);
            PUT(zdot, o) = N(bend_by)(mark, negative, p * N(of_winner)(xdot, w, mark) + q + s * d);
        }
}

/* Factors of what every pixel gets on the way back. */
typedef struct {
    V centre, a, b, d;
} N(Spread);
#define Spread N(Spread)

INLINE V N(spread_bar)(const Spread *k, const float *x, size_t i)
{
    return k->a + k->b * (AT(x, i) - k->centre);
}

INLINE V N(spread_bardot)(const Spread *k, const float *x, const float *xdot, size_t i)
{
    return k->a + k->b * (AT(x, i) - k->centre) + k->d * AT(xdot, i);
}

static void N(backward_pool)(from_t x, in_t zbar, marks_t marks, const struct meta_map *m,
                             constants_t k, over_t xbar)
{
    Spread all = { .centre = ROW(k->centre), .a = ROW(k->a), .b = ROW(k->b) };
    V g = ROW(k->gain);
    float negative = k->negative;
    size_t o = 0;
    for (int i = 0; i < m->oh; i++)
        for (int j = 0; j < m->ow; j++, o += LANES) {
            struct window w = N(window_at)(m, i, j);
            size_t right = w.at + w.right, under = w.at + w.under, across = under + w.right;
            I mark = N(read_mark)(marks + o);
            V t = N(bend_by)(mark, negative, AT(zbar, o) * g);
            PUT(xbar, w.at) = N(spread_bar)(&all, x, w.at) + N(reach)(mark, 0, t);
            if (w.right) PUT(xbar, right) = N(spread_bar)(&all, x, right) + N(reach)(mark, 1, t);
            if (w.under) PUT(xbar, under) = N(spread_bar)(&all, x, under) + N(reach)(mark, 2, t);
            if (w.right && w.under)
                PUT(xbar, across) = N(spread_bar)(&all, x, across) + N(reach)(mark, 3, t);
        }
    for (int i = 0; i < m->h; i++)
        for (int j = N(first_uncovered)(m, i); j < m->w; j++) {
            size_t at = (i * (size_t)m->w + j) * LANES;
            PUT(xbar, at) = N(spread_bar)(&all, x, at);
        }
}

static void N(backward_tangent_pool)(in_t x, from_t xdot, in_t zbar, in_t zbardot, marks_t marks,
                                     const struct meta_map *m, constants_t k, over_t xbardot)
{
    Spread all = { ROW(k->centre), ROW(k->a), ROW(k->b), ROW(k->d) };
    V u = ROW(k->u), v = ROW(k->v);
    float negative = k->negative;
    size_t o = 0;
    for (int i = 0; i < m->oh; i++)
        for (int j = 0; j < m->ow; j++, o += LANES) {
            struct window w = N(window_at)(m, i, j);
            size_t right = w.at + w.right, under = w.at + w.under, across = under + w.right;
            I mark = N(read_mark)(marks + o);
            V t = N(bend_by)(mark, negative, u * AT(zbardot, o) + v * AT(zbar, o));
            PUT(xbardot, w.at) = N(spread_bardot)(&all, x, xdot, w.at) + N(reach)(mark, 0, t);
            if (w.right)
                PUT(xbardot, right) = N(spread_bardot)(&all, x, xdot, right) + N(reach)(mark, 1, t);
            if (w.under)
                PUT(xbardot, under) = N(spread_bardot)(&all, x, xdot, under) + N(reach)(mark, 2, t);
            if (w.right && w.under)
                PUT(xbardot, across) = N(spread_bardot)(&all, x, xdot, across)
                    + N(reach)(mark, 3, t);
        }
    for (int i = 0; i < m->h; i++)
        for (int j = N(first_uncovered)(m, i); j < m->w; j++) {
            size_t at = (i * (size_t)m->w + j) * LANES;
            PUT(xbardot, at) = N(spread_bardot)(&all, x, xdot, at);
        }
}
