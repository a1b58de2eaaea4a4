/* What the program and its decoder, a process of its own, tell each other: a question and the
   file's bytes; an answer and the samples. Both are of one build. */
#ifndef META_IMAGE_WIRE_H
#define META_IMAGE_WIRE_H

#include <stdint.h>
#include "image_internal.h"

struct meta_wire_question {
    uint64_t size; /* of the file, which follows */
    int32_t codec; /* its number in the part's table */
    int32_t frame;
};

struct meta_wire_answer {
    uint64_t size;  /* of the samples, which follow; 0 where the file could not be decoded */
    int32_t failed; /* `error` says why */
    int32_t channels;
    struct meta_image_header header;
    struct meta_error error;
};

/* All of the bytes, over a socket. 0; -1: the other end is gone. */
int meta_wire_read(int socket, void *to, size_t size);
int meta_wire_write(int socket, const void *from, size_t size);

#endif
