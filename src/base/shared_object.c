/* Finds shared objects that were cut short, by their ELF headers. */
#include "shared_object.h"

#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Reads exactly `size` bytes. */
static int read_at(int fd, void *to, size_t size, ElfW(Off) at)
{
    return pread(fd, to, size, (off_t)at) == (ssize_t)size ? 0 : -1;
}

/* Whether all that is to be loaded lies in the first `size` bytes. */
static int is_whole(int fd, const ElfW(Ehdr) * header, size_t size)
{
    for (int i = 0; i < header->e_phnum; i++) {
        ElfW(Phdr) segment;
        if (read_at(fd, &segment, sizeof segment, header->e_phoff + i * sizeof segment)) return 0;
        if (segment.p_type == PT_LOAD
            && (segment.p_offset > size || segment.p_filesz > size - segment.p_offset))
            return 0;
    }
    return 1;
}

int meta_shared_object_check(const char *path, struct meta_error *error)
{
    ElfW(Ehdr) header;
    struct stat file;
    int status = 0, fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) return 0;
    if (fstat(fd, &file)) status = meta_fail(error, "%s: %s", path, strerror(errno));
    else if (!S_ISREG(file.st_mode))
        status = meta_fail(error, "%s: is not a file: must be a shared object", path);
    else if (!read_at(fd, &header, sizeof header, 0) && !memcmp(header.e_ident, ELFMAG, SELFMAG)
             && header.e_ident[EI_CLASS] == (sizeof(void *) == 8 ? ELFCLASS64 : ELFCLASS32)
             && header.e_phentsize == sizeof(ElfW(Phdr))
             && !is_whole(fd, &header, (size_t)file.st_size))
        status = meta_fail(error, "%s: is cut short: %lld bytes, and its header names more", path,
                           (long long)file.st_size);
    close(fd);
    return status;
}
