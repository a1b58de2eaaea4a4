/* META_MAX_ISA holds our sweeps and oneDNN to one set of instructions. Each case is a process of its own, since oneDNN takes a limit once. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "backends/onednn/onednn.h"
#include "backends/onednn/onednn_engine.h"

/* What the environment is, and whether oneDNN is asked for something before the backend is opened. */
struct variables {
    const char *meta, *dnnl, *onednn;
    int begun;
};

/* What came of it: of a failure the message, else the instructions of both. */
struct outcome {
    int failed, shift;
    unsigned isa;
    char name[32];
    struct meta_error error;
};

static void put(const char *name, const char *value)
{
    if (value) setenv(name, value, 1);
    else unsetenv(name);
}

/* open 0: what oneDNN takes by itself. */
static struct outcome in_process(struct variables v, int open)
{
    struct outcome out = { 0 };
    int ends[2], status;
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (!child) {
        put("META_MAX_ISA", v.meta);
        put("DNNL_MAX_CPU_ISA", v.dnnl);
        put("ONEDNN_MAX_CPU_ISA", v.onednn);
        if (v.begun) dnnl_get_effective_cpu_isa();
        out.failed = open && meta_backend_onednn.open(&out.error);
        out.isa = dnnl_get_effective_cpu_isa();
        out.shift = meta_onednn_shift;
        strncpy(out.name, meta_backend_onednn.instructions(), sizeof out.name - 1);
        _exit(write(ends[1], &out, sizeof out) != sizeof out);
    }
    close(ends[1]);
    assert_int_equal(read(ends[0], &out, sizeof out), sizeof out);
    close(ends[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    return out;
}

static struct outcome opened(struct variables v)
{
    struct outcome out = in_process(v, 1);
    if (out.failed) fail_msg("%s", out.error.text);
    return out;
}

static int has_vectors(void) { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }

static void nothing_changes_without_it(void **state)
{
    static const char *const levels[] = { NULL, "AVX2", "SSE41" };
    for (int i = 0; i < 3; i++) {
        struct variables v = { .dnnl = levels[i] };
        struct outcome out = opened(v), alone = in_process(v, 0);
        assert_int_equal(out.isa, alone.isa);
        assert_string_equal(out.name, alone.name);
        v.meta = "avx512";
        assert_int_equal(opened(v).isa, alone.isa);
    }
}

static void holds_onednn(void **state)
{
    struct outcome base = opened((struct variables){ .meta = "base" }), avx2 = opened((struct variables){ .meta = "avx2" });
    assert_int_equal(base.isa, dnnl_cpu_isa_sse41);
    assert_int_equal(base.shift, 3);
    assert_string_equal(base.name, "base");
    assert_int_equal(avx2.isa & ~(unsigned)dnnl_cpu_isa_avx2, 0);
    assert_int_equal(avx2.shift, 3);
    assert_string_equal(avx2.name, has_vectors() ? "avx2" : "base");
}

static void leaves_a_lower_limit(void **state)
{
    assert_int_equal(opened((struct variables){ .meta = "avx2", .dnnl = "SSE41" }).isa, dnnl_cpu_isa_sse41);
    assert_int_equal(opened((struct variables){ .meta = "avx2", .onednn = "sse41", .dnnl = "AVX2" }).isa, dnnl_cpu_isa_sse41);
    assert_int_equal(opened((struct variables){ .meta = "avx2", .onednn = "", .dnnl = "SSE41" }).isa, dnnl_cpu_isa_sse41);
    assert_int_equal(opened((struct variables){ .meta = "base", .dnnl = "AVX2" }).isa, dnnl_cpu_isa_sse41);
    if (has_vectors()) assert_string_equal(opened((struct variables){ .meta = "avx2", .dnnl = "SSE41" }).name, "avx2");
}

/* Where another part of the process has begun oneDNN, a limit that can't be kept is told. */
static void tells_that_it_comes_too_late(void **state)
{
    if (!has_vectors()) skip();
    struct outcome late = in_process((struct variables){ .meta = "base", .begun = 1 }, 1);
    assert_true(late.failed);
    assert_string_equal(late.error.text, "META_MAX_ISA=base: oneDNN has begun in this process with larger instructions: "
                                         "set DNNL_MAX_CPU_ISA=SSE41, too, or unset META_MAX_ISA");
    opened((struct variables){ .meta = "base", .dnnl = "SSE41", .begun = 1 });
    opened((struct variables){ .begun = 1 });
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(nothing_changes_without_it), cmocka_unit_test(holds_onednn),
                                        cmocka_unit_test(leaves_a_lower_limit), cmocka_unit_test(tells_that_it_comes_too_late) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
