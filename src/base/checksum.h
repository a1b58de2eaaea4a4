/* Checksums of files. */
#ifndef META_CHECKSUM_H
#define META_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>
#include "error.h"

/* The CRC-32 of a file's bytes (zlib's) and their number. */
int meta_checksum_file(const char *path, uint32_t *crc, size_t *size, struct meta_error *);

#endif
