/* The transforms of tiles of TILE x TILE outputs; winograd_lanes.h includes this file for 4 and 6.
   Each is a transform of one line of numbers, done along the columns of a tile and then along its
   rows. Places go by the points 0, p, -p, ..., infinity. */
#define PAIRS (TILE / 2)
#define PLACES (TILE + 2) /* of a line */
#define T(name) PASTE(PASTE(PASTE(name##_, LANES), _), TILE)
#define POINTS PASTE(points, TILE)

/* From `from`, whose numbers are `apart` floats apart, to `to`. */
typedef void T(line)(const float *from, size_t apart, float *to, size_t to_apart);

/* B': the polynomials that vanish at all points but one, their coefficients times `from`. */
INLINE void T(inputs)(const float *from, size_t apart, float *to, size_t to_apart)
{
    V zero = { 0 }, infinity = { 0 };
    for (int k = 0; k <= PAIRS; k++) {
        zero += FILL(POINTS.all[k]) * AT(from + 2 * k * apart);
        infinity += FILL(POINTS.all[k]) * AT(from + (2 * k + 1) * apart);
    }
    PUT(to) = zero;
    for (int a = 0; a < PAIRS; a++) {
        V even = AT(from + 2 * PAIRS * apart), odd = AT(from + (2 * PAIRS - 1) * apart);
        for (int k = 0; k < PAIRS - 1; k++) {
            even += FILL(POINTS.others[a][k]) * AT(from + (2 * k + 2) * apart);
            odd += FILL(POINTS.others[a][k]) * AT(from + (2 * k + 1) * apart);
        }
        PUT(to + (2 * a + 1) * to_apart) = even + FILL(POINTS.at[a]) * odd;
        PUT(to + (2 * a + 2) * to_apart) = even - FILL(POINTS.at[a]) * odd;
    }
    PUT(to + (PLACES - 1) * to_apart) = infinity;
}

/* B */
INLINE void T(inputs_back)(const float *from, size_t apart, float *to, size_t to_apart)
{
    V zero = AT(from), infinity = AT(from + (PLACES - 1) * apart), sum[PAIRS], difference[PAIRS];
    for (int a = 0; a < PAIRS; a++) {
        V plus = AT(from + (2 * a + 1) * apart), minus = AT(from + (2 * a + 2) * apart);
        sum[a] = plus + minus;
        difference[a] = FILL(POINTS.at[a]) * (plus - minus);
    }
    for (int k = 0; k <= PAIRS; k++) {
        V even = FILL(POINTS.all[k]) * zero, odd = FILL(POINTS.all[k]) * infinity;
        for (int a = 0; a < PAIRS; a++) {
            if (k) even += FILL(POINTS.others[a][k - 1]) * sum[a];
            if (k < PAIRS) odd += FILL(POINTS.others[a][k]) * difference[a];
        }
        PUT(to + 2 * k * to_apart) = even;
        PUT(to + (2 * k + 1) * to_apart) = odd;
    }
}

/* A: a polynomial with these coefficients, at each point. */
INLINE void T(outputs)(const float *from, size_t apart, float *to, size_t to_apart)
{
    PUT(to) = AT(from);
    for (int a = 0; a < PAIRS; a++) {
        V square = FILL(POINTS.at[a] * POINTS.at[a]);
        V even = AT(from + (TILE - 2) * apart), odd = AT(from + (TILE - 1) * apart);
        for (int i = TILE - 4; i >= 0; i -= 2) {
            even = even * square + AT(from + i * apart);
            odd = odd * square + AT(from + (i + 1) * apart);
        }
        PUT(to + (2 * a + 1) * to_apart) = even + FILL(POINTS.at[a]) * odd;
        PUT(to + (2 * a + 2) * to_apart) = even - FILL(POINTS.at[a]) * odd;
    }
    PUT(to + (PLACES - 1) * to_apart) = AT(from + (TILE - 1) * apart);
}

/* A' */
INLINE void T(outputs_back)(const float *from, size_t apart, float *to, size_t to_apart)
{
    V even[PAIRS], odd[PAIRS];
    for (int a = 0; a < PAIRS; a++) {
        V plus = AT(from + (2 * a + 1) * apart), minus = AT(from + (2 * a + 2) * apart);
        even[a] = plus + minus;
        odd[a] = FILL(POINTS.at[a]) * (plus - minus);
    }
    for (int i = 0; i < TILE; i += 2) {
        V here = i ? (V){ 0 } : AT(from), next = { 0 };
        if (i == TILE - 2) next = AT(from + (PLACES - 1) * apart);
        for (int a = 0; a < PAIRS; a++) {
            float power = 1;
            for (int k = 0; k < i; k++) power *= POINTS.at[a];
            here += FILL(power) * even[a];
            next += FILL(power) * odd[a];
        }
        PUT(to + i * to_apart) = here;
        PUT(to + (i + 1) * to_apart) = next;
    }
}

/* G */
INLINE void T(filter)(const float *from, size_t apart, float *to, size_t to_apart)
{
    PUT(to) = FILL(1 / POINTS.norm_zero) * AT(from);
    for (int a = 0; a < PAIRS; a++) {
        float p = POINTS.at[a], norm = POINTS.norm[a];
        V even = FILL(1 / norm) * AT(from) + FILL(p * p / norm) * AT(from + 2 * apart);
        V odd = FILL(p / norm) * AT(from + apart);
        PUT(to + (2 * a + 1) * to_apart) = even + odd;
        PUT(to + (2 * a + 2) * to_apart) = even - odd;
    }
    PUT(to + (PLACES - 1) * to_apart) = AT(from + 2 * apart);
}

/* G' */
INLINE void T(filter_back)(const float *from, size_t apart, float *to, size_t to_apart)
{
    V first = FILL(1 / POINTS.norm_zero) * AT(from), middle = { 0 };
    V last = AT(from + (PLACES - 1) * apart);
    for (int a = 0; a < PAIRS; a++) {
        float p = POINTS.at[a], norm = POINTS.norm[a];
        V plus = AT(from + (2 * a + 1) * apart), minus = AT(from + (2 * a + 2) * apart);
        first += FILL(1 / norm) * (plus + minus);
        middle += FILL(p / norm) * (plus - minus);
        last += FILL(p * p / norm) * (plus + minus);
    }
    PUT(to) = first;
    PUT(to + to_apart) = middle;
    PUT(to + 2 * to_apart) = last;
}

/* ---- tiles ----------------------------------------------------------------------------------- */

/* A tile of numbers: `line` and `next` floats from one number to the next along columns and rows.
 */
struct T(grid) {
    float *at;
    size_t row, column;
};

/* (from, from) to (to, to) numbers, by way of (to, from). */
INLINE void T(both)(T(line) * line, int from, int to, struct T(grid) in, struct T(grid) out)
{
    float between[PLACES * PLACES * LANES] __attribute__((aligned(64)));
    for (int x = 0; x < from; x++)
        line(in.at + x * in.column, in.row, between + x * LANES, (size_t)from * LANES);
    for (int y = 0; y < to; y++)
        line(between + (size_t)y * from * LANES, LANES, out.at + y * out.row, out.column);
}

/* Where a tile's corner lies in its map, and how much of `side` pixels from there the map has. */
struct T(corner) {
    float *image; /* of the first block */
    int y, x;
};

INLINE struct T(corner) T(corner)(const float *maps, const struct meta_winograd_maps *m, int tile)
{
    int image = tile / m->of_image, in_image = tile % m->of_image;
    size_t numbers = (size_t)m->blocks * m->h * m->w * LANES;
    return (struct T(corner)){ (float *)maps + image * numbers,
                               in_image / m->across * TILE - m->before,
                               in_image % m->across * TILE - m->before };
}

static int T(within)(const struct meta_winograd_maps *m, struct T(corner) c, int side)
{
    return c.y >= 0 && c.x >= 0 && c.y + side <= m->h && c.x + side <= m->w;
}

INLINE size_t T(pixel)(const struct meta_winograd_maps *m, int block, int y, int x)
{
    return (((size_t)block * m->h + y) * m->w + x) * LANES;
}

/* Copies the part of a tile that the map has, to or from `tile`, (side, side) numbers. */
static void T(copy_part)(const struct meta_winograd_maps *m, struct T(corner) c, int block,
                         int side, float *tile, int into_map)
{
    int left = c.x < 0 ? -c.x : 0, right = m->w - c.x < side ? m->w - c.x : side;
    for (int y = 0; y < side; y++) {
        if (c.y + y < 0 || c.y + y >= m->h || right <= left) continue;
        float *map = c.image + T(pixel)(m, block, c.y + y, c.x + left);
        float *line = tile + ((size_t)y * side + left) * LANES;
        float *to = into_map ? map : line;
        const float *from = into_map ? line : map;
        for (int x = 0; x < right - left; x++) PUT(to + x * LANES) = AT(from + x * LANES);
    }
}

INLINE void T(take)(T(line) * line, int side, const float *maps, const struct meta_winograd_maps *m,
                    int first, int count, struct meta_winograd_tiles to)
{
    float part[PLACES * PLACES * LANES] __attribute__((aligned(64)));
    size_t row = (size_t)m->w * LANES;
    for (int i = 0; i < count; i++) {
        struct T(corner) c = T(corner)(maps, m, first + i);
        int whole = T(within)(m, c, side);
        if (!whole) memset(part, 0, sizeof part); /* and the blocks leave what is outside */
        for (int b = 0; b < m->blocks; b++) {
            struct T(grid) in = { part, (size_t)side * LANES, LANES };
            if (whole) in = (struct T(grid)){ c.image + T(pixel)(m, b, c.y, c.x), row, LANES };
            else T(copy_part)(m, c, b, side, part, 0);
            T(both)
            (line, side, PLACES, in,
             (struct T(grid)){ to.at + i * to.row + (size_t)b * LANES, PLACES * to.place,
                               to.place });
        }
    }
}

static void T(take_inputs)(const float *x, const struct meta_winograd_maps *m, int first, int count,
                           struct meta_winograd_tiles to)
{
    T(take)(T(inputs), PLACES, x, m, first, count, to);
}

static void T(take_outputs)(const float *ybar, const struct meta_winograd_maps *m, int first,
                            int count, struct meta_winograd_tiles to)
{
    T(take)(T(outputs), TILE, ybar, m, first, count, to);
}

INLINE struct T(grid) T(places)(struct meta_winograd_tiles t, int tile, int block)
{
    return (struct T(grid)){ t.at + tile * t.row + (size_t)block * LANES, PLACES * t.place,
                             t.place };
}

static void T(put_outputs)(float *y, const struct meta_winograd_maps *m, int first, int count,
                           struct meta_winograd_tiles from)
{
    float part[TILE * TILE * LANES] __attribute__((aligned(64)));
    for (int i = 0; i < count; i++) {
        struct T(corner) c = T(corner)(y, m, first + i);
        int whole = T(within)(m, c, TILE);
        for (int b = 0; b < m->blocks; b++) {
            struct T(grid) out = { part, TILE * LANES, LANES };
            if (whole)
                out = (struct T(grid)){ c.image + T(pixel)(m, b, c.y, c.x), (size_t)m->w * LANES,
                                        LANES };
            T(both)(T(outputs_back), PLACES, TILE, T(places)(from, i, b), out);
            if (!whole) T(copy_part)(m, c, b, TILE, part, 1);
        }
    }
}

static void T(add_inputs)(float *x, const struct meta_winograd_maps *m, int first, int count,
                          struct meta_winograd_tiles from)
{
    float part[PLACES * PLACES * LANES] __attribute__((aligned(64)));
    for (int i = 0; i < count; i++) {
        struct T(corner) c = T(corner)(x, m, first + i);
        for (int b = 0; b < m->blocks; b++) {
            T(both)
            (T(inputs_back), PLACES, PLACES, T(places)(from, i, b),
             (struct T(grid)){ part, PLACES * LANES, LANES });
            for (int y = 0; y < PLACES; y++) {
                float *to = c.image + T(pixel)(m, b, c.y + y, c.x);
                for (int k = 0; k < PLACES; k++)
                    PUT(to + k * LANES) += AT(part + (y * PLACES + k) * LANES);
            }
        }
    }
}

/* ---- weights --------------------------------------------------------------------------------- */

/* The kernels of LANES pairs of channels, `step` pairs apart; those past `count` are zero. */
INLINE void T(take_filters)(const float *w, size_t step, int count, float *filters)
{
    for (int k = 0; k < 9; k++)
        for (int l = 0; l < LANES; l++)
            filters[k * LANES + l] = l < count ? w[(size_t)l * step * 9 + k] : 0;
}

/* Where row k of the matrix's panel with column `column` has that column. */
INLINE size_t T(in_panels)(int rows, int columns, int k, int column)
{
    int panel = column - column % N(panel),
        width = columns - panel < N(panel) ? columns - panel : N(panel);
    return (size_t)panel * rows + (size_t)k * width + (column - panel);
}

/* Matrices of (rows, columns) padded channels, of which the layer has `own_rows` and `own_columns`;
   the filter of a row and a column is `row` and `column` filters from the first. */
struct T(sides) {
    int rows, columns, own_rows, own_columns;
    size_t row, column;
};

INLINE void T(transform_weights)(const float *w, struct T(sides) s, size_t place, float *u)
{
    float filters[9 * LANES] __attribute__((aligned(64)));
    for (int column = 0; column < s.columns; column += LANES)
        for (int k = 0; k < s.rows; k++) {
            int own = k < s.own_rows ? s.own_columns - column : 0;
            T(take_filters)(w + (k * s.row + column * s.column) * 9, s.column, own, filters);
            T(both)
            (T(filter), 3, PLACES, (struct T(grid)){ filters, 3 * LANES, LANES },
             (struct T(grid)){ u + T(in_panels)(s.rows, s.columns, k, column), PLACES * place,
                               place });
        }
}

static void T(weights)(const float *w, const struct meta_winograd_weights *g, float *u)
{
    struct T(sides) s = { g->in_padded, g->out_padded, g->in, g->out, 1, g->in };
    T(transform_weights)(w, s, g->place, u);
}

static void T(weights_back)(const float *w, const struct meta_winograd_weights *g, float *u)
{
    struct T(sides) s = { g->out_padded, g->in_padded, g->out, g->in, g->in, 1 };
    T(transform_weights)(w, s, g->place, u);
}

static void T(weights_bar)(const float *s, const struct meta_winograd_weights *g, float *wbar)
{
    float filters[9 * LANES] __attribute__((aligned(64)));
    for (int o = 0; o < g->out; o += LANES)
        for (int i = 0; i < g->in; i++) {
            const float *from = s + (size_t)i * g->out_padded + o;
            T(both)
            (T(filter_back), PLACES, 3,
             (struct T(grid)){ (float *)from, PLACES * g->place, g->place },
             (struct T(grid)){ filters, 3 * LANES, LANES });
            for (int l = 0; l < LANES && o + l < g->out; l++)
                for (int k = 0; k < 9; k++)
                    wbar[((size_t)(o + l) * g->in + i) * 9 + k] = filters[k * LANES + l];
        }
}

#undef PAIRS
#undef PLACES
#undef POINTS
#undef T
