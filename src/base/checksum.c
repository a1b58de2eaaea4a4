/* Reads a file and sums its bytes by zlib's CRC-32. */
#include "checksum.h"
#include "file.h"

#include <stdlib.h>
#include <zlib.h>

int meta_checksum_file(const char *path, uint32_t *crc, size_t *size, struct meta_error *error)
{
    char *data;
    if (meta_file_read(path, &data, size, error)) return -1;
    *crc = crc32(crc32(0, NULL, 0), (const Bytef *)data, *size);
    free(data);
    return 0;
}
