/* Which decoders the program has: their pixels may differ from version to version. */
#ifndef META_IMAGE_VERSION_H
#define META_IMAGE_VERSION_H

enum { META_IMAGE_DECODERS = 256 };

/* Names the project's own part of decoding by a number, and the libraries by their versions. */
void meta_image_decoders(char text[META_IMAGE_DECODERS]);

#endif
