/* The symmetries of a picture: mirrored and turned by quarters, without a number changed. */
#ifndef META_TURNS_H
#define META_TURNS_H

/* How many there are of a picture of this size: 8 of a square, else the 4 that keep its shape. */
int meta_turns(int h, int w);
/* Writes symmetry `turn`, 0 to meta_turns() - 1, of an image (c, h, w): as it is, left and right
   exchanged, up and down exchanged, both; then those four of the image with rows and columns
   exchanged. out (c, h, w) is not image. */
void meta_turn(float *out, const float *image, int c, int h, int w, int turn);

#endif
