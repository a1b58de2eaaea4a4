/* Reads from a socket, and writes to it, until all is through. */
#include "image_wire.h"

#include <errno.h>
#include <sys/socket.h>

int meta_wire_read(int socket, void *to, size_t size)
{
    for (size_t at = 0; at < size;) {
        ssize_t n = recv(socket, (char *)to + at, size - at, 0);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return -1;
        at += (size_t)n;
    }
    return 0;
}

int meta_wire_write(int socket, const void *from, size_t size)
{
    for (size_t at = 0; at < size;) {
        ssize_t n = send(socket, (const char *)from + at, size - at, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return -1;
        at += (size_t)n;
    }
    return 0;
}
