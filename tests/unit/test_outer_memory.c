/* The outer loop allocates nothing in a step, and its process does not grow. */
#define _GNU_SOURCE
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <dlfcn.h>
#include <errno.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>
#include "outer_rig.h"

/* ---- counting allocations ---------------------------------------------------------------------------------------------------

   Of this program and of every library in it, but for those that oneDNN makes and gives back within each dnnl_primitive_execute
   (its tables of arguments; it has no entry that takes them made): these are counted apart. */

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define COUNTS 0               /* the sanitizers have their own malloc */
#else
#define COUNTS 1
#define EXPORT __attribute__((visibility("default")))
void *__libc_malloc(size_t);
void *__libc_calloc(size_t, size_t);
void *__libc_realloc(void *, size_t);
void *__libc_memalign(size_t, size_t);
void __libc_free(void *);
static atomic_int counting;
static atomic_long allocations, of_onednn;
static void count(const void *caller)
{
    Dl_info from;
    if (!counting) return;
    const char *name = dladdr(caller, &from) ? from.dli_fname : "";
    if (strstr(name, "libdnnl")) of_onednn++; else allocations++;
}
#define CALLER __builtin_return_address(0)
EXPORT void *malloc(size_t n) { count(CALLER); return __libc_malloc(n); }
EXPORT void *calloc(size_t n, size_t m) { count(CALLER); return __libc_calloc(n, m); }
EXPORT void *realloc(void *p, size_t n) { count(CALLER); return __libc_realloc(p, n); }
EXPORT void *memalign(size_t a, size_t n) { count(CALLER); return __libc_memalign(a, n); }
EXPORT void *aligned_alloc(size_t a, size_t n) { count(CALLER); return __libc_memalign(a, n); }
EXPORT int posix_memalign(void **p, size_t a, size_t n) { count(CALLER); *p = __libc_memalign(a, n); return *p ? 0 : ENOMEM; }
/* C++'s operators, so that the caller is who called them */
EXPORT void *_Znwm(size_t n) { count(CALLER); return __libc_malloc(n); }
EXPORT void *_Znam(size_t n) { count(CALLER); return __libc_malloc(n); }
EXPORT void _ZdlPv(void *p) { __libc_free(p); }
EXPORT void _ZdaPv(void *p) { __libc_free(p); }
EXPORT void _ZdlPvm(void *p, size_t n) { __libc_free(p); }
#endif

static long resident_kb(void)
{
    long pages = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    if (!f || fscanf(f, "%*d %ld", &pages) != 1) pages = -1;
    if (f) fclose(f);
    return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

static void test_no_allocation(void **state)
{
#if COUNTS
    if (quick()) skip();           /* Memcheck has its own malloc too */
    struct run r = open_run(&meta_backend_onednn, 2);
    step(r, 1);
    long library = -1;
    for (int it = 2; it <= 20; it++) {
        struct meta_error e;
        struct meta_outer_result result;
        make_tasks(&tasks, it);
        allocations = of_onednn = 0;
        counting = 1;
        int status = meta_outer_step(r.outer, tasks.list, it, .01, &result, &e);
        counting = 0;
        assert_int_equal(status, 0);
        if (allocations) fail_msg("%ld allocations in step %d", (long)allocations, it);
        if (library >= 0) assert_int_equal(of_onednn, library);      /* the same in every step: it keeps none */
        library = of_onednn;
    }
    counting = 1;              /* the counter works: in this program, and in a library of it */
    void *volatile own = malloc(1);
    char *volatile of_libc = strdup("x");
    counting = 0;
    assert_int_equal(allocations, 2);
    free(own);
    free(of_libc);
    close_run(r);
#else
    skip();
#endif
}

static void test_steady_memory(void **state)
{
    if (quick()) skip();           /* their bookkeeping grows */
    struct run r = open_run(&meta_backend_onednn, 2);
    for (int it = 1; it <= 20; it++) step(r, it);
    long before = resident_kb();
    for (int it = 21; it <= 500; it++) step(r, it);
    long after = resident_kb();
    assert_true(before > 0);
    if (after - before > 256) fail_msg("%ld KB at iteration 20, %ld KB at iteration 500", before, after);
    close_run(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_allocation),
        cmocka_unit_test(test_steady_memory),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
