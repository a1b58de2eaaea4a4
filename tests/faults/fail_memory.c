/* A library to preload: the allocation number FAULT_AT of a process, from main on, returns no memory,
   and with FAULT_EVER=1 every one after it. Only allocations called from the code that FAULT_FROM names
   count: "own" is the program, its libraries and plugins, and libc on their behalf (strdup, getline,
   fopen); anything else is a part of a shared library's name: libcjson, libdnnl, libstdc++.
   oneDNN's aligned allocations go through the program's posix_memalign, and are its own.
   FAULT_COUNT names a file that gets the number of allocations counted, and a line for each distinct
   path of calls to one: "HASH FIRST LAST TIMES LOADING", LOADING being 1 where the path leads through
   the loader, as that of an initialiser of OpenCV's libraries does. FAULT_HIT names a file that gets the path of the
   allocation that failed. A path is told by its return addresses, relative to where their objects
   lie; it ends where the unwinder does, as in code that oneDNN generates. sweep.py drives it. */
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
#include <unwind.h>

/* glibc's own, under the names that a replacement of malloc can reach without dlsym. */
void *__libc_malloc(size_t);
void *__libc_calloc(size_t, size_t);
void *__libc_realloc(void *, size_t);
void *__libc_memalign(size_t, size_t);

enum { RANGES = 64, DEPTH = 100, PATHS = 1 << 16 };

static struct {
    uintptr_t begin, end;
} ranges[RANGES];
static atomic_int range_count;

/* The paths seen, a hash table with open addressing: TIMES 0 is an empty place. */
static struct path {
    uint64_t hash;
    long first, last, times;
    int loading;
} paths[PATHS];
static atomic_flag paths_busy = ATOMIC_FLAG_INIT;
static const char *count_file, *hit_file;
static _Thread_local int inside; /* the unwinder's own allocations are not looked at */
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
    hit_file = getenv("FAULT_HIT");
    count_file = getenv("FAULT_COUNT");
    unsetenv("LD_PRELOAD"); /* the processes that this one starts run unbroken */
}

/* ---- paths ----------------------------------------------------------------------------------- */

struct walk {
    uint64_t hash;
    int depth, loading;
};

static uint64_t mix(uint64_t hash, uint64_t value)
{
    hash = (hash ^ value) * 0x9e3779b97f4a7c15u;
    return hash ^ hash >> 29;
}

static _Unwind_Reason_Code add_frame(struct _Unwind_Context *context, void *state)
{
    struct walk *w = state;
    struct dl_find_object found;
    uintptr_t at = _Unwind_GetIP(context);
    if (_dl_find_object((void *)at, &found)) return _URC_END_OF_STACK;
    if (strstr(found.dlfo_link_map->l_name, "/fail_memory.so")) return _URC_NO_REASON;
    if (strstr(found.dlfo_link_map->l_name, "/ld-linux")) w->loading = 1;
    w->hash = mix(w->hash, at - (uintptr_t)found.dlfo_map_start);
    for (const char *c = found.dlfo_link_map->l_name; *c; c++) w->hash = mix(w->hash, (unsigned char)*c);
    return ++w->depth < DEPTH ? _URC_NO_REASON : _URC_END_OF_STACK;
}

/* The calls that led here; their hash is the same in every run of one program. */
static struct walk call_path(void)
{
    struct walk w = { 1, 0, 0 };
    inside = 1;
    _Unwind_Backtrace(add_frame, &w);
    inside = 0;
    return w;
}

static void note_path(long number)
{
    struct walk w = call_path();
    while (atomic_flag_test_and_set(&paths_busy)) {}
    struct path *p = paths + w.hash % PATHS;
    while (p->times && p->hash != w.hash) p = p == paths + PATHS - 1 ? paths : p + 1;
    if (!p->times++) *p = (struct path){ w.hash, number, number, 1, w.loading };
    p->last = number;
    atomic_flag_clear(&paths_busy);
}

static void write_text(const char *path, int flags, const char *text, int size)
{
    int fd = open(path, O_WRONLY | O_CREAT | flags, 0666);
    if (fd < 0 || write(fd, text, size) != size) abort();
    close(fd);
}

/* ---- the program's beginning and end --------------------------------------------------------- */

static int (*real_main)(int, char **, char **);

/* What is linked is loaded by now. What comes later, plugins and OpenCV's part, does not count. */
static int counted_main(int argc, char **argv, char **environment)
{
    dl_iterate_phdr(add_object, NULL);
    call_path(); /* the unwinder loads what it needs */
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
    char text[128];
    if (!count_file) return;
    write_text(count_file, O_TRUNC, text, snprintf(text, sizeof text, "%ld\n", (long)counted));
    for (struct path *p = paths; p < paths + PATHS; p++)
        if (p->times)
            write_text(count_file, O_APPEND, text, snprintf(text, sizeof text, "%016lx %ld %ld %ld %d\n", (unsigned long)p->hash,
                                                      p->first, p->last, p->times, p->loading));
}

/* Whether the allocation called from `caller` is to fail. */
static int fails(const void *caller)
{
    if (!ready || inside) return 0;
    uintptr_t at = (uintptr_t)caller;
    int counts = 0;
    for (int i = 0; i < range_count && !counts; i++)
        counts = at >= ranges[i].begin && at < ranges[i].end;
    if (!counts) return 0;
    long number = atomic_fetch_add(&counted, 1) + 1;
    if (count_file) note_path(number);
    if (!fault_at || number < fault_at || (number > fault_at && !fault_ever)) return 0;
    if (hit_file && number == fault_at) {
        char text[32];
        write_text(hit_file, O_TRUNC, text, snprintf(text, sizeof text, "%016lx\n", (unsigned long)call_path().hash));
    }
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
