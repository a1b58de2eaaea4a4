/* Tensors of the backend's layout to planar doubles, which plugins read and write, and back.
   kernels.h includes this file. */

/* A tile of so many pixels of a block's channels stays in the first cache while it is turned. */
enum { NAME(TILE) = 64 };

/* Where channel k begins in a tensor of one image of P pixels; the next pixel of it is BLOCK(C)
   numbers on. */
static size_t NAME(channel)(int k, size_t P, int C)
{
    size_t block = BLOCK(C), at = k;
    return at / block * block * P + at % block;
}

/* A NULL tensor is zeros. */
static double *NAME(to_planar)(double *to, const REAL *tensor, int batch, struct meta_shape shape)
{
    size_t P = meta_pixels(shape), block = BLOCK(shape.c), size = IMAGE(shape);
    if (!tensor) return memset(to, 0, batch * shape.c * P * sizeof *to);
    for (int b = 0; b < batch; b++)
        for (int first = 0; first < shape.c; first += block)
            for (size_t tile = 0; tile < P; tile += NAME(TILE))
                for (int k = first; k < shape.c && k < first + (int)block; k++) {
                    size_t end = tile + NAME(TILE) < P ? tile + NAME(TILE) : P;
                    const REAL *from = tensor + b * size + NAME(channel)(k, P, shape.c);
                    double *row = to + ((size_t)b * shape.c + k) * P;
                    for (size_t p = tile; p < end; p++) row[p] = from[p * block];
                }
    return to;
}

/* Leaves the padding of a last block as it was. */
static void NAME(from_planar)(const double *from, REAL *tensor, int batch, struct meta_shape shape)
{
    size_t P = meta_pixels(shape), block = BLOCK(shape.c), size = IMAGE(shape);
    for (int b = 0; b < batch; b++)
        for (int first = 0; first < shape.c; first += block)
            for (size_t tile = 0; tile < P; tile += NAME(TILE))
                for (int k = first; k < shape.c && k < first + (int)block; k++) {
                    size_t end = tile + NAME(TILE) < P ? tile + NAME(TILE) : P;
                    REAL *to = tensor + b * size + NAME(channel)(k, P, shape.c);
                    const double *row = from + ((size_t)b * shape.c + k) * P;
                    for (size_t p = tile; p < end; p++) to[p * block] = row[p];
                }
}
