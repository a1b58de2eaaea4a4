/* The machine's peak: every thread multiplies and adds in registers for a while. */
#include "peak.h"
#include "base/clock.h"
#include "backends/fused/fused_kernels.h"

#include <sched.h>
#include <stdatomic.h>

/* A multiply-add takes four to five cycles and two can begin in each cycle, so that ten are under
   way: twelve accumulators keep the processor busy, and with the two factors still fit into sixteen
   registers. They tend to 1 and so never become denormal. */
#define EACH(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11)
#define ACCUMULATORS 12
/* Steps of one call: some fifty microseconds, of which reading the clock is little. */
#define STEPS 20000

#define DECLARE(i) vector x##i = { i };
#define STEP(i) x##i = x##i * a + b;
#define KEEP(i) __asm__ volatile("" : : "x"(x##i));
#define SPIN(name, isa, bytes)                                                                     \
    __attribute__((target(isa), noinline)) static double name(const volatile float *half)          \
    {                                                                                              \
        typedef float vector __attribute__((vector_size(bytes)));                                  \
        vector a = { 0 }, b = { 0 };                                                               \
        a += *half;                                                                                \
        b += *half;                                                                                \
        EACH(DECLARE)                                                                              \
        for (int k = 0; k < STEPS; k++) { EACH(STEP) }                                             \
        EACH(KEEP)                                                                                 \
        return 2. * ACCUMULATORS * STEPS * (bytes) / sizeof(float);                                \
    }

SPIN(spin_base, "sse2", 16)
SPIN(spin_avx2, "avx2,fma", 32)
SPIN(spin_avx512, "avx512f", 64)

static double spin(void)
{
    static const volatile float half = .5;
    const struct meta_fused_set *isa = meta_fused();
    if (isa == &meta_fused_avx512) return spin_avx512(&half);
    return isa == &meta_fused_avx2 ? spin_avx2(&half) : spin_base(&half);
}

/* What one thread did: FLOP, seconds by the clock, seconds of processor time. */
struct share {
    double flops, elapsed, processor;
};
struct measurement {
    double seconds; /* to go on for */
    int threads;
    atomic_int ready;    /* threads that have begun: all of them start at once */
    struct share *share; /* (threads) */
};

static void run(void *context, int index, int worker)
{
    struct measurement *m = context;
    double flops = 0, elapsed;
    atomic_fetch_add(&m->ready, 1);
    while (atomic_load(&m->ready) < m->threads) sched_yield();
    double begun = meta_now(), processor = meta_thread_time();
    do {
        flops += spin();
        elapsed = meta_now() - begun;
    } while (elapsed < m->seconds);
    m->share[index] = (struct share){ flops, elapsed, meta_thread_time() - processor };
}

struct meta_peak meta_peak(struct meta_pool *pool, double seconds)
{
    int threads = meta_pool_threads(pool);
    struct share share[META_POOL_MOST];
    struct measurement m = { .seconds = seconds, .threads = threads, .share = share };
    struct meta_peak peak = { 0, 0 };
    double flops = 0, processor = 0;
    meta_pool_run(pool, threads, run, &m);
    for (int i = 0; i < threads; i++) {
        peak.rate += share[i].flops / share[i].elapsed;
        flops += share[i].flops;
        processor += share[i].processor;
    }
    peak.processor_rate = flops / processor;
    return peak;
}
