/* ncnn's side of scripts/bench_ncnn.sh: floats, one thread, and whichever Winograd it chooses. */
#include "bench_ncnn.h"

#include <layer.h>
#include <mat.h>
#include <modelbin.h>
#include <paramdict.h>

#include <cstring>
#include <vector>

/* Outputs are given back before the next are made, and ncnn's pool then hands out the same memory:
   forward allocates nothing once warm. */
struct peer {
    ncnn::Option option;
    ncnn::UnlockedPoolAllocator blobs, workspace;
    ncnn::Layer *layer = nullptr;
    ncnn::Mat weights;
    std::vector<ncnn::Mat> in, out;
};

/* As many channels side by side as its network would have. */
static int packing(int channels)
{
#if defined __AVX512F__ || NCNN_AVX512
    if (channels % 16 == 0) return 16;
#endif
#if NCNN_AVX
    if (channels % 8 == 0) return 8;
#endif
    return channels % 4 == 0 ? 4 : 1;
}

static ncnn::Mat copy_of(const float *from, int w, int h, int c)
{
    ncnn::Mat to(w, h, c);
    for (int k = 0; k < c; k++)
        std::memcpy(to.channel(k), from + (size_t)k * w * h, sizeof(float) * w * h);
    return to;
}

static ncnn::ParamDict describe(int in, int out)
{
    ncnn::ParamDict d;
    d.set(0, out);          // outputs
    d.set(1, 3);            // kernel
    d.set(4, 1);            // padding
    d.set(6, 9 * in * out); // weights
    return d;
}

struct peer *peer_create(int in, int out, int side, const float *weights, int batch,
                         const float *images)
{
    peer *p = new peer;
    ncnn::Option &o = p->option;
    o.num_threads = 1;
    o.use_winograd_convolution = o.use_sgemm_convolution = o.use_packing_layout = true;
    o.use_fp16_packed = o.use_fp16_storage = o.use_fp16_arithmetic = false;
    o.use_bf16_storage = o.use_int8_inference = false;
    o.blob_allocator = &p->blobs;
    o.workspace_allocator = &p->workspace;
    p->layer = ncnn::create_layer_cpu("Convolution");
    p->weights = ncnn::Mat(9 * in * out);
    std::memcpy(p->weights, weights, sizeof(float) * 9 * in * out);
    ncnn::Mat blobs[1] = { p->weights };
    if (!p->layer || p->layer->load_param(describe(in, out))
        || p->layer->load_model(ncnn::ModelBinFromMatArray(blobs))) {
        peer_free(p);
        return nullptr;
    }
    // it chooses its Winograd by the size that its hint has
    p->layer->bottom_shapes.assign(1, ncnn::Mat(side, side, in, (void *)nullptr));
    p->layer->top_shapes.assign(1, ncnn::Mat(side, side, out, (void *)nullptr));
    if (p->layer->create_pipeline(o)) {
        peer_free(p);
        return nullptr;
    }
    for (int i = 0; i < batch; i++) {
        ncnn::Mat plain = copy_of(images + (size_t)i * in * side * side, side, side, in), packed;
        ncnn::convert_packing(plain, packed, packing(in));
        p->in.push_back(packed);
    }
    p->out.resize(batch);
    return p;
}

int peer_forward(struct peer *p)
{
    for (size_t i = 0; i < p->in.size(); i++) {
        p->out[i].release();
        if (int status = p->layer->forward(p->in[i], p->out[i], p->option)) return status;
    }
    return 0;
}

int peer_output(const struct peer *p, int index, float *to)
{
    ncnn::Mat plain;
    ncnn::convert_packing(p->out[index], plain, 1);
    if (plain.empty()) return -1;
    for (int k = 0; k < plain.c; k++)
        std::memcpy(to + (size_t)k * plain.w * plain.h, plain.channel(k),
                    sizeof(float) * plain.w * plain.h);
    return 0;
}

void peer_free(struct peer *p)
{
    if (!p) return;
    if (p->layer) p->layer->destroy_pipeline(p->option);
    delete p->layer;
    p->in.clear();
    p->out.clear();
    delete p;
}
