/* Reads how a file begins. */
#define _GNU_SOURCE
#include "head.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* A pipe must not hang us before it is refused. */
static int open_file(const char *path) { return open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); }

size_t meta_head_read(const char *path, char *bytes, size_t room)
{
    int fd = path ? open_file(path) : -1;
    size_t n = 0;
    for (ssize_t more = 1; fd >= 0 && n < room && more > 0; n += more > 0 ? (size_t)more : 0)
        more = read(fd, bytes + n, room - n);
    if (fd >= 0) close(fd);
    return n;
}

int meta_head_is(const char *path, const char *text)
{
    char head[2 * META_HEAD_MOST + 1];
    const char *s = head;
    head[meta_head_read(path, head, sizeof head - 1)] = 0;
    for (; *text; text++) {
        if (isspace((unsigned char)*text)) continue;
        while (isspace((unsigned char)*s)) s++;
        if (*s++ != *text) return 0;
    }
    return 1;
}

char *meta_head_line(const char *path, char *line, size_t room)
{
    line[meta_head_read(path, line, room - 1)] = 0;
    line[strcspn(line, "\r\n")] = 0;
    return line;
}

int meta_head_there(const char *path)
{
    char byte;
    int fd = open_file(path);
    if (fd < 0) return errno != ENOENT;
    int any = read(fd, &byte, 1) != 0;
    close(fd);
    return any;
}
