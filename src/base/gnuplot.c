/* Runs gnuplot on a script that lies in memory. */
#define _GNU_SOURCE
#include "gnuplot.h"
#include "clock.h"
#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
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

/* What gnuplot may know of the user's environment: where programs, libraries, fonts and scratch
   files are. GNUTERM, the variables that begin with GNUPLOT, DISPLAY or a language's decimal comma
   would change or break a drawing. */
static const char *const passed_on[] = {
    "PATH",           "HOME", "TMPDIR", "XDG_CACHE_HOME", "LD_LIBRARY_PATH", "FONTCONFIG_FILE",
    "FONTCONFIG_PATH"
};
enum { PASSED_ON = sizeof passed_on / sizeof *passed_on };

/* Fills the list; its texts are those of this process. */
static void make_environment(char *list[PASSED_ON + 2])
{
    int n = 0;
    for (char **variable = environ; variable && *variable && n < PASSED_ON; variable++)
        for (int i = 0; i < PASSED_ON; i++) {
            size_t length = strlen(passed_on[i]);
            if (!strncmp(*variable, passed_on[i], length) && (*variable)[length] == '=')
                list[n++] = *variable;
        }
    list[n++] = "LC_ALL=C.UTF-8";
    list[n] = NULL;
}

int meta_gnuplot_start(pid_t *child, void (*write)(FILE *, const void *), const void *context,
                       int out, struct meta_error *error)
{
    char *argv[] = { "gnuplot", "-d", NULL }, *environment[PASSED_ON + 2];
    int script = make_script(write, context);
    *child = 0;
    if (script < 0) return meta_fail(error, "can't write gnuplot's script: %s", strerror(errno));
    make_environment(environment);
    int status = meta_process_start(child, argv, environment, (int[]){ script, out, -1 });
    close(script);
    if (!status) return 0;
    *child = 0;
    return status == ENOENT ? meta_fail(error, "gnuplot is not installed")
                            : meta_fail(error, "can't run gnuplot: %s", strerror(status));
}

int meta_gnuplot_wait(pid_t *child, double seconds, struct meta_error *error)
{
    double end = meta_now() + seconds;
    int status = 0;
    pid_t done;
    while (!(done = waitpid(*child, &status, WNOHANG)) || (done < 0 && errno == EINTR)) {
        if (meta_now() >= end) return 0;
        nanosleep(&(struct timespec){ 0, 10000000 }, NULL);
    }
    *child = 0;
    if (done > 0 && WIFEXITED(status) && !WEXITSTATUS(status)) return 1;
    if (done > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 127)
        return meta_fail(error, "gnuplot is not installed");
    return meta_fail(error, "gnuplot failed");
}

void meta_gnuplot_end(pid_t *child)
{
    kill(-*child, SIGKILL); /* the process group that it leads: gnuplot may be a script */
    while (waitpid(*child, NULL, 0) < 0 && errno == EINTR) {}
    *child = 0;
}
