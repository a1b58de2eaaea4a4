/* Which decoders the program has: their pixels may differ from version to version. */
#ifndef META_IMAGE_VERSION_H
#define META_IMAGE_VERSION_H

enum { META_IMAGE_DECODERS = 256 };

/* Names the project's own part of decoding by a number, libpng by its version, and the others by
   those that the program was built with, libwebp by that of its interface. */
void meta_image_decoders(char text[META_IMAGE_DECODERS]);

#endif
