/* The program's answer to libraries that find no memory. */
#ifndef META_MEMORY_HOOKS_H
#define META_MEMORY_HOOKS_H

#ifdef __cplusplus
extern "C" {
#endif

/* Takes the reserve and sets the handlers, before any other library is called. */
void meta_memory_hooks(void);

#ifdef __cplusplus
}
#endif

#endif
