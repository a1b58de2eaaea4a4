/* The product at each place. A block of up to ROWS rows and VECTORS vectors of columns, or twice
   the rows of one vector, stays in registers while the depth goes by: fewer sums would wait for one
   another. */
#define ROWS 6
#ifdef __AVX512F__
#define VECTORS 4
#else
#define VECTORS (16 / LANES)
#endif
enum { N(panel) = VECTORS * LANES };

/* A block of c at one place: where its numbers, and those that it is made of, begin. */
struct N(block) {
    const float *a[2], *b[2];
    float *c;
    size_t b_depth;
};

typedef V N(sums)[2 * ROWS][VECTORS];

INLINE void N(add_term)(const struct meta_winograd_product *p, const struct N(block) * at, int term,
                        int rows, int vectors, N(sums) sum)
{
    const float *a = at->a[term], *b = at->b[term];
    size_t a_row = p->a_row, a_depth = p->a_depth, b_depth = at->b_depth;
    for (int k = p->depth; k > 0; k--, a += a_depth, b += b_depth) {
        V columns[VECTORS];
#pragma GCC unroll 12
        for (int v = 0; v < vectors; v++) columns[v] = AT(b + v * LANES);
#pragma GCC unroll 12
        for (int r = 0; r < rows; r++) {
            V row = FILL(a[r * a_row]);
#pragma GCC unroll 12
            for (int v = 0; v < vectors; v++) sum[r][v] += row * columns[v];
        }
    }
}

INLINE void N(multiply)(const struct meta_winograd_product *p, const struct N(block) * at, int rows,
                        int vectors)
{
    N(sums) sum;
    float *c = at->c;
    size_t c_row = p->c_row;
    int adding = p->adding;
#pragma GCC unroll 12
    for (int r = 0; r < rows; r++)
#pragma GCC unroll 12
        for (int v = 0; v < vectors; v++) sum[r][v] = (V){ 0 };
    N(add_term)(p, at, 0, rows, vectors, sum);
    if (p->terms == 2) N(add_term)(p, at, 1, rows, vectors, sum);
    if (adding)
#pragma GCC unroll 12
        for (int r = 0; r < rows; r++)
#pragma GCC unroll 12
            for (int v = 0; v < vectors; v++) sum[r][v] += AT(c + r * c_row + v * LANES);
#pragma GCC unroll 12
    for (int r = 0; r < rows; r++)
#pragma GCC unroll 12
        for (int v = 0; v < vectors; v++) PUT(c + r * c_row + v * LANES) = sum[r][v];
}

typedef void N(multiplier)(const struct meta_winograd_product *, const struct N(block) *);

#define MULTIPLIER(rows, vectors)                                                                  \
    static void N(multiply_##rows##_##vectors)(const struct meta_winograd_product *p,              \
                                               const struct N(block) * at)                         \
    {                                                                                              \
        N(multiply)(p, at, rows, vectors);                                                         \
    }
#define MULTIPLIERS(vectors)                                                                       \
    MULTIPLIER(1, vectors)                                                                         \
    MULTIPLIER(2, vectors)                                                                         \
    MULTIPLIER(3, vectors)                                                                         \
    MULTIPLIER(4, vectors)                                                                         \
    MULTIPLIER(5, vectors)                                                                         \
    MULTIPLIER(6, vectors)
#define ROW_OF(vectors)                                                                            \
    N(multiply_1_##vectors), N(multiply_2_##vectors), N(multiply_3_##vectors),                     \
        N(multiply_4_##vectors), N(multiply_5_##vectors), N(multiply_6_##vectors)

MULTIPLIERS(1)
MULTIPLIER(7, 1)
MULTIPLIER(8, 1)
MULTIPLIER(9, 1)
MULTIPLIER(10, 1)
MULTIPLIER(11, 1)
MULTIPLIER(12, 1)
#if VECTORS > 1
MULTIPLIERS(2)
#endif
#if VECTORS > 2
MULTIPLIERS(3)
MULTIPLIERS(4)
#endif

static N(multiplier) *const N(multipliers)[VECTORS][2 * ROWS] = {
    { ROW_OF(1), N(multiply_7_1), N(multiply_8_1), N(multiply_9_1), N(multiply_10_1),
      N(multiply_11_1), N(multiply_12_1) },
#if VECTORS > 1
    { ROW_OF(2) },
#endif
#if VECTORS > 2
    { ROW_OF(3) },
    { ROW_OF(4) },
#endif
};

/* The rows of one place, in blocks that differ by one row at most. */
static void N(product_rows)(const struct meta_winograd_product *p, int place, int column,
                            int vectors)
{
    int most = vectors == 1 ? 2 * ROWS : ROWS;
    int blocks = (p->rows + most - 1) / most, panel = column / (VECTORS * LANES);
    struct N(block) at = { .b_depth = p->b_depth ? p->b_depth : (size_t)vectors * LANES };
    for (int i = 0; i < blocks; i++) {
        int first = p->rows * i / blocks, count = p->rows * (i + 1) / blocks - first;
        at.c = p->c + place * p->c_place + first * p->c_row + column;
        for (int s = 0; s < p->terms; s++) {
            at.a[s] = p->a[s] + place * p->a_place + first * p->a_row;
            at.b[s] = p->b[s] + place * p->b_place + panel * p->b_panel;
        }
        N(multipliers)[vectors - 1][count - 1](p, &at);
    }
}

static void N(product)(const struct meta_winograd_product *p)
{
    for (int place = 0; place < p->places; place++)
        for (int column = 0; column < p->columns; column += VECTORS * LANES) {
            int left = (p->columns - column) / LANES;
            N(product_rows)(p, place, column, left < VECTORS ? left : VECTORS);
        }
}

#undef MULTIPLIER
#undef MULTIPLIERS
#undef ROW_OF
#undef ROWS
#undef VECTORS
