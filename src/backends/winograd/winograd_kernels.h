/* The inner loops of Winograd's convolutions, over the blocked layout: transforms between maps and
   tiles, and the products over channels. winograd_kernels.c is compiled once an instruction set.

   A 3x3 convolution of stride 1 is cut into tiles of m x m outputs. With n = m + 2, and over
   the n x n places of a tile, y = A' [(G w G') (B' x B)] A (Lavin and Gray, arXiv 1509.09308),
   where the bracket is a product of matrices, tiles by channels, at each place. All that a
   convolution's derivatives need are the same three matrices and their transposes: xbar = B [U (A
   ybar A')] B' and wbar = G' [(B' x B) (A ybar A')] G. So one transform of x and one of ybar serve
   both.

   Tiles lie as (n*n places, tiles, channels), places `place` and tiles `row` numbers apart. Places
   are an odd number of cache lines apart, so that the n*n that a tile goes to do not share few
   lines of the cache. */
#ifndef META_WINOGRAD_KERNELS_H
#define META_WINOGRAD_KERNELS_H

#include <stddef.h>

/* Tiles of a row of maps: what transforms read or write besides. */
struct meta_winograd_tiles {
    float *at;         /* of the first tile */
    size_t place, row; /* numbers */
};

/* The maps of a tensor's images, blocks of channels one after the other. */
struct meta_winograd_maps {
    int h, w;     /* pixels */
    int blocks;   /* of channels */
    int before;   /* pixels of the first tile that lie before the map, above it and left of it */
    int across;   /* tiles of a row of an image */
    int of_image; /* tiles of an image */
};

/* c = a b (+ c) at each place: (rows, depth) by (depth, columns). Where `terms` is 2, a second
   product of the same sizes is added. */
struct meta_winograd_product {
    int places, rows, depth, columns, terms, adding;
    const float *a[2];
    size_t a_place, a_row, a_depth; /* how far apart the numbers of a lie */
    const float *b[2];
    size_t b_place, b_depth, b_panel; /* panels of `panel` columns each; the last may be narrower */
    float *c;
    size_t c_place, c_row;
};

/* Weights of a layer, (out, in, 3, 3), as the places' matrices: (places, panels, in, panel), or for
   the way back (places, panels, out, panel). Channels that a block has and the layer has not are
   zero. */
struct meta_winograd_weights {
    int in, out;               /* of the layer */
    int in_padded, out_padded; /* multiples of a block */
    size_t place;
};

struct meta_winograd {
    int tile;  /* m */
    int panel; /* columns of b that lie together */
    /* B' x B of `count` tiles, from tile `first` of these maps on */
    void (*take_inputs)(const float *x, const struct meta_winograd_maps *, int first, int count,
                        struct meta_winograd_tiles);
    /* A ybar A' */
    void (*take_outputs)(const float *ybar, const struct meta_winograd_maps *, int first, int count,
                         struct meta_winograd_tiles);
    /* y = A' t A */
    void (*put_outputs)(float *y, const struct meta_winograd_maps *, int first, int count,
                        struct meta_winograd_tiles);
    /* x += B t B'; the maps reach as far as the tiles do */
    void (*add_inputs)(float *x, const struct meta_winograd_maps *, int first, int count,
                       struct meta_winograd_tiles);
    /* G w G', and the same for the way back */
    void (*weights)(const float *w, const struct meta_winograd_weights *, float *u);
    void (*weights_back)(const float *w, const struct meta_winograd_weights *, float *u);
    /* wbar = G' s G, s being (places, in_padded, out_padded) */
    void (*weights_bar)(const float *s, const struct meta_winograd_weights *, float *wbar);
    void (*product)(const struct meta_winograd_product *);
};

/* Kernels of an instruction set, for blocks of 8 and of 16 channels, with tiles of 4 and of 6. */
struct meta_winograd_set {
    const char *name;
    struct meta_winograd lanes8[2], lanes16[2];
};

/* The set that goes with the fused sweeps of this process; NULL: there is none, as with plain
   x86-64. */
const struct meta_winograd_set *meta_winograd_kernels(void);

extern const struct meta_winograd_set meta_winograd_avx2, meta_winograd_avx512;

#endif
