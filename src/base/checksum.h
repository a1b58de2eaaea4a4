/* Checksums of files. */
#ifndef META_CHECKSUM_H
#define META_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>
#include "error.h"

/* The CRC-32 (zlib's) of the bytes that `crc` stands for and of `data` behind them; 0 stands for no
   bytes. zlib's own function takes a length of 32 bits. */
uint32_t meta_checksum_add(uint32_t crc, const void *data, size_t size);
/* The CRC-32 of a file's bytes, and their number. */
int meta_checksum_file(const char *path, uint32_t *crc, size_t *size, struct meta_error *);

#endif
