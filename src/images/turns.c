/* Mirrors and turns pictures by moving their numbers. */
#include "turns.h"

#include <stddef.h>

int meta_turns(int h, int w) { return h == w ? 8 : 4; }

void meta_turn(float *out, const float *image, int c, int h, int w, int turn)
{
    for (int k = 0; k < c; k++)
        for (int y = 0; y < h; y++)
            for (int x = 0; x < w; x++) {
                int column = turn & 1 ? w - 1 - x : x, row = turn & 2 ? h - 1 - y : y;
                size_t at = turn & 4 ? (size_t)column * w + row : (size_t)row * w + column;
                *out++ = image[(size_t)k * h * w + at];
            }
}
