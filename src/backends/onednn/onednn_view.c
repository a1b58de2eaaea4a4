/* Copies tensors to what a convolution of oneDNN sees of them, and back. */
#include "onednn_view.h"
#include "onednn_engine.h"

#include <string.h>

struct meta_view meta_view_of(struct meta_shape s, int with_padding_channels)
{
    int channels = with_padding_channels ? (int)meta_onednn_padded(s.c) : s.c;
    return (struct meta_view){ channels, s.h, s.w, .step = 1 };
}

static struct meta_shape shape_of(const struct meta_view *v)
{
    return (struct meta_shape){ .c = v->channels, .h = v->h, .w = v->w };
}

size_t meta_view_numbers(const struct meta_view *v) { return meta_onednn_image(shape_of(v)); }

/* One image on both sides, one of which is only read. */
struct image {
    const struct meta_view *view;
    struct meta_shape shape;
    float *copy, *tensor;
};

/* Indices first..end-1 of `count` pixels in a row or column of the tensor have a place in the
   `size` ones of the view. */
struct range {
    int first, end;
};

static struct range seen(const struct meta_view *v, int count, int size)
{
    struct range r = { 0, count };
    while (r.first < r.end && v->at + r.first * v->step < 0) r.first++;
    while (r.end > r.first && v->at + (r.end - 1) * v->step >= size) r.end--;
    return r;
}

/* Moves n floats that lie `from_step` and `to_step` apart. */
static void move(float *to, size_t to_step, const float *from, size_t from_step, size_t n)
{
    if (to_step == 1 && from_step == 1) memcpy(to, from, n * sizeof *to);
    else
        for (size_t i = 0; i < n; i++) to[i * to_step] = from[i * from_step];
}

/* Channels first..first+many-1, which lie side by side in both layouts where both are blocked, of
   one row: `n` pixels, beginning at these places. */
static void move_row(const struct image *m, size_t in_copy, size_t in_tensor, int many, size_t n,
                     int put)
{
    size_t block = (size_t)1 << meta_onednn_shift, step = m->view->step;
    size_t copy_step = step * (meta_onednn_planar(m->view->channels) ? 1 : block);
    size_t tensor_step = meta_onednn_planar(m->shape.c) ? 1 : block;
    float *copy = m->copy + in_copy, *tensor = m->tensor + in_tensor;
    if (many > 1 && copy_step == tensor_step) { /* whole blocks of neighbouring pixels */
        memcpy(put ? tensor : copy, put ? copy : tensor, n * block * sizeof *copy);
        return;
    }
    for (int k = 0; k < many; k++)
        if (put) move(tensor + k, tensor_step, copy + k, copy_step, n);
        else move(copy + k, copy_step, tensor + k, tensor_step, n);
}

/* Channels side by side in the copy, which lie behind each other in the tensor: n pixels. */
static inline void move_pixels(float *copy, float *tensor, int channels, size_t n, int put)
{
    for (size_t i = 0; i < n; i++)
        for (int k = 0; k < channels; k++) {
            float *side = copy + (i << meta_onednn_shift) + k, *behind = tensor + k * n + i;
            if (put) *behind = *side;
            else *side = *behind;
        }
}

/* All pixels of a tensor of one to three channels, planar, whose copy is blocked. */
static void move_few(const struct image *m, size_t n, int put)
{
    if (m->shape.c == 1) move_pixels(m->copy, m->tensor, 1, n, put);
    else if (m->shape.c == 2) move_pixels(m->copy, m->tensor, 2, n, put);
    else move_pixels(m->copy, m->tensor, 3, n, put);
}

static void move_image(const struct image *m, int put)
{
    const struct meta_view *v = m->view;
    struct range rows = seen(v, m->shape.h, v->h), columns = seen(v, m->shape.w, v->w);
    int blocked = !meta_onednn_planar(v->channels) && !meta_onednn_planar(m->shape.c);
    int many = blocked ? 1 << meta_onednn_shift : 1;
    size_t seen_by_view = (size_t)v->h * v->w, pixels = (size_t)m->shape.h * m->shape.w;
    if (columns.first >= columns.end) return;
    int same_places = v->step == 1 && !v->at && v->w == m->shape.w && v->h == m->shape.h;
    if (same_places && !meta_onednn_planar(v->channels) && meta_onednn_planar(m->shape.c)) {
        move_few(m, pixels, put);
        return;
    }
    for (int k = 0; k < m->shape.c; k += many)
        for (int i = rows.first; i < rows.end; i++) {
            size_t at = (size_t)(v->at + i * v->step) * v->w + v->at + columns.first * v->step;
            size_t from = (size_t)i * m->shape.w + columns.first;
            move_row(m, meta_onednn_at(0, k, at, v->channels, seen_by_view),
                     meta_onednn_at(0, k, from, m->shape.c, pixels), many,
                     columns.end - columns.first, put);
        }
}

void meta_view_take(const struct meta_view *v, struct meta_shape shape, int images,
                    const float *tensor, float *copy)
{
    size_t of_copy = meta_view_numbers(v), of_tensor = meta_onednn_image(shape);
    memset(copy, 0, images * of_copy * sizeof *copy);
    for (int b = 0; b < images; b++)
        move_image(&(struct image){ v, shape, copy + b * of_copy, (float *)tensor + b * of_tensor },
                   0);
}

void meta_view_put(const struct meta_view *v, struct meta_shape shape, int images,
                   const float *copy, float *tensor)
{
    size_t of_copy = meta_view_numbers(v), of_tensor = meta_onednn_image(shape);
    memset(tensor, 0, images * of_tensor * sizeof *tensor);
    for (int b = 0; b < images; b++)
        move_image(&(struct image){ v, shape, (float *)copy + b * of_copy, tensor + b * of_tensor },
                   1);
}
