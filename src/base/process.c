/* Starts other programs, with signals and files as a program expects them. */
#define _GNU_SOURCE
#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* Runs between vfork and exec, in the parent's memory: makes system calls and nothing else. Returns
   the errno of the one that failed. */
static int become(char *const argv[], char *const environment[], const int files[3])
{
    sigset_t none;
    for (int i = 0; i < 3; i++) {
        int file = files[i] < 0 ? open("/dev/null", O_RDWR | O_CLOEXEC) : files[i];
        if (file < 0 || dup2(file, i) < 0) return errno;
    }
    for (int i = 1; i < NSIG; i++) signal(i, SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    execvpe(argv[0], argv, environment);
    return errno;
}

int meta_process_start(pid_t *pid, char *const argv[], char *const environment[],
                       const int files[3])
{
    volatile int failed = 0;
    *pid = vfork();
    if (!*pid) {
        failed = become(argv, environment ? environment : environ, files);
        _exit(127);
    }
    if (*pid < 0) return errno;
    if (!failed) return 0;
    waitpid(*pid, NULL, 0);
    return failed;
}
