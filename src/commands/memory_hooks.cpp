/* What the program does when a library it stands on finds no memory. oneDNN does not look whether
   its own allocations succeeded, and OpenCV's libraries allocate while they are loaded, where
   nobody can catch an exception. So the program keeps a reserve: the first allocation that finds
   nothing gets it, and oneDNN's caller tells (base/reserve.h). The two functions of libc below
   take the places of libc's own for every library of the process. */
#include "memory_hooks.h"
#include "base/reserve.h"

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <new>
#include <sys/types.h>
#include <unistd.h>

#ifndef __SANITIZE_THREAD__ /* ThreadSanitizer has places of its own for these two */
/* libc's headers declare both with other attributes, hence names of ours. */
extern "C" {
void *memalign(size_t, size_t);
void *mmap64(void *, size_t, int, int, int, off_t);
#define EXPORTED __attribute__((visibility("default"), used))
EXPORTED int meta_hook_memalign(void **, size_t, size_t) __asm__("posix_memalign");
EXPORTED void *meta_hook_map(void *, size_t, int, int, int, off_t) __asm__("mmap");
}

int meta_hook_memalign(void **out, size_t align, size_t bytes)
{
    const int before = errno;
    if (align % sizeof(void *) || !align || (align & (align - 1))) return EINVAL;
    void *p = memalign(align, bytes);
    if (!p && meta_reserve_release()) p = memalign(align, bytes);
    errno = before;
    if (!p) return ENOMEM;
    *out = p;
    return 0;
}

/* Code that oneDNN generates lies in memory of its own. */
void *meta_hook_map(void *at, size_t bytes, int protection, int flags, int fd, off_t offset)
{
    void *p = mmap64(at, bytes, protection, flags, fd, offset);
    const bool failed = reinterpret_cast<std::intptr_t>(p) == -1; /* MAP_FAILED */
    if (failed && errno == ENOMEM && meta_reserve_release())
        p = mmap64(at, bytes, protection, flags, fd, offset);
    return p;
}
#endif

/* operator new calls this until it has memory, or this throws. */
static void find_memory()
{
    if (!meta_reserve_release()) throw std::bad_alloc();
}

/* Where nobody catches std::bad_alloc there is still one line, and no core. */
static void end()
{
    static const char line[] = "darknet: out of memory in a library\n";
    try {
        if (std::current_exception()) std::rethrow_exception(std::current_exception());
    } catch (const std::bad_alloc &) {
        if (write(STDERR_FILENO, line, sizeof line - 1) >= 0) _exit(1);
        _exit(1);
    } catch (...) {}
    std::abort();
}

void meta_memory_hooks()
{
    meta_reserve_open();
    std::set_new_handler(find_memory);
    std::set_terminate(end);
}
