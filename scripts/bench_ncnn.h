/* One convolution in ncnn, for bench_ncnn.c. */
#ifndef BENCH_NCNN_H
#define BENCH_NCNN_H

#ifdef __cplusplus
extern "C" {
#endif

struct peer;
/* 3x3, stride 1, one pixel of zeros around, without biases; weights (out, in, 3, 3); `batch` images
   (in, side, side), which are brought into ncnn's own layout once. NULL: ncnn refuses. */
struct peer *peer_create(int in, int out, int side, const float *weights, int batch,
                         const float *images);
/* All images, one after the other, as ncnn does it; 0, or what it returned. */
int peer_forward(struct peer *);
/* Output of image `index` of the last forward, (out, side, side). */
int peer_output(const struct peer *, int index, float *to);
void peer_free(struct peer *);

#ifdef __cplusplus
}
#endif
#endif
