/* A library to preload: the allocation number FAULT_AT of a process, from main on, returns no memory,
   and with FAULT_EVER=1 every one after it. Only allocations called from the code that FAULT_FROM names
   count: "own" is the program, its libraries and plugins, and libc on their behalf (strdup, getline,
   fopen); anything else is a part of a shared library's name: libcjson, libdnnl, libstdc++.
   oneDNN's aligned allocations go through the program's posix_memalign, and are its own.
   FAULT_COUNT names a file that gets the number of allocations counted. sweep.py drives it. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* glibc's own, under the names that a replacement of malloc can reach without dlsym. */
void *__libc_malloc(size_t);
void *__libc_calloc(size_t, size_t);
void *__libc_realloc(void *, size_t);
void *__libc_memalign(size_t, size_t);

enum { RANGES = 64 };

static struct {
    uintptr_t begin, end;
} ranges[RANGES];
static atomic_int range_count;
static atomic_long counted;
static long fault_at;
static int fault_ever, ready;
static const char *fault_from = "own";

static int counts(const char *name)
{
    if (strcmp(fault_from, "own")) return strstr(name, fault_from) != NULL;
    return !*name || strstr(name, "/libc.so") || strstr(name, "libdarknet-meta") || strstr(name, "/plugins/");
}

static int add_object(struct dl_phdr_info *object, size_t size, void *unused)
{
    (void)size, (void)unused;
    if (!counts(object->dlpi_name)) return 0;
    for (int i = 0; i < object->dlpi_phnum; i++) {
        const ElfW(Phdr) *p = object->dlpi_phdr + i;
        if (p->p_type != PT_LOAD || !(p->p_flags & PF_X) || range_count == RANGES) continue;
        uintptr_t begin = object->dlpi_addr + p->p_vaddr;
        ranges[range_count].begin = begin;
        ranges[range_count].end = begin + p->p_memsz;
        range_count++;
    }
    return 0;
}

__attribute__((constructor)) static void begin(void)
{
    const char *at = getenv("FAULT_AT"), *from = getenv("FAULT_FROM");
    if (at) fault_at = atol(at);
    if (from) fault_from = from;
    fault_ever = getenv("FAULT_EVER") != NULL;
}

static int (*real_main)(int, char **, char **);

/* What is linked is loaded by now. What comes later, plugins and OpenCV's part, does not count. */
static int counted_main(int argc, char **argv, char **environment)
{
    dl_iterate_phdr(add_object, NULL);
    ready = 1;
    return real_main(argc, argv, environment);
}

typedef int start(int (*)(int, char **, char **), int, char **, void (*)(void), void (*)(void), void (*)(void), void *);

/* What a program's first instructions call with main. */
int __libc_start_main(int (*main)(int, char **, char **), int argc, char **argv, void (*init)(void),
                      void (*fini)(void), void (*rtld_fini)(void), void *stack)
{
    start *next = (start *)dlsym(RTLD_NEXT, "__libc_start_main");
    real_main = main;
    return next(counted_main, argc, argv, init, fini, rtld_fini, stack);
}

__attribute__((destructor)) static void end(void)
{
    const char *path = getenv("FAULT_COUNT");
    char text[32];
    if (!path) return;
    int size = snprintf(text, sizeof text, "%ld\n", (long)counted);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0666);
    if (fd < 0 || write(fd, text, size) != size) abort();
    close(fd);
}

/* Whether the allocation called from `caller` is to fail. */
static int fails(const void *caller)
{
    if (!ready) return 0;
    uintptr_t at = (uintptr_t)caller;
    int inside = 0;
    for (int i = 0; i < range_count && !inside; i++)
        inside = at >= ranges[i].begin && at < ranges[i].end;
    if (!inside) return 0;
    long number = atomic_fetch_add(&counted, 1) + 1;
    if (!fault_at || number < fault_at || (number > fault_at && !fault_ever)) return 0;
    errno = ENOMEM;
    return 1;
}

#define CALLER __builtin_return_address(0)

void *malloc(size_t n) { return fails(CALLER) ? NULL : __libc_malloc(n); }
void *calloc(size_t n, size_t size) { return fails(CALLER) ? NULL : __libc_calloc(n, size); }
void *realloc(void *p, size_t n) { return n && fails(CALLER) ? NULL : __libc_realloc(p, n); }
void *memalign(size_t align, size_t n) { return fails(CALLER) ? NULL : __libc_memalign(align, n); }
void *aligned_alloc(size_t align, size_t n) { return fails(CALLER) ? NULL : __libc_memalign(align, n); }

int posix_memalign(void **p, size_t align, size_t n)
{
    if (fails(CALLER) || !(*p = __libc_memalign(align, n))) return ENOMEM;
    return 0;
}
