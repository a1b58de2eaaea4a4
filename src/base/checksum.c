/* Sums bytes, of memory and of files, by zlib's CRC-32. */
#include "checksum.h"
#include "file.h"

#include <stdlib.h>
#include <zlib.h>

uint32_t meta_checksum_add(uint32_t crc, const void *data, size_t size)
{
    const char *p = data;
    while (size) {
        size_t n = size < 1 << 30 ? size : 1 << 30;
        crc = crc32(crc, (const Bytef *)p, n);
        p += n;
        size -= n;
    }
    return crc;
}

int meta_checksum_file(const char *path, uint32_t *crc, size_t *size, struct meta_error *error)
{
    char *data;
    if (meta_file_read(path, &data, size, error)) return -1;
    *crc = meta_checksum_add(0, data, *size);
    free(data);
    return 0;
}
