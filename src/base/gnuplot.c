/* Starts gnuplot with a script that lies in memory. */
#define _GNU_SOURCE
#include "gnuplot.h"
#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

/* Returns the script as a file without a name, open at its start; or -1 with errno. */
static int make_script(void (*write)(FILE *, const void *), const void *context)
{
    int fd = memfd_create("gnuplot", MFD_CLOEXEC),
        copy = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 0);
    FILE *f = copy < 0 ? NULL : fdopen(copy, "w");
    if (!f) {
        if (copy >= 0) close(copy);
        if (fd >= 0) close(fd);
        return -1;
    }
    write(f, context);
    if (fclose(f) || lseek(fd, 0, SEEK_SET)) {
        close(fd);
        return -1;
    }
    return fd;
}

int meta_gnuplot_start(pid_t *child, void (*write)(FILE *, const void *), const void *context,
                       int out)
{
    char *argv[] = { "gnuplot", "-d", NULL };
    int script = make_script(write, context);
    if (script < 0) return errno;
    int status = meta_process_start(child, argv, script, out, -1);
    close(script);
    return status;
}
