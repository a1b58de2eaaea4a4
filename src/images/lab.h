/* The colour space CIE L*a*b*. */
#ifndef META_LAB_H
#define META_LAB_H

/* Makes L* (0..100), a* and b* (within -128..128) of an sRGB colour (red, green, blue) in 0..1,
   under the white of D65, which OpenCV's COLOR_RGB2Lab agrees with to 0.2, as fine as its tables
   are. */
void meta_lab(const double rgb[3], double lab[3]);

#endif
